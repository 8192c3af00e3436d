import { type JSX, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { loadWholeEvent, type DeletedEvent } from '../core/deletions.js';
import type { TimelineEvent } from '../core/timeline.js';
import { useChanges, useNames, useNow, usePage, useSessionView } from './context.js';
import { eventTitle } from './event-card.js';
import { shortTime } from './format.js';
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

/** The events that were deleted while this page is open, each with its way back. */
export function DeletedEvents(): JSX.Element | null {
  const { deletions } = usePage();
  useChanges(deletions);
  const deleted = deletions.list();
  if (deleted.length === 0) return null;
  return (
    <ul class="silences">
      {deleted.map((one) => (
        <Deleted key={one.event.key} deleted={one} />
      ))}
    </ul>
  );
}

function Deleted({ deleted }: { readonly deleted: DeletedEvent }): JSX.Element {
  const { deletions, session } = usePage();
  const { nameOf } = useNames();
  const now = useNow(30_000);
  const [problem, setProblem] = useState<SealcamError | null>(null);
  const { event, eraseAtMs } = deleted;
  const isErased = now >= eraseAtMs;
  const undo = async (): Promise<void> => {
    setProblem(null);
    try {
      await deletions.undo(deleted);
      await session.refresh();
    } catch (error) {
      setProblem(asSealcamError(error));
    }
  };
  return (
    <li class="note note-wait">
      <strong>Deleted:</strong> {eventTitle(event)}, {nameOf(event.device)},{' '}
      {shortTime(event.startedAtMs ?? event.receivedAtMs)}.{' '}
      {isErased ? 'It is erased.' : `It is erased on ${shortTime(eraseAtMs)}.`}{' '}
      {!isErased && (
        <button type="button" class="text-button" onClick={() => void undo()}>
          Undo
        </button>
      )}
      {problem !== null && <Problem error={problem} />}
    </li>
  );
}
