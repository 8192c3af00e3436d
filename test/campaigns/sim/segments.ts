import { equal } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { SegmentKey } from '../../../cloud/store/store.js';
import { recordKey } from '../../../protocol/objects/ids.js';
import { storeOf } from '../../support/outbox-store.js';
import { segmentName, type SimCloud } from './cloud.js';
import { waits, type Losses } from './losses.js';
import { nameOf, type MadeSegment, type Oracle } from './oracle.js';
import { isKeyAccounted, periodOf } from './periods.js';
import { simSuite } from './suite.js';

/** Where every segment of a clip has ended up: produced = stored + queued + lost. */
export interface SegmentBalance {
  readonly produced: number;
  /** In the cloud, or there until their age took them, also where the camera still waits for the media receipt. */
  readonly stored: number;
  readonly queued: number;
  readonly lost: number;
  /** Segments in the cloud that their owner's keys opened. */
  readonly opened: number;
}

export const NO_SEGMENTS: SegmentBalance = { produced: 0, stored: 0, queued: 0, lost: 0, opened: 0 };

/** Whether the body of a segment waits at its camera. */
export function segmentWaits({ made: { camera, record }, entry: [, , , hash] }: MadeSegment): boolean {
  const { agent } = camera;
  return agent !== null && storeOf(agent.outbox).segments.queries.get.get(record.value.epoch, hash) !== undefined;
}

/** Checks each segment that a record names: it is in the cloud, whole, and opens; or it waits; or a loss names it. */
export async function settleSegments(
  oracle: Oracle,
  cloud: SimCloud,
  losses: Losses,
  storedRecords: ReadonlySet<string>,
): Promise<{ readonly balance: SegmentBalance; readonly unnamed: readonly string[] }> {
  const sum = { ...NO_SEGMENTS, produced: oracle.segments.size };
  const unnamed: string[] = [];
  for (const segment of oracle.segments.values()) {
    const { made, entry } = segment;
    const { value } = made.record;
    const [, mediaId, , bodyHash] = entry;
    const key = { device: value.device, epoch: value.epoch, bodyHash };
    const state = (await cloud.store.segments.find(key))?.state;
    if (state === 'stored') {
      sum.stored++;
      if (await isOpened(oracle, cloud, losses, segment, key)) sum.opened++;
    } else if (segmentWaits(segment)) sum.queued++;
    else if (losses.hasMedia(mediaId) || isDropped(losses, segment)) sum.lost++;
    else if (state === 'deleted' && cloud.expired.get(segmentName(key)) === 'stored') sum.stored++;
    else {
      sum.lost++;
      // What is said of a record that is gone holds for its segments.
      const isGone = !storedRecords.has(recordKey(value)) && !waits(made);
      if (!isGone)
        unnamed.push(`a segment of ${made.camera.name}, ${nameOf(value)}, ${state ?? 'unknown'} in the cloud`);
    }
  }
  return { balance: sum, unnamed };
}

/** Whether the camera dropped the record, with its bodies, before it had the receipt: the cloud may have it all the same. */
function isDropped(losses: Losses, { made: { camera, record } }: MadeSegment): boolean {
  const name = recordKey(record.value);
  return losses.hasRecord(name) || losses.mayBeErased(name, camera.hex);
}

/** Whether the owner opens a stored segment; false where its key record is missing for a reason. */
async function isOpened(
  oracle: Oracle,
  cloud: SimCloud,
  losses: Losses,
  { made: { camera, record }, entry: [, mediaId, , bodyHash, header] }: MadeSegment,
  key: SegmentKey,
): Promise<boolean> {
  const { value } = record;
  const name = `a segment of ${nameOf(value)} of ${camera.name}`;
  const body = await cloud.media.get(key);
  if (body === undefined || !equal(simSuite.sha256(body), bodyHash)) {
    oracle.fail(`${name} has a media receipt, and is not in the media store`);
    return false;
  }
  const owner = oracle.ownerOf(value);
  if (owner === undefined || value.clip === undefined) return false;
  const period = await periodOf(cloud.store, value, header, owner);
  if (period === null) {
    if (!isKeyAccounted(oracle, losses, header)) oracle.fail(`nobody can open ${name}: its key record is gone`);
    return false;
  }
  const { device, account, epoch, claimHash } = value;
  const { eventId } = value.clip;
  try {
    period.open({ device, account, epoch, claimHash, eventId, mediaId, role: 'segment' }, { header, body });
    return true;
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    oracle.fail(`${owner.name} cannot open ${name}: ${error.code}`);
    return false;
  }
}
