import type { JSX } from './preact.js';
import type { CameraChange } from '../core/household-change.js';
import { useNames, usePage, useSessionView, useNow } from './context.js';
import { presenceOf, type Presence } from '../core/presence.js';
import { ago } from './format.js';
import { MEMBER_STEPS } from './use-members.js';

const AWAY: readonly Presence[] = ['offline', 'silent', 'unheard', 'unlisted'];

/** What each camera of a change waits for. */
export function ChangeProgress({ changes }: { readonly changes: readonly CameraChange[] }): JSX.Element | null {
  const { nameOf } = useNames();
  const [only] = changes;
  if (only === undefined) return null;
  if (changes.length === 1) {
    return only.problem === null ? (
      <p class="note note-wait">
        <Step change={only} />
      </p>
    ) : null;
  }
  return (
    <ul class="plain change-progress">
      {changes.map((change) => (
        <li key={change.device}>
          <strong>{nameOf(change.device)}:</strong> <Step change={change} />
        </li>
      ))}
    </ul>
  );
}

function Step({ change: { device, step, problem } }: { readonly change: CameraChange }): JSX.Element {
  const { hearing } = usePage();
  const { cameras, connection } = useSessionView();
  const now = useNow(10_000);
  if (problem !== null) return <>{problem.message}.</>;
  const camera = cameras.findLast((one) => one.device === device && !one.hasEnded);
  const isAway = camera !== undefined && AWAY.includes(presenceOf(camera, connection, hearing.untilMs()));
  if (step === 'accepted' || !isAway) return <>{MEMBER_STEPS[step]}</>;
  const heard = camera.lastWordMs === null ? '' : `, last heard ${ago(camera.lastWordMs, now)}`;
  return (
    <>
      Waits for the camera, which is away{heard}. Nothing changes there until it is back: connect it to power and
      network.
    </>
  );
}
