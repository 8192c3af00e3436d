import type { Clock } from '../../common/clock.js';
import { sleep } from '../../common/clock.js';
import { concat } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { looksLikeEvidence } from '../../protocol/evidence/evidence-file.js';
import { checkFileInSteps, type CheckedFile } from '../../protocol/evidence/span.js';
import type { EvidenceProgress } from '../../protocol/evidence/steps.js';
import type { Evidence } from '../../protocol/evidence/verify.js';
import type { ClipPart } from './clip-loader.js';
import { readFragment, readInitialisation, type ClipForm } from './fragments.js';

/** Work between two moments in which the page draws. */
const SLICE_MS = 16;

export interface CheckDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly onProgress: (progress: EvidenceProgress) => void;
  readonly signal: AbortSignal;
}

/** A file that somebody chose or dropped. */
export interface ChosenFile {
  /** Bytes. */
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Verifies an evidence file without a cloud, an account or a key, in slices between which the page draws. Returns null once the
 * signal fired. Nothing of a file is given out before all of it was looked at.
 * @throws SealcamError `too-large` before it is read; `request-invalid` for what is no evidence file; `malformed`, `bad-signature`,
 *   `foreign`, `seal-refused`, `unsupported`
 */
export async function checkEvidence(
  { suite, clock, onProgress, signal }: CheckDependencies,
  file: ChosenFile,
): Promise<CheckedFile | null> {
  if (file.size > LIMITS.evidenceSpanMaxBytes)
    throw new SealcamError('too-large', `a file of ${String(file.size)} bytes`);
  const bytes = await read(file);
  if (!looksLikeEvidence(bytes)) throw new SealcamError('request-invalid', 'not an evidence file');
  const steps = checkFileInSteps(suite, bytes);
  for (;;) {
    const startMs = clock.monotonicMs();
    for (;;) {
      const step = steps.next();
      if (step.done === true) return signal.aborted ? null : step.value;
      if (clock.monotonicMs() - startMs < SLICE_MS) continue;
      onProgress(step.value);
      break;
    }
    await sleep(clock, 0);
    if (signal.aborted) return null;
  }
}

async function read(file: ChosenFile): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new SealcamError('request-invalid', 'a file that cannot be read', { cause });
  }
}

/** A clip of a verified event, as far as it goes from its beginning without a hole. */
export interface EvidenceClip {
  readonly number: number;
  /** Null where the page does not know its form: it can be saved all the same. */
  readonly form: ClipForm | null;
  readonly parts: readonly ClipPart[];
  /** A playable file. */
  readonly bytes: Uint8Array;
  /** Segments behind the first hole, which are not in `bytes`. */
  readonly behindHole: number;
}

/** Returns the clips of a verified event; one without its beginning plays nowhere and is left out. */
export function clipsIn({ clipParts }: Pick<Evidence, 'clipParts'>): readonly EvidenceClip[] {
  const numbers = [...new Set(clipParts.map(({ clip }) => clip))].sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    const byIndex = new Map<number, Uint8Array>();
    // Of an index that is named twice the first counts.
    for (const { clip, index, bytes } of clipParts)
      if (clip === number && !byIndex.has(index)) byIndex.set(index, bytes);
    const row: Uint8Array[] = [];
    for (let bytes = byIndex.get(0); bytes !== undefined; bytes = byIndex.get(row.length)) row.push(bytes);
    if (row.length === 0) return [];
    return [{ number, ...opened(row), bytes: concat(...row), behindHole: byIndex.size - row.length }];
  });
}

function opened(row: readonly Uint8Array[]): Pick<EvidenceClip, 'form' | 'parts'> {
  try {
    const form = readInitialisation(row[0] ?? new Uint8Array(0));
    const parts = row.map((bytes, index): ClipPart => {
      const samples = index === 0 ? [] : readFragment(bytes);
      const [startMs, last] = [samples[0]?.startMs ?? 0, samples.at(-1)];
      const durationMs = last === undefined ? 0 : last.startMs + last.durationMs - startMs;
      return { index, state: 'here', startMs, durationMs, isSync: true, bytes, samples };
    });
    return { form, parts };
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return { form: null, parts: [] };
  }
}
