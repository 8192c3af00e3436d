import { toHex } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { eventOf } from '../../protocol/evidence/event.js';
import { encodeSpan } from '../../protocol/evidence/span-file.js';
import { evidenceAt, type EventPlace } from './event-evidence.js';
import { EvidenceRecords, type EvidenceDependencies } from './evidence-records.js';
import { signedMs } from './plausible-time.js';

/** A camera's events that began between two times, UTC, both included. */
export interface SpanRequest {
  /** Hex of the device id. */
  readonly device: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export type SpanProgress =
  /** The history is fetched, from its newest record back. */
  | { readonly type: 'finding'; readonly records: number }
  | { readonly type: 'making'; readonly done: number; readonly total: number };

/** An event of the span that did not become evidence. */
export interface LeftOut {
  readonly atMs: number;
  readonly code: ErrorCode;
}

export interface SpanFile {
  /** The file, in pieces. */
  readonly parts: readonly Uint8Array[];
  readonly events: number;
  readonly leftOut: readonly LeftOut[];
}

interface FoundEvent extends EventPlace {
  readonly epoch: EvidenceRecords;
  readonly atMs: number;
}

/** What says of one event alone that it cannot be made evidence; everything else ends the whole. */
const OF_ONE_EVENT: ReadonlySet<ErrorCode> = new Set([
  'evidence-incomplete',
  'key-pending',
  'malformed',
  'seal-refused',
  'too-large',
  'unsupported',
]);

/**
 * Makes one evidence file of a camera's events between two times. Returns null once the signal fired.
 * @throws SealcamError `not-found` without an event, `too-large` for more than a file holds; `cloud-lied`, `cloud-unreachable`, …
 */
export async function spanEvidence(
  deps: EvidenceDependencies,
  request: SpanRequest,
  onProgress: (progress: SpanProgress) => void,
  signal: AbortSignal,
): Promise<SpanFile | null> {
  const found: FoundEvent[] = [];
  for (const epoch of epochsOf(deps, request)) {
    await epoch.backTo(request.fromMs, (records) => {
      onProgress({ type: 'finding', records });
      return !signal.aborted;
    });
    if (signal.aborted) return null;
    found.push(...eventsIn(epoch, request));
  }
  if (found.length === 0) throw new SealcamError('not-found', 'no event of this camera began in that time');
  if (found.length > LIMITS.evidenceSpanEventsMax) throw tooMuch(`${String(found.length)} events`);
  const files: Uint8Array[] = [];
  const leftOut: LeftOut[] = [];
  let bytes = 0;
  for (const [done, event] of found.entries()) {
    onProgress({ type: 'making', done, total: found.length });
    try {
      const file = await evidenceAt(deps, event.epoch, event);
      bytes += file.length;
      files.push(file);
    } catch (error) {
      if (!isSealcamError(error) || !OF_ONE_EVENT.has(error.code)) throw error;
      leftOut.push({ atMs: event.atMs, code: error.code });
    }
    if (signal.aborted) return null;
    if (bytes > LIMITS.evidenceSpanMaxBytes) throw tooMuch('all pictures and video of that time');
  }
  if (files.length === 0) throw new SealcamError('evidence-incomplete', 'none of the events is whole here');
  return { parts: encodeSpan(files), events: files.length, leftOut };
}

function tooMuch(what: string): SealcamError {
  const hint = 'Choose a shorter time, and save several files.';
  return new SealcamError('too-large', `one file does not hold ${what}`, { hint });
}

/** Returns the epochs of a camera, the oldest first: a change of the household began each of them. */
function epochsOf(deps: EvidenceDependencies, { device }: SpanRequest): readonly EvidenceRecords[] {
  return deps.history
    .accepted()
    .filter((known) => known.device === device)
    .sort((a, b) => a.epoch - b.epoch)
    .map(({ epoch }) => new EvidenceRecords(deps, device, epoch));
}

/** Returns the events of an epoch that began in the time, in the order of their first records. */
function eventsIn(epoch: EvidenceRecords, { fromMs, toMs }: SpanRequest): readonly FoundEvent[] {
  const events = new Map<string, FoundEvent>();
  for (const { record, receivedAtMs } of epoch.all()) {
    const eventId = eventOf(record.value);
    if (eventId === undefined) continue;
    const { seq } = record.value;
    const name = toHex(eventId);
    const known = events.get(name) ?? {
      epoch,
      eventId,
      first: seq,
      last: seq,
      atMs: signedMs(record.value, receivedAtMs),
    };
    events.set(name, { ...known, last: seq });
  }
  return [...events.values()].filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}
