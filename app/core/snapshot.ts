import type { CameraView, SessionView } from './session-view.js';
import type { TimelineEvent } from './timeline.js';

/**
 * Returns the event of a picture that was ordered: the camera records it before the answer to the order.
 *
 * @param answerSeq seq of the record that answers the order
 */
export function orderedSnapshot(
  { events }: Pick<SessionView, 'events'>,
  { device, epoch }: Pick<CameraView, 'device' | 'epoch'>,
  answerSeq: number,
): TimelineEvent | null {
  const seqOf = ({ records }: TimelineEvent): number => records[0]?.record.value.seq ?? Infinity;
  const taken = events.filter(
    (event) =>
      event.kind === 'snapshot' && event.device === device && event.epoch === epoch && seqOf(event) < answerSeq,
  );
  return taken.reduce<TimelineEvent | null>(
    (best, event) => (best === null || seqOf(event) > seqOf(best) ? event : best),
    null,
  );
}
