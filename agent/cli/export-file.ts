/** Reads an account's export: JSON lines, each signed object verified by itself. */
import * as v from '../../common/schema.js';
import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import { recordKey } from '../../protocol/objects/ids.js';
import { mediaReceiptKind, type MediaReceipt } from '../../protocol/objects/media-receipt.js';
import { anyReceiptKind, checkReceiptAgainstClaim, type AnyReceipt } from '../../protocol/objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { settingsKind } from '../../protocol/objects/settings.js';
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
  /** Epochs that went with a deleted account: the cloud keeps that they were used, and nothing to verify. */
  readonly deletedEpochs: number;
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
  v.object({ type: v.literal('claim'), claim: v.base64Bytes, state: v.optional(v.string()) }),
  v.object({
    type: v.literal('record'),
    record: v.base64Bytes,
    media: v.array(v.nullable(v.object({ header: v.base64Bytes, body: v.base64Bytes }))),
  }),
  v.object({ type: v.literal('segment'), body: v.base64Bytes }),
  v.object({ type: v.literal('receipt'), receipt: v.base64Bytes }),
  v.object({ type: v.literal('media-receipt'), receipt: v.base64Bytes }),
  v.object({ type: v.literal('settings'), settings: v.base64Bytes }),
  v.object({ type: v.literal('access') }),
]);

/** Reads the lines of an export. What is refused is left out and named in `problems`. */
export function readExport(suite: CryptoSuite, lines: readonly string[]): ExportFile {
  const reading = new Reading(suite);
  for (const [i, text] of lines.entries()) {
    if (text.trim() !== '') reading.isRead(i + 1, () => reading.read(i + 1, text));
  }
  return reading.finish();
}

interface Numbered<T> {
  readonly line: number;
  readonly object: T;
}

class Reading {
  private readonly suite: CryptoSuite;
  private readonly claims = new Map<string, Verified<AnyClaim>>();
  private readonly records: ExportRecord[] = [];
  private readonly segments = new Map<string, Uint8Array>();
  private readonly receipts: Numbered<Verified<AnyReceipt>>[] = [];
  private readonly mediaReceipts: Numbered<Verified<MediaReceipt>>[] = [];
  private readonly problems: ExportProblem[] = [];
  private deletedEpochs = 0;

  constructor(suite: CryptoSuite) {
    this.suite = suite;
  }

  /** Returns whether the action succeeded; what it refuses is a problem of the line. */
  isRead(line: number, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      const { code, message } = asSealcamError(error);
      this.problems.push({ line, code, message });
      return false;
    }
  }

  /** @throws SealcamError where the line is refused */
  read(line: number, text: string): void {
    const { suite } = this;
    const parsed = parseLine(text);
    switch (parsed.type) {
      case 'claim':
        if (parsed.claim.length === 0 && parsed.state === 'revoked') this.deletedEpochs++;
        else this.addClaim(openSigned(anyClaimKind, suite, parsed.claim));
        return;
      case 'record':
        this.records.push(recordOf(suite, parsed.record, parsed.media, line));
        return;
      case 'segment':
        this.segments.set(toHex(suite.sha256(parsed.body)), parsed.body);
        return;
      case 'receipt':
        this.receipts.push({ line, object: openSigned(anyReceiptKind, suite, parsed.receipt) });
        return;
      case 'media-receipt':
        this.mediaReceipts.push({ line, object: openSigned(mediaReceiptKind, suite, parsed.receipt) });
        return;
      case 'settings':
        // Sealed to the household: that it is signed is all that can be checked here.
        openSigned(settingsKind, suite, parsed.settings);
        return;
      case 'export':
      case 'access':
        return;
    }
  }

  /** Receipts are compared with their claim and its records here, since the lines may have any order. */
  finish(): ExportFile {
    const { claims, deletedEpochs, records, segments, problems } = this;
    const hashes = new Map(records.map(({ record: { value, hash } }) => [recordKey(value), hash]));
    const receipts = this.receipts.filter(({ line, object }) =>
      this.isRead(line, () => {
        this.checkClaimOf(object);
        const { device, epoch, ranges } = object.value;
        for (const [, seq, hash] of ranges) {
          const here = hashes.get(recordKey({ device, epoch, seq }));
          if (here !== undefined && !equal(here, hash)) {
            throw new SealcamError('malformed', `receipt: for another record ${String(seq)} than the one here`);
          }
        }
      }),
    );
    const mediaReceipts = this.mediaReceipts.filter(({ line, object }) =>
      this.isRead(line, () => {
        this.checkClaimOf(object);
      }),
    );
    return {
      claims,
      deletedEpochs,
      records,
      segments,
      receipts: receipts.map(({ object }) => object),
      mediaReceipts: mediaReceipts.map(({ object }) => object),
      problems,
    };
  }

  private addClaim(claim: Verified<AnyClaim>): void {
    this.claims.set(toHex(claim.hash), claim);
  }

  private checkClaimOf(receipt: Verified<AnyReceipt | MediaReceipt>): void {
    const claim = this.claims.get(toHex(receipt.value.claimHash));
    if (claim === undefined) throw new SealcamError('foreign', 'receipt: of a claim that is not here');
    checkReceiptAgainstClaim(receipt, claim);
  }
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
