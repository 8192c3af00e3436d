import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { RecordScene, RecordTime } from '../../protocol/objects/record.js';
import type { Outbox } from '../outbox/outbox.js';

/** Records a scene if the camera has an owner. Errors are logged. */
export function recordScene(
  { outbox, log }: { readonly outbox: Outbox; readonly log: Log },
  scene: RecordScene,
  time: RecordTime,
): void {
  guard(log, 'a scene could not be recorded', () => {
    if (outbox.currentClaim() !== null) outbox.append({ kind: 'scene', time, scene });
  });
}
