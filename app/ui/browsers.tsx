import { type JSX, useState } from './preact.js';
import { useNames, useNow, usePage } from './context.js';
import { ago, shortTime } from './format.js';
import { toHex } from '../../common/bytes.js';

/** Which other browsers of the household confirm what this one sees. */
export function Browsers(): JSX.Element {
  const { household, keys } = usePage();
  const { labelOf } = useNames();
  const now = useNow(30_000);
  const others = household.others();
  const own = toHex(keys.signer.publicKey);
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
              {key === own ? 'Another browser of yours' : (labelOf(key) ?? 'A member')}: compared {ago(issuedAtMs, now)}
              {isOverdue && '. If it was used since then, the cloud holds its statement back.'}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What a browser that was set up from a recovery file cannot know by itself yet. */
export function RestoredNote(): JSX.Element | null {
  const { household } = usePage();
  const [isHidden, setHidden] = useState(false);
  const restored = household.restored();
  if (restored === null || isHidden) return null;
  return (
    <div class="note note-wait">
      <strong>This browser was set up from a recovery file.</strong>{' '}
      {restored.savedAtMs === null
        ? 'The file holds your key alone, so this browser cannot know whether the cloud shows everything from before today.'
        : `It knows your cameras as they were on ${shortTime(restored.savedAtMs)}. Whether the cloud shows everything since then it cannot know.`}{' '}
      Another browser of your household that opens the page can confirm it.{' '}
      <button
        type="button"
        class="text-button"
        onClick={() => {
          setHidden(true);
          void household.dismissRestored();
        }}
      >
        Understood
      </button>
    </div>
  );
}
