import { toHex } from '../../common/bytes.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import type { CameraItem } from './cloud-answers.js';
import { plausibleWallMs } from './plausible-time.js';
import type { HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { CameraView } from './session-view.js';
import { sortMs } from './timeline.js';

/** What the session knows of one camera and epoch. */
export interface CameraState {
  /** The cloud's newest answer about it. */
  item: CameraItem;
  /** Lowest and highest seq loaded here; null before the first page. */
  lowestSeq: number | null;
  highestSeq: number | null;
  /** UTC of the record with the lowest seq loaded here, as events are sorted; null before the first page. */
  loadedFromMs: number | null;
  /** Whether a page below `lowestSeq` held nothing that may be shown: asking again would go on for ever. */
  isExhausted: boolean;
  /** Lowest seq the cloud has. */
  lowestAvailable: number | null;
  health: CameraView['health'];
}

/** Returns the state of a camera of which nothing is loaded. */
export function newCameraState(item: CameraItem): CameraState {
  return {
    item,
    lowestSeq: null,
    highestSeq: null,
    loadedFromMs: null,
    isExhausted: false,
    lowestAvailable: null,
    health: null,
  };
}

/** Returns whether the cloud has records older than those loaded. */
export function hasOlder({ lowestSeq, lowestAvailable, isExhausted }: CameraState): boolean {
  return !isExhausted && lowestSeq !== null && lowestAvailable !== null && lowestSeq > lowestAvailable;
}

/** Notes a record that a page of the camera's history brought. */
export function applyPageRecord(camera: CameraState, { record, receivedAtMs }: VerifiedRecord): void {
  const { seq, time } = record.value;
  if (camera.lowestSeq !== null && seq >= camera.lowestSeq) return;
  camera.lowestSeq = seq;
  camera.loadedFromMs = sortMs({ startedAtMs: plausibleWallMs(time.wallMs, receivedAtMs), receivedAtMs });
}

/** Keeps a record's health report if it is newer than the one held. Records arrive in any order. */
export function applyHealthReport(camera: CameraState, record: SealcamRecord, receivedAtMs: number): void {
  const { health, time, seq } = record;
  // The chain orders the records of an epoch; a clock could only confuse them.
  if (health === undefined || (camera.health !== null && seq < camera.health.seq)) return;
  camera.health = {
    body: health,
    seq,
    clockQuality: time.quality,
    reportedAtMs: plausibleWallMs(time.wallMs, receivedAtMs),
  };
}

/** Returns the camera as the page shows it. */
export function cameraViewOf(camera: CameraState, history: HistoryKeeper): CameraView {
  const { item, health } = camera;
  const claim = history.claimOf(item.device, item.epoch);
  return {
    device: toHex(item.device),
    epoch: item.epoch,
    isOnline: item.online,
    isSilent: item.incomplete,
    lastReceivedAtMs: item.lastReceivedAtMs,
    health,
    hasOlder: hasOlder(camera),
    loadedFromMs: camera.loadedFromMs,
    isOwned: history.isOwned(item.device, item.epoch),
    hasEnded: item.state === 'closed' || history.hasEnded(item.device, item.epoch),
    members: claim?.value.recipients ?? [],
  };
}
