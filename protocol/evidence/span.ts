/** Checks a file of evidence, of one event or of a span of them. */
import { equal } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { refuse } from './evidence-file.js';
import { decodeSpan, looksLikeSpan } from './span-file.js';
import { inOneGo, StepCount, type EvidenceSteps } from './steps.js';
import { verifyEvidenceInSteps, type Evidence } from './verify.js';

/** What became of one event of a file: verified whole, or refused. Of a refused one nothing is given out. */
export type CheckedEvent =
  { readonly type: 'good'; readonly evidence: Evidence } | { readonly type: 'refused'; readonly error: SealcamError };

/** A file that was looked at whole. */
export interface CheckedFile {
  readonly isSpan: boolean;
  /** In the order of the file, which is that of the camera's history. */
  readonly events: readonly CheckedEvent[];
}

/**
 * Verifies an evidence file. A file of one event is good or refused whole. In a span each event is good or refused by itself; what
 * holds the span together (its head, the order of the events, one camera and one account) is good, or the span is refused whole.
 *
 * @throws SealcamError `malformed`, `bad-signature`, `foreign`, `seal-refused`, `unsupported`: nothing of it may be shown
 */
export function* checkFileInSteps(suite: CryptoSuite, untrusted: Uint8Array): EvidenceSteps<CheckedFile> {
  if (!looksLikeSpan(untrusted)) {
    const evidence = yield* verifyEvidenceInSteps(suite, untrusted);
    return { isSpan: false, events: [{ type: 'good', evidence }] };
  }
  const events: CheckedEvent[] = [];
  let [done, before]: [number, Evidence | null] = [0, null];
  for (const file of decodeSpan(untrusted)) {
    const event = yield* checkEvent(suite, file, new StepCount(untrusted.length, done));
    if (event.type === 'good') {
      if (before !== null) checkOrder(before, event.evidence);
      before = event.evidence;
    }
    events.push(event);
    done += file.length;
  }
  return { isSpan: true, events };
}

/** The same in one go. */
export function checkFile(suite: CryptoSuite, untrusted: Uint8Array): CheckedFile {
  return inOneGo(checkFileInSteps(suite, untrusted));
}

function* checkEvent(suite: CryptoSuite, file: Uint8Array, count: StepCount): EvidenceSteps<CheckedEvent> {
  try {
    return { type: 'good', evidence: yield* verifyEvidenceInSteps(suite, file, count) };
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return { type: 'refused', error };
  }
}

/** Checks that an event is of the camera and the account of the one before it, and began after it. */
function checkOrder(before: Evidence, evidence: Evidence): void {
  const [last, own] = [before.claim.value, evidence.claim.value];
  if (!equal(last.device, own.device)) throw new SealcamError('foreign', 'evidence: events of two cameras');
  if (!equal(last.account, own.account)) throw new SealcamError('foreign', 'evidence: events of two accounts');
  if (own.epoch < last.epoch || (own.epoch === last.epoch && firstSeq(evidence) <= firstSeq(before))) {
    refuse('events that are not in the order of the history');
  }
  if (own.epoch === last.epoch && !equal(before.claim.hash, evidence.claim.hash)) refuse('two claims of one epoch');
}

function firstSeq({ records }: Evidence): number {
  return records[0]?.value.seq ?? 0;
}

/**
 * Returns how many records of the camera lie between the good events of a span and are not in it; null where events are of
 * different epochs, so that nobody can tell.
 */
export function recordsBetween(events: readonly CheckedEvent[]): number | null {
  let missing = 0;
  let before: Evidence | null = null;
  let end = -1;
  for (const event of events) {
    if (event.type === 'refused') continue;
    const { evidence } = event;
    if (before !== null) {
      if (before.claim.value.epoch !== evidence.claim.value.epoch) return null;
      missing += Math.max(0, firstSeq(evidence) - end - 1);
    }
    before = evidence;
    // Events may overlap: one can stand between the records of another.
    end = Math.max(end, evidence.records.at(-1)?.value.seq ?? 0);
  }
  return missing;
}
