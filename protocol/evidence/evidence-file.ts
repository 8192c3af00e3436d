/**
 * An evidence file: a CBOR sequence (RFC 8742) with all that a third party needs to check one event of one camera. Encoding and
 * decoding; nothing in here verifies, which `verify.ts` does.
 */
import { concat, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCborSequence, encodeCbor, type Cbor } from '../wire/cbor.js';
import {
  array,
  bytes,
  bytesBetween,
  bytesUpTo,
  labelled,
  nullable,
  tuple,
  uint,
  type Codec,
  type TypeOf,
} from '../wire/codec.js';

const MAGIC = 'sealcam/evidence';
const FORMAT_VERSION = 1;
const DEPTH_MAX = 4;
/** Enough for the records, segments and receipts that the limits allow. */
const ITEMS_MAX = 128 * 1024;

const signed = bytesBetween(1, LIMITS.signedMaxBytes);
/** Key of one object: K in suite 1, E in suite 2. No other key may stand in a file. */
const oneKey = bytes(32);

const sealedObject = labelled(
  ['header', 'body', 'key'],
  tuple(bytesUpTo(LIMITS.sealedMaxBytes), bytesUpTo(LIMITS.sealedMaxBytes), oneKey),
);

/** The items after the head, by their number. They stand in this order. */
const ITEMS = {
  origin: { number: 1, codec: labelled(['claim', 'accept'], tuple(signed, signed)) },
  /** One place for each media object of the record; null where it is not shown: of another event, or lost. */
  record: {
    number: 2,
    codec: labelled(['record', 'objects'], tuple(signed, array(nullable(sealedObject), 0, LIMITS.recordMediaMax))),
  },
  /** A segment of the clip record before it; the record holds its header. */
  segment: {
    number: 3,
    codec: labelled(
      ['place', 'body', 'key'],
      tuple(uint(LIMITS.clipRecordSegmentsMax - 1), bytesBetween(1, LIMITS.segmentSealedMaxBytes), oneKey),
    ),
  },
  /** The record after the last one. It names its hash. */
  after: { number: 4, codec: labelled(['record'], tuple(signed)) },
  receipt: { number: 5, codec: labelled(['receipt'], tuple(signed)) },
  mediaReceipt: { number: 6, codec: labelled(['receipt'], tuple(signed)) },
} as const;
type ItemName = keyof typeof ITEMS;

/** Rules of the items for docs/protocol-v2.cddl. */
export const EVIDENCE_ITEMS = ITEMS;
export const EVIDENCE_HEAD = { magic: MAGIC, version: FORMAT_VERSION } as const;

export interface EvidenceObject {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface EvidenceSegment {
  /** Its place among the segments of its record. */
  readonly place: number;
  readonly body: Uint8Array;
  readonly key: Uint8Array;
}

export interface EvidenceRecord {
  /** The signed record. */
  readonly record: Uint8Array;
  readonly objects: readonly (EvidenceObject | null)[];
  readonly segments: readonly EvidenceSegment[];
}

/** What an evidence file holds, nothing of it verified. */
export interface EvidenceFile {
  readonly claim: Uint8Array;
  readonly accept: Uint8Array;
  readonly records: readonly EvidenceRecord[];
  readonly after: Uint8Array | null;
  readonly receipts: readonly Uint8Array[];
  readonly mediaReceipts: readonly Uint8Array[];
}

function item<N extends ItemName>(name: N, value: TypeOf<(typeof ITEMS)[N]['codec']>): Cbor {
  const { number, codec } = ITEMS[name];
  return [number, ...((codec as Codec<unknown>).toCbor(value) as readonly Cbor[])];
}

/** Returns the bytes of an evidence file. @throws SealcamError `too-large` over one of the limits */
export function encodeEvidence(file: EvidenceFile): Uint8Array {
  const items: Cbor[] = [item('origin', [file.claim, file.accept])];
  for (const { record, objects, segments } of file.records) {
    items.push(item('record', [record, objects.map((o) => (o === null ? null : [o.header, o.body, o.key]))]));
    for (const { place, body, key } of segments) items.push(item('segment', [place, body, key]));
  }
  if (file.after !== null) items.push(item('after', [file.after]));
  for (const receipt of file.receipts) items.push(item('receipt', [receipt]));
  for (const receipt of file.mediaReceipts) items.push(item('mediaReceipt', [receipt]));
  const parts = [[MAGIC, FORMAT_VERSION, items.length], ...items].map((value) => encodeCbor(value));
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const limit = overLimit(file) ?? (size > LIMITS.evidenceMaxBytes ? `${String(size)} bytes` : null);
  if (limit !== null) throw new SealcamError('too-large', `evidence with ${limit}`);
  return concat(...parts);
}

/** Returns which limit on numbers is passed. */
function overLimit({ records, receipts, mediaReceipts }: EvidenceFile): string | null {
  const segments = records.reduce((sum, { segments: own }) => sum + own.length, 0);
  if (records.length > LIMITS.evidenceRecordsMax) return `${String(records.length)} records`;
  if (segments > LIMITS.evidenceSegmentsMax) return `${String(segments)} segments`;
  const signedByCloud = receipts.length + mediaReceipts.length;
  return signedByCloud > LIMITS.evidenceReceiptsMax ? `${String(signedByCloud)} receipts` : null;
}

const MAGIC_START = concat(Uint8Array.of(0x83, 0x60 + MAGIC.length), utf8(MAGIC));

/** Returns whether bytes begin as an evidence file does, of whatever version. */
export function looksLikeEvidence(file: Uint8Array): boolean {
  return MAGIC_START.every((byte, i) => file[i] === byte);
}

/** @throws SealcamError `malformed`, always */
export function refuse(why: string): never {
  throw new SealcamError('malformed', `evidence: ${why}`);
}

/** Decodes an evidence file. Byte strings are views of `untrusted`. @throws SealcamError `malformed`, `unsupported` */
export function decodeEvidence(untrusted: Uint8Array): EvidenceFile {
  const limits = { maxBytes: LIMITS.evidenceMaxBytes, maxDepth: DEPTH_MAX, maxItems: ITEMS_MAX };
  const [head, ...items] = decodeCborSequence(untrusted, limits);
  checkHead(head, items.length);
  return new Items(items).readFile();
}

function checkHead(head: unknown, items: number): void {
  if (!Array.isArray(head) || head[0] !== MAGIC) refuse('not an evidence file');
  const [, version, count] = head as readonly unknown[];
  if (typeof version !== 'number') refuse('a file without a version');
  if (version !== FORMAT_VERSION) throw new SealcamError('unsupported', `evidence of version ${String(version)}`);
  if (head.length !== 3 || count !== items) refuse(`${String(items)} items, not as many as it names`);
}

/** Reads the items in their order. */
class Items {
  private readonly items: readonly unknown[];
  private at = 0;

  constructor(items: readonly unknown[]) {
    this.items = items;
  }

  readFile(): EvidenceFile {
    const [claim, accept] = this.next('origin') ?? refuse('no claim');
    const file = {
      claim,
      accept,
      records: this.all(() => this.record()),
      after: this.next('after')?.[0] ?? null,
      receipts: this.all(() => this.next('receipt')?.[0]),
      mediaReceipts: this.all(() => this.next('mediaReceipt')?.[0]),
    };
    if (this.at < this.items.length) refuse(`item ${String(this.at + 1)} is of another kind than belongs there`);
    const limit = overLimit(file);
    if (limit !== null) refuse(limit);
    return file;
  }

  private record(): EvidenceRecord | undefined {
    const found = this.next('record');
    if (found === undefined) return undefined;
    const [record, objects] = found;
    return {
      record,
      objects: objects.map((object) => (object === null ? null : namedObject(object))),
      segments: this.all(() => {
        const segment = this.next('segment');
        return segment && { place: segment[0], body: segment[1], key: segment[2] };
      }),
    };
  }

  /** Reads until there is no other one. */
  private all<T>(read: () => T | undefined): T[] {
    const out: T[] = [];
    for (let value = read(); value !== undefined; value = read()) out.push(value);
    return out;
  }

  /** Returns the next item if it is of this kind. */
  private next<N extends ItemName>(name: N): TypeOf<(typeof ITEMS)[N]['codec']> | undefined {
    const raw = this.items[this.at];
    const { number, codec } = ITEMS[name];
    if (!Array.isArray(raw) || raw[0] !== number) return undefined;
    this.at++;
    const value = (codec as Codec<unknown>).fromCbor(raw.slice(1), `evidence.${name}`);
    return value as TypeOf<(typeof ITEMS)[N]['codec']>;
  }
}

function namedObject([header, body, key]: TypeOf<typeof sealedObject>): EvidenceObject {
  return { header, body, key };
}
