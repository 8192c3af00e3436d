/** The content of evidence.json: evidence files, good and bad. */
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { decodeEvidence, encodeEvidence, type EvidenceRecord } from '../../protocol/evidence/evidence-file.js';
import { makeEvidence } from '../../protocol/evidence/make.js';
import { verifyEvidence } from '../../protocol/evidence/verify.js';
import { badEvidence } from './evidence-bad.js';
import type { BadEvidence, BadSpan, GoodEvidence, GoodSpan } from './evidence-shapes.js';
import { evidenceSpans } from './evidence-spans.js';
import { EvidenceWorld } from './evidence-world.js';

/** Returns the content of evidence.json. */
export function evidenceVectors(suite: CryptoSuite): {
  readonly good: readonly GoodEvidence[];
  readonly bad: readonly BadEvidence[];
  readonly spans: readonly GoodSpan[];
  readonly badSpans: readonly BadSpan[];
} {
  const [one, two] = [new EvidenceWorld(suite, 1), new EvidenceWorld(suite, 2)];
  const made = (name: string, world: EvidenceWorld, event: string): GoodEvidence =>
    described(suite, name, makeEvidence(suite, world.source, world.id(event)));
  const event = made('event', two, 'event');
  const single = made('single', two, 'event 3');
  const suiteOne = made('suite-1', one, 'event');
  const [bare, alone] = [decodeEvidence(event.file), decodeEvidence(single.file)];
  const good = [
    event,
    single,
    suiteOne,
    described(suite, 'without-receipts-and-after', encodeEvidence({ ...alone, after: null, receipts: [] })),
    described(suite, 'without-pictures', encodeEvidence({ ...bare, records: bare.records.map(withoutObjects) })),
  ];
  // The snapshot that stands between the event's records.
  const other = decodeEvidence(makeEvidence(suite, two.source, two.id('event 2'))).records[0]?.objects ?? [];
  return { good, bad: badEvidence(suite, single, event, suiteOne, other), ...evidenceSpans(suite) };
}

function withoutObjects({ record, objects }: EvidenceRecord): EvidenceRecord {
  return { record, objects: objects.map(() => null), segments: [] };
}

function described(suite: CryptoSuite, name: string, file: Uint8Array): GoodEvidence {
  const { eventId, claim, records, after, pictures, clipParts, absent, ...receipts } = verifyEvidence(suite, file);
  return {
    name,
    file,
    event: eventId,
    claim: claim.hash,
    records: records.map(({ hash }) => hash),
    after: after?.hash ?? null,
    pictures: pictures.map(({ seq, role, content: { jpeg } }) => ({ seq, role, jpeg })),
    clipParts: clipParts.map(({ clip, index, bytes }) => ({ clip, index, hash: suite.sha256(bytes) })),
    absent,
    receipts: receipts.receipts.length,
    mediaReceipts: receipts.mediaReceipts.length,
  };
}
