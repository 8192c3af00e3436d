/** Reads an account's export: JSON lines, each signed object verified by itself. */
import * as v from '../../common/schema.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import { mediaReceiptKind, type MediaReceipt } from '../../protocol/objects/media-receipt.js';
import { anyReceiptKind, type AnyReceipt } from '../../protocol/objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { openSigned, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { isMediaOf } from '../../protocol/verify/media.js';

export interface ExportProblem {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface ExportRecord {
  readonly line: number;
  readonly record: Verified<AnyRecord>;
  /** In the order of the record's media; null where the export has none. */
  readonly media: readonly (SealedObject | null)[];
}

export interface ExportFile {
  /** By their hash in hex. */
  readonly claims: ReadonlyMap<string, Verified<AnyClaim>>;
  readonly records: readonly ExportRecord[];
  /** Bodies of clips' segments, by their SHA-256 in hex. */
  readonly segments: ReadonlyMap<string, Uint8Array>;
  readonly receipts: readonly Verified<AnyReceipt>[];
  readonly mediaReceipts: readonly Verified<MediaReceipt>[];
  /** Lines that were refused. */
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
  v.object({ type: v.literal('segment'), body: v.base64Bytes }),
  v.object({ type: v.literal('receipt'), receipt: v.base64Bytes }),
  v.object({ type: v.literal('media-receipt'), receipt: v.base64Bytes }),
  v.object({ type: v.literal('access') }),
]);

/** Reads the lines of an export. What is refused is left out and named in `problems`. */
export function readExport(suite: CryptoSuite, lines: readonly string[]): ExportFile {
  const claims = new Map<string, Verified<AnyClaim>>();
  const segments = new Map<string, Uint8Array>();
  const records: ExportRecord[] = [];
  const receipts: Verified<AnyReceipt>[] = [];
  const mediaReceipts: Verified<MediaReceipt>[] = [];
  const problems: ExportProblem[] = [];

  const read = (text: string, number: number): void => {
    const parsed = parseLine(text);
    switch (parsed.type) {
      case 'claim': {
        const claim = openSigned(anyClaimKind, suite, parsed.claim);
        claims.set(toHex(claim.hash), claim);
        return;
      }
      case 'record':
        records.push(recordOf(suite, parsed.record, parsed.media, number));
        return;
      case 'segment':
        segments.set(toHex(suite.sha256(parsed.body)), parsed.body);
        return;
      case 'receipt':
        receipts.push(openSigned(anyReceiptKind, suite, parsed.receipt));
        return;
      case 'media-receipt':
        mediaReceipts.push(openSigned(mediaReceiptKind, suite, parsed.receipt));
        return;
      case 'export':
      case 'access':
        return;
    }
  };
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    try {
      read(text, i + 1);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      problems.push({ line: i + 1, code, message });
    }
  }
  return { claims, records, segments, receipts, mediaReceipts, problems };
}

function recordOf(
  suite: CryptoSuite,
  bytes: Uint8Array,
  objects: readonly (SealedObject | null)[],
  number: number,
): ExportRecord {
  const record = openSigned(anyRecordKind, suite, bytes);
  const media = (record.value.media ?? []).map((named, at) => {
    const sealed = objects[at] ?? null;
    if (sealed !== null && !isMediaOf(suite, named, sealed)) {
      throw new SealcamError('malformed', 'a sealed object is not the one that its record names');
    }
    return sealed;
  });
  return { line: number, record, media };
}

function parseLine(text: string): v.InferOutput<typeof line> {
  try {
    return v.parse(line, JSON.parse(text));
  } catch (cause) {
    throw new SealcamError('malformed', 'not a line of an export', { cause });
  }
}

/** Compares a record with the claim of its epoch, whose state an export does not prove. */
export function bindingOf(
  { claims }: Pick<ExportFile, 'claims'>,
  { value }: Verified<AnyRecord>,
): ReturnType<typeof checkBinding> {
  const claim = claims.get(toHex(value.claimHash));
  if (claim === undefined) return 'foreign';
  const { device, account, epoch } = claim.value;
  const version = versionOf(claim.value);
  const row = { device, account, epoch, claimHash: claim.hash, version, state: 'open', closedAtSeq: null } as const;
  return checkBinding(value, row);
}
