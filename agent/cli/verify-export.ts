import * as v from '../../common/schema.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, type Claim } from '../../protocol/objects/claim.js';
import { recordKind, type SealcamRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { History } from '../../protocol/verify/history.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { Verdict } from '../../protocol/verify/verdict.js';

export interface ExportProblem {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface ExportReport {
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly problems: readonly ExportProblem[];
}

const line = v.variant('type', [
  v.object({ type: v.literal('export'), version: v.literal(1) }),
  v.object({ type: v.literal('claim'), claim: v.base64Bytes }),
  v.object({
    type: v.literal('record'),
    record: v.base64Bytes,
    media: v.array(v.nullable(v.object({ header: v.base64Bytes, body: v.base64Bytes }))),
  }),
  v.object({ type: v.literal('access') }),
]);

/**
 * Verifies an account's export by itself: claims by their owner's signature, records by their camera's and their claim.
 */
export function verifyExport(suite: CryptoSuite, lines: readonly string[]): ExportReport {
  const claims = new Map<string, Verified<Claim>>();
  const records: { readonly record: Verified<SealcamRecord>; readonly hasMedia: boolean; readonly line: number }[] = [];
  const problems: ExportProblem[] = [];
  const verdicts: Partial<Record<Verdict, number>> = {};
  const count = (verdict: Verdict): void => {
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  };

  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    try {
      const parsed = parseLine(text);
      if (parsed.type === 'claim') {
        const claim = openSigned(claimKind, suite, parsed.claim);
        claims.set(toHex(claim.hash), claim);
      } else if (parsed.type === 'record') {
        const record = openSigned(recordKind, suite, parsed.record);
        const media = record.value.media ?? [];
        const isOtherMedia = media.some((named, at) => {
          const sealed = parsed.media[at] ?? null;
          return sealed !== null && !isMediaOf(suite, named, sealed);
        });
        if (isOtherMedia) throw new SealcamError('malformed', 'a sealed object is not the one that its record names');
        records.push({ record, hasMedia: media.every((_, at) => (parsed.media[at] ?? null) !== null), line: i + 1 });
      }
    } catch (error) {
      const { code, message } = asSealcamError(error);
      count(code === 'foreign' || code === 'unsupported' ? code : 'malformed');
      problems.push({ line: i + 1, code, message });
    }
  }

  const history = new History();
  for (const { record } of records) history.add(record);
  for (const { record, hasMedia, line: number } of records) {
    const verdict = verdictOf(record, claims.get(toHex(record.value.claimHash)), history);
    count(verdict === 'intact' && !hasMedia ? 'media-missing' : verdict);
    if (verdict === 'foreign' || verdict === 'equivocation' || verdict === 'revoked') {
      problems.push({ line: number, code: verdict, message: `record ${String(record.value.seq)} is refused` });
    }
  }
  return { verdicts, problems };
}

function parseLine(text: string): v.InferOutput<typeof line> {
  try {
    return v.parse(line, JSON.parse(text));
  } catch (cause) {
    throw new SealcamError('malformed', 'not a line of an export', { cause });
  }
}

function verdictOf(record: Verified<SealcamRecord>, claim: Verified<Claim> | undefined, history: History): Verdict {
  const binding = checkBinding(
    record.value,
    claim === undefined
      ? undefined
      : {
          device: claim.value.device,
          account: claim.value.account,
          epoch: claim.value.epoch,
          claimHash: claim.hash,
          state: 'open',
          closedAtSeq: null,
        },
  );
  return binding === 'bound' ? history.continuityOf(record).verdict : binding;
}
