import { toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import { isVersionHidden } from '../../protocol/objects/agent-name.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { CameraLog, type HistoryMark } from './camera-log.js';
import type { CameraItem } from './cloud-answers.js';
import { heardMs, plausibleWallMs, signedMs } from './plausible-time.js';
import type { HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { CameraView } from './session-view.js';

/** What the session knows of one camera and epoch. */
export interface CameraState {
  readonly device: Uint8Array;
  readonly epoch: number;
  /** The cloud's newest answer about it; null while it does not list this camera, which this device knows. */
  item: CameraItem | null;
  /** When the owner signed that all of it was deleted, UTC; null where nobody did. */
  deletedAtMs: number | null;
  /** Every verified record loaded here, and what is missing among them. */
  readonly log: CameraLog;
  /** Lowest seq loaded here; null before the first page. */
  lowestSeq: number | null;
  /** Everything from `lowestSeq` to here was asked for; null before the first page. */
  coveredUpTo: number | null;
  /** Pages that are being fetched: until they are here, a hole proves nothing. */
  fetching: number;
  /** Whether the newest pages were not all fetched: a hole still proves nothing. */
  isInterrupted: boolean;
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
export function newCameraState(device: Uint8Array, epoch: number): CameraState {
  return {
    device,
    epoch,
    item: null,
    deletedAtMs: null,
    log: new CameraLog(device, epoch),
    lowestSeq: null,
    coveredUpTo: null,
    fetching: 0,
    isInterrupted: false,
    loadedFromMs: null,
    isExhausted: false,
    lowestAvailable: null,
    health: null,
    lastWord: null,
  };
}

/** Returns the places of the loaded history without a record. None while pages are being fetched. */
export function marksOf(camera: CameraState, history: HistoryKeeper, nowMs: number): HistoryMark[] {
  const { lowestSeq, coveredUpTo, fetching, isInterrupted, log } = camera;
  if (fetching > 0 || isInterrupted) return [];
  // Below the last page there is nothing more to ask for.
  const fromSeq = lowestSeq === null || hasOlder(camera) ? (lowestSeq ?? Infinity) : 0;
  return log.marks(history, { fromSeq, upToSeq: coveredUpTo ?? -1, nowMs });
}

/**
 * Returns whether live records of a camera left a hole that nothing can fill any more, so that the newest page must be asked
 * for: the stream alone proves nothing, since it brings records in any order.
 */
export function mustAsk({ device, epoch, coveredUpTo, fetching, log }: CameraState, history: HistoryKeeper): boolean {
  const drained = history.drainedUpTo(device, epoch);
  return coveredUpTo !== null && fetching === 0 && drained > log.unbrokenFrom(coveredUpTo);
}

/** Returns whether the cloud has records older than those loaded. */
export function hasOlder({ lowestSeq, lowestAvailable, isExhausted }: CameraState): boolean {
  return !isExhausted && lowestSeq !== null && lowestAvailable !== null && lowestSeq > lowestAvailable;
}

/** Notes a record that a page of the camera's history brought. */
export function applyPageRecord(camera: CameraState, { record, receivedAtMs }: VerifiedRecord): void {
  const { seq } = record.value;
  if (camera.lowestSeq !== null && seq >= camera.lowestSeq) return;
  camera.lowestSeq = seq;
  camera.loadedFromMs = signedMs(record.value, receivedAtMs);
}

/** Keeps the time of a verified record if it is the newest. */
export function applyWord(camera: CameraState, { record, receivedAtMs }: VerifiedRecord): void {
  const { seq } = record.value;
  if (camera.lastWord !== null && seq <= camera.lastWord.seq) return;
  camera.lastWord = { seq, atMs: heardMs(record.value, receivedAtMs) };
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
export function applyHealthReport(camera: CameraState, record: AnyRecord, receivedAtMs: number): void {
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
  const { device, epoch, item, health } = camera;
  const claim = history.claimOf(device, epoch);
  const hasEnded = history.hasEnded(device, epoch);
  return {
    device: toHex(device),
    epoch,
    isListed: item !== null,
    deletedAtMs: item === null ? camera.deletedAtMs : null,
    isOnline: item?.online ?? null,
    isReportedSilent: item?.incomplete ?? false,
    isReportedEnded: !hasEnded && item?.state === 'closed',
    lastWordMs: camera.lastWord?.atMs ?? null,
    health,
    hasOlder: hasOlder(camera),
    loadedFromMs: camera.loadedFromMs,
    isOwned: history.isOwned(device, epoch),
    mayOrder: history.mayOrder(device, epoch),
    mayLook: history.mayLook(device, epoch),
    hasEnded,
    members: claim?.value.recipients ?? [],
    isVersionHidden: claim !== null && health !== null && !hasEnded && isVersionHidden(claim.value, health.body.agent),
  };
}
