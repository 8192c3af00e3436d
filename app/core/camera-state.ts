import { toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
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
  /** The verified record with the highest seq: when it was signed. Null before the first. */
  lastWord: { readonly seq: number; readonly atMs: number } | null;
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
    lastWord: null,
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

/**
 * Keeps the time of a verified record if it is the newest: the camera's own where its clock was synchronised, so that a
 * cloud which withholds what came later cannot make it look recent; otherwise that of the receipt.
 */
export function applyWord(camera: CameraState, { record, receivedAtMs }: VerifiedRecord): void {
  const { seq, time } = record.value;
  if (camera.lastWord !== null && seq <= camera.lastWord.seq) return;
  const signedMs = time.quality === 'ntp' ? plausibleWallMs(time.wallMs, receivedAtMs) : null;
  camera.lastWord = { seq, atMs: signedMs ?? receivedAtMs };
}

/**
 * Returns whether a camera has sent nothing verified for two health cadences, by the page's clock. What the cloud says can
 * only make it worse. A camera of which nothing was verified yet is as silent as the cloud says.
 */
export function isSilent(
  { hasEnded, isReportedSilent, lastWordMs }: Pick<CameraView, 'hasEnded' | 'isReportedSilent' | 'lastWordMs'>,
  nowMs: number,
): boolean {
  if (hasEnded) return false;
  return isReportedSilent || (lastWordMs !== null && nowMs - lastWordMs > 2 * LIMITS.healthCadenceMs);
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
    isReportedSilent: item.incomplete,
    lastWordMs: camera.lastWord?.atMs ?? null,
    health,
    hasOlder: hasOlder(camera),
    loadedFromMs: camera.loadedFromMs,
    isOwned: history.isOwned(item.device, item.epoch),
    hasEnded: item.state === 'closed' || history.hasEnded(item.device, item.epoch),
    members: claim?.value.recipients ?? [],
  };
}
