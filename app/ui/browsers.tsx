import type { JSX } from './preact.js';
import { useNames, useNow, usePage, useSessionView } from './context.js';
import { ago } from './format.js';
import { toHex } from '../../common/bytes.js';

/** Which other browsers of the household confirm what this one sees. */
export function Browsers(): JSX.Element {
  const { household, keys } = usePage();
  const { cameras } = useSessionView();
  const { labelOf } = useNames();
  const now = useNow(30_000);
  const others = household.others();
  const own = toHex(keys.signer.publicKey);
  const isOwners = (key: string): boolean =>
    cameras.some(({ members }) => members.some(({ ed25519, role }) => role === 'owner' && toHex(ed25519) === key));
  return (
    <div class="panel">
      <h2>Browsers that compare</h2>
      <p>
        The browsers of your household tell each other, signed, how far they have followed each camera. A cloud that
        shows one of them less than another is noticed.
      </p>
      {others.length === 0 ? (
        <p class="note note-wait">
          No other browser yet. Until there is one, only this browser’s own memory holds the cloud to what it showed.
        </p>
      ) : (
        <ul class="access">
          {others.map(({ key, issuedAtMs, isOverdue }, i) => (
            <li key={i} class={isOverdue ? 'ink-warn' : ''}>
              {key === own
                ? 'Another browser of yours'
                : (labelOf(key) ?? (isOwners(key) ? 'A browser of the owner’s' : 'A member'))}
              : compared {ago(issuedAtMs, now)}
              {isOverdue && '. If it was used since then, the cloud holds its statement back.'}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
