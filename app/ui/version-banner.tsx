import type { JSX } from './preact.js';
import type { CameraView } from '../core/session-view.js';
import { ChangeProgress } from './change-progress.js';
import { useNames, usePage, useSessionView } from './context.js';
import { Problem } from './problem.js';
import { useMembers } from './use-members.js';

/** Cameras that could do more than their ownership says, without a member who keeps them back: somebody may be hiding it. */
export function VersionBanner(): JSX.Element | null {
  const { cameras } = useSessionView();
  const { kem } = usePage();
  const { nameOf } = useNames();
  const { change, step, changes, problem } = useMembers();
  const hidden = cameras.filter(
    ({ isVersionHidden, members }) => isVersionHidden && kem.members.keepBack(members.slice(1)).length === 0,
  );
  if (hidden.length === 0) return null;
  const isOwned = ({ isOwned: is }: CameraView): boolean => is;
  const claimAgain = (): Promise<void> =>
    change(hidden.filter(isOwned), (members) => members, { needsVersionTwo: true });
  return (
    <div class="note note-warn" role="alert" data-version-hidden={hidden.length}>
      <strong>
        {hidden.map(({ device }) => nameOf(device)).join(', ')}: sealed in the old way, though the camera knows the new
        one.
      </strong>{' '}
      Either nobody claimed the camera again since it was updated, or the cloud hides the new version.
      <ChangeProgress changes={changes} />
      {problem !== null && <Problem error={problem} />}
      {hidden.some(isOwned) && (
        <button
          type="button"
          class="button"
          disabled={step !== null && step !== 'accepted'}
          onClick={() => void claimAgain()}
        >
          Claim again
        </button>
      )}
    </div>
  );
}
