import { type JSX, useState } from './preact.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { DeletedEvent } from '../core/deletions.js';
import { useChanges, useNames, useNow, usePage } from './context.js';
import { eventTitle } from './event-card.js';
import { shortTime } from './format.js';
import { Problem } from './problem.js';

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
