import { type JSX, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { loadWholeEvent } from '../core/timeline-reach.js';
import type { TimelineEvent } from '../core/timeline.js';
import { usePage, useSessionView } from './context.js';
import { Problem } from './problem.js';

/** Deletes one event, for the owner of its camera. */
export function DeleteEvent({
  event,
  onDeleted,
}: {
  readonly event: TimelineEvent;
  readonly onDeleted: () => void;
}): JSX.Element | null {
  const { deletions, session } = usePage();
  const { cameras } = useSessionView();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const camera = cameras.find(({ device, epoch }) => device === event.device && epoch === event.epoch);
  if (camera?.isOwned !== true) {
    return camera?.mayOrder === true ? (
      <p class="muted small">Only a browser with your root key can delete events.</p>
    ) : null;
  }
  const act = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await deletions.deleteEvent((await loadWholeEvent(session, event)) ?? event);
      onDeleted();
    } catch (error) {
      setProblem(asSealcamError(error));
      setBusy(false);
    }
  };
  return (
    <details class="known danger">
      <summary>Delete this event</summary>
      {event.isOpen ? (
        <p>It is still going on. You can delete it when it is over.</p>
      ) : (
        <>
          <p>
            The cloud hides it at once, from you and your household, and erases it some days later. Until then you can
            undo it here, while this page is open. That you deleted it stays in the history, signed by you.
          </p>
          {problem !== null && <Problem error={problem} />}
          <div class="form-buttons">
            <button type="button" class="button button-bad" disabled={isBusy} onClick={() => void act()}>
              Delete it
            </button>
          </div>
        </>
      )}
    </details>
  );
}
