/** Evidence files that must be refused, each for one reason. */
import { concat } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { contextOf, eventOf } from '../../protocol/evidence/event.js';
import {
  decodeEvidence,
  encodeEvidence,
  type EvidenceFile,
  type EvidenceObject,
  type EvidenceRecord,
} from '../../protocol/evidence/evidence-file.js';
import { anyReceiptKind, type AnyReceipt } from '../../protocol/objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { openSigned, signObject, versionOf, type SignedKind } from '../../protocol/objects/signed-object.js';
import { sealBody } from '../../protocol/seal/body.js';
import { encodeContent, padContent, type SealedContent } from '../../protocol/seal/content.js';
import { decodeObjectHeader, sealWithE } from '../../protocol/seal/object.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import type { BadEvidence, GoodEvidence } from './evidence-shapes.js';
import { NAMES, signerOf } from './keyring.js';

type Change = (file: EvidenceFile) => EvidenceFile;
type Bad = readonly [name: string, expect: ErrorCode, why: string, file: Uint8Array];

/** Returns the files that must be refused. */
export function badEvidence(
  suite: CryptoSuite,
  single: GoodEvidence,
  event: GoodEvidence,
  suiteOne: GoodEvidence,
  other: EvidenceRecord['objects'],
): BadEvidence[] {
  return [
    ...shapes(single).map((bad) => edited(single, bad)),
    ...singles(single, event).map((bad) => edited(single, bad)),
    ...events(event, other).map((bad) => edited(event, bad)),
    ...signedWrong(suite, single).map((bad) => edited(single, bad)),
    ...changed(suiteOne, [
      ['suite-1-another-key', 'seal-refused', 'the header MAC commits to K', flipKey],
      [
        'suite-1-records-of-version-2',
        'foreign',
        'records of another claim',
        (file) => ({ ...file, records: decodeEvidence(event.file).records }),
      ],
      ['suite-1-resealed-with-its-key', 'malformed', 'the record names its body', (file) => resealed(suite, file)],
    ]).map((bad) => edited(suiteOne, bad)),
    ...changed(single, [
      ['resealed-with-its-key', 'malformed', 'the record names its body', (file) => resealed(suite, file)],
    ]).map((bad) => edited(single, bad)),
    ...changed(event, [
      [
        'segment-resealed-with-its-key',
        'malformed',
        'the record names its body',
        (file) => resealedSegment(suite, file),
      ],
    ]).map((bad) => edited(event, bad)),
    ...changed(suiteOne, [
      [
        'suite-1-header-of-suite-2',
        'malformed',
        "the claim's version decides the suite",
        (file) => withLastHeader(suite, file, decodeEvidence(single.file).records[0]?.objects[0]?.header),
      ],
    ]).map((bad) => edited(suiteOne, bad)),
  ];
}

/** Returns the one edit that makes a bad file of a good one: between their common start and end. */
function edited({ name: of, file: good }: GoodEvidence, [name, expect, why, bad]: Bad): BadEvidence {
  const shorter = Math.min(good.length, bad.length);
  let start = 0;
  while (start < shorter && good[start] === bad[start]) start++;
  let end = 0;
  while (end < shorter - start && good.at(-1 - end) === bad.at(-1 - end)) end++;
  const edit = [start, good.length - end, bad.slice(start, bad.length - end)] as const;
  return { name, of, edit, expect, why };
}

function changed(
  { file }: GoodEvidence,
  list: readonly (readonly [name: string, expect: ErrorCode, why: string, change: Change])[],
): Bad[] {
  return list.map(([name, expect, why, change]) => [name, expect, why, encodeEvidence(change(decodeEvidence(file)))]);
}

function flip(bytes: Uint8Array, at = 0): Uint8Array {
  const out = bytes.slice();
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}

/** Changes the first object of the first record. */
function ofObject(change: (object: EvidenceObject) => EvidenceObject | null): Change {
  return (file) => ({
    ...file,
    records: file.records.map((part, i) =>
      i > 0
        ? part
        : { ...part, objects: part.objects.map((object, at) => (object && at === 0 ? change(object) : object)) },
    ),
  });
}

const flipKey = ofObject((object) => ({ ...object, key: flip(object.key) }));

const FORGED: SealedContent = { detail: {}, jpeg: new Uint8Array(300).fill(0x66) };

/** Puts another picture in the place of the first, sealed with its key, which everybody has who has the file. */
export function resealed(suite: CryptoSuite, file: EvidenceFile): EvidenceFile {
  const { value } = openSigned(anyRecordKind, suite, file.records[0]?.record ?? new Uint8Array(0));
  const [media] = value.media ?? [];
  const event = eventOf(value);
  if (media === undefined || event === undefined) return file;
  const context = contextOf(value, event, media.id, media.role);
  return ofObject(({ header, key }) => {
    if (versionOf(value) === 1) return { header, body: sealBody(hkdf(suite, key, 'body'), padContent(FORGED)), key };
    const sealed = sealWithE(suite, key, context, decodeObjectHeader(header), encodeContent(FORGED));
    return { ...sealed, key };
  })(file);
}

/** Exchanges the header in the last record, which the camera signs so. */
function withLastHeader(suite: CryptoSuite, file: EvidenceFile, header: Uint8Array = new Uint8Array(0)): EvidenceFile {
  const last = file.records.at(-1);
  if (last === undefined) return file;
  const { media = [] } = openSigned(anyRecordKind, suite, last.record).value;
  const named = media.map((entry) => ({ ...entry, headerHash: suite.sha256(header) }));
  const record = signedAgain(anyRecordKind, suite, NAMES.device, last.record, { media: named });
  const objects = last.objects.map((object) => object && { ...object, header });
  return { ...file, records: [...file.records.slice(0, -1), { ...last, record, objects }], after: null };
}

function resealedSegment(suite: CryptoSuite, file: EvidenceFile): EvidenceFile {
  const records = file.records.map((part) => {
    const { clip, ...value } = openSigned(anyRecordKind, suite, part.record).value;
    const [named, segment] = [clip?.segments[0], part.segments[0]];
    if (clip === undefined || named === undefined || segment?.place !== 0) return part;
    const [, mediaId, , , header] = named;
    const context = contextOf(value, clip.eventId, mediaId, 'segment');
    const forged = sealWithE(suite, segment.key, context, decodeObjectHeader(header), Uint8Array.of(6, 6));
    return { ...part, segments: [{ ...segment, body: forged.body }, ...part.segments.slice(1)] };
  });
  return { ...file, records };
}

/** Files whose shape is wrong. */
function shapes({ file }: GoodEvidence): Bad[] {
  const { claim, accept, records, after, receipts } = decodeEvidence(file);
  const items: Cbor[] = [
    [1, claim, accept],
    ...records.map(({ record, objects }): Cbor => [
      2,
      record,
      objects.map((o) => (o === null ? null : [o.header, o.body, o.key])),
    ]),
    [4, after],
    ...receipts.map((receipt): Cbor => [5, receipt]),
  ];
  const sequence = (...all: readonly Cbor[]): Uint8Array => concat(...all.map((item) => encodeCbor(item)));
  const head = (magic: Cbor, version: Cbor, count = items.length): Cbor => [magic, version, count];
  const good = head('sealcam/evidence', 1);
  const [origin = null, record = null, following = null, receipt = null] = items;
  return [
    ['another-name', 'malformed', 'the head', sequence(head('sealcam/evidences', 1), ...items)],
    ['version-2', 'unsupported', 'a newer version', sequence(head('sealcam/evidence', 2), ...items)],
    ['version-text', 'malformed', 'the head', sequence(head('sealcam/evidence', '1'), ...items)],
    ['head-of-two', 'malformed', 'the head', sequence(['sealcam/evidence', 1], ...items)],
    ['one-item-too-few', 'malformed', 'the head counts the items', sequence(good, ...items.slice(0, -1))],
    ['one-item-too-many', 'malformed', 'the head counts the items', sequence(good, ...items, receipt)],
    ['no-items', 'malformed', 'a claim comes first', sequence(head('sealcam/evidence', 1, 0))],
    ['claim-twice', 'malformed', 'each kind in its place', sequence(head('sealcam/evidence', 1, 5), origin, ...items)],
    ['receipt-before-after', 'malformed', 'each kind in its place', sequence(good, origin, record, receipt, following)],
    ['number-7', 'malformed', 'no such item', sequence(head('sealcam/evidence', 1, 5), ...items, [7, claim])],
    [
      'segment-without-clip',
      'malformed',
      'no such segment',
      sequence(head('sealcam/evidence', 1, 5), origin, record, [3, 0, accept, new Uint8Array(32)], following, receipt),
    ],
    ['a-tag', 'malformed', 'no tags', concat(Uint8Array.of(0xc1), file)],
    ['cut-short', 'malformed', 'truncated', file.slice(0, -1)],
    ['a-byte-after', 'malformed', 'the head counts the items', concat(file, Uint8Array.of(0))],
    ['long-head', 'malformed', 'the shortest heads', concat(file.slice(0, 19), Uint8Array.of(0x18, 4), file.slice(20))],
  ];
}

/** Files about a single snapshot. */
function singles(single: GoodEvidence, event: GoodEvidence): Bad[] {
  const another = decodeEvidence(event.file);
  const other = another.records[0];
  return changed(single, [
    ['claim-altered', 'bad-signature', 'the claim is signed', (file) => ({ ...file, claim: flip(file.claim, 200) })],
    [
      'accept-altered',
      'bad-signature',
      'the accept is signed',
      (file) => ({ ...file, accept: flip(file.accept, 100) }),
    ],
    [
      'accept-of-another-kind',
      'malformed',
      'the camera accepted the claim',
      (file) => ({ ...file, accept: file.after ?? file.accept }),
    ],
    ['accept-as-claim', 'bad-signature', 'each kind has its domain', (file) => ({ ...file, claim: file.accept })],
    ['no-records', 'malformed', 'an event', (file) => ({ ...file, records: [] })],
    [
      'after-is-not-next',
      'malformed',
      'each record names the one before',
      (file) => ({ ...file, after: another.records[1]?.record ?? null }),
    ],
    ['another-key', 'seal-refused', 'the header commits to E', flipKey],
    [
      'key-of-another-object',
      'seal-refused',
      'E opens one object',
      ofObject((object) => ({ ...object, key: other?.objects[0]?.key ?? object.key })),
    ],
    ['another-object', 'malformed', 'the record names its object', ofObject((object) => other?.objects[0] ?? object)],
    [
      'body-altered',
      'malformed',
      'the record names its body',
      ofObject((object) => ({ ...object, body: flip(object.body) })),
    ],
    [
      'header-altered',
      'malformed',
      'the record names its header',
      ofObject((object) => ({ ...object, header: flip(object.header, 30) })),
    ],
    [
      'one-object-too-many',
      'malformed',
      'one place for each object',
      (file) => ({ ...file, records: file.records.map((part) => ({ ...part, objects: [...part.objects, null] })) }),
    ],
    [
      'receipt-altered',
      'bad-signature',
      'receipts are signed',
      (file) => ({ ...file, receipts: file.receipts.map((receipt) => flip(receipt, 100)) }),
    ],
    [
      'media-receipt-for-others',
      'malformed',
      'a receipt for segments of this file',
      (file) => ({ ...file, mediaReceipts: another.mediaReceipts }),
    ],
  ]);
}

/** Files about an event of several records. */
function events(event: GoodEvidence, other: EvidenceRecord['objects']): Bad[] {
  const without =
    (at: number): Change =>
    (file) => ({ ...file, records: file.records.filter((_, i) => i !== at) });
  const records = (change: (parts: readonly EvidenceRecord[]) => readonly EvidenceRecord[]): Change => {
    return (file) => ({ ...file, records: change(file.records) });
  };
  const segments = (change: (part: EvidenceRecord) => EvidenceRecord): Change =>
    records((parts) => parts.map((part) => (part.segments.length > 1 ? change(part) : part)));
  return changed(event, [
    ['record-taken-out', 'malformed', 'no hole', without(1)],
    [
      'records-exchanged',
      'malformed',
      'in their order',
      records(([a, b, c, ...rest]) => [a, c, b, ...rest].flatMap((part) => part ?? [])),
    ],
    ['begins-with-another-event', 'malformed', "the event's first record", records((parts) => parts.slice(2))],
    [
      'ends-with-another-event',
      'malformed',
      "the event's last record",
      (file) => ({ ...file, records: file.records.slice(0, 3), after: null, receipts: [], mediaReceipts: [] }),
    ],
    [
      'ends-too-early',
      'malformed',
      "the event's last record",
      (file) => ({
        ...file,
        records: file.records.slice(0, 1),
        after: file.records[1]?.record ?? null,
        receipts: [],
        mediaReceipts: [],
      }),
    ],
    [
      'object-of-another-event',
      'malformed',
      'only objects of the event',
      records((parts) => parts.map((part, i) => (i === 2 ? { ...part, objects: other } : part))),
    ],
    [
      'segment-altered',
      'malformed',
      'the record names its segment',
      segments((part) => ({
        ...part,
        segments: part.segments.map((segment, i) => (i > 0 ? segment : { ...segment, body: flip(segment.body) })),
      })),
    ],
    [
      'segment-of-another-place',
      'malformed',
      'the record names its segment',
      segments((part) => ({ ...part, segments: part.segments.slice(1).map((segment) => ({ ...segment, place: 0 })) })),
    ],
    [
      'segments-exchanged',
      'malformed',
      'in their order',
      segments((part) => ({ ...part, segments: part.segments.slice().reverse() })),
    ],
    [
      'segment-place-2',
      'malformed',
      'no such segment',
      segments((part) => ({ ...part, segments: part.segments.slice(1).map((segment) => ({ ...segment, place: 2 })) })),
    ],
    [
      'segment-another-key',
      'seal-refused',
      'the header commits to E',
      segments((part) => ({
        ...part,
        segments: part.segments.map((segment, i) => (i > 0 ? segment : { ...segment, key: flip(segment.key) })),
      })),
    ],
  ]);
}

/** Signs an object again with a field changed: by the same key, or another one. */
function signedAgain<T>(
  kind: SignedKind<T>,
  suite: CryptoSuite,
  signer: string,
  bytes: Uint8Array,
  change: Partial<T>,
): Uint8Array {
  return signObject(kind, suite, signerOf(suite, signer), { ...openSigned(kind, suite, bytes).value, ...change }).bytes;
}

/** Files with objects that the camera or a cloud signed, and that do not belong where they stand. */
function signedWrong(suite: CryptoSuite, single: GoodEvidence): Bad[] {
  const wrongAfter =
    (change: Partial<AnyRecord>): Change =>
    (file) => ({
      ...file,
      after: signedAgain(anyRecordKind, suite, NAMES.device, file.after ?? file.accept, change),
      receipts: [],
    });
  const receipt =
    (change: Partial<AnyReceipt>, signer: string = NAMES.receipt): Change =>
    (file) => ({
      ...file,
      receipts: file.receipts.map((bytes) => signedAgain(anyReceiptKind, suite, signer, bytes, change)),
    });
  const hash = suite.sha256(new Uint8Array(0));
  return changed(single, [
    ['after-names-another', 'malformed', 'each record names the one before', wrongAfter({ prev: hash })],
    ['after-at-another-seq', 'malformed', 'no hole', wrongAfter({ seq: 1000 })],
    ['after-of-another-epoch', 'foreign', 'records of the claim', wrongAfter({ epoch: 2 })],
    ['receipt-by-a-stranger', 'foreign', 'a receipt key of the claim', receipt({}, NAMES.stranger)],
    ['receipt-of-another-epoch', 'foreign', 'receipts of the claim', receipt({ epoch: 2 })],
    ['receipt-for-other-records', 'malformed', 'a record of the file', receipt({ ranges: [[0, 6, hash]] })],
    ['receipt-for-another-record', 'malformed', 'the hash of the record', receipt({ ranges: [[0, 7, hash]] })],
    ['receipt-for-another-after', 'malformed', 'the hash of the record after', receipt({ ranges: [[0, 8, hash]] })],
  ]);
}
