/** Spans in evidence.json: evidence files of several events in one, good and bad. */
import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { makeEvidence } from '../../protocol/evidence/make.js';
import { encodeSpan } from '../../protocol/evidence/span-file.js';
import { byteStringHead, encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import type { BadSpan, GoodSpan } from './evidence-shapes.js';
import { EvidenceWorld } from './evidence-world.js';
import { NAMES } from './keyring.js';

const MAGIC = 'sealcam/evidence';

/** Returns spans that are good as a whole, and those that are refused whole. */
export function evidenceSpans(suite: CryptoSuite): {
  readonly spans: readonly GoodSpan[];
  readonly badSpans: readonly BadSpan[];
} {
  const [world, other] = [new EvidenceWorld(suite, 2), new EvidenceWorld(suite, 2, NAMES.otherDevice)];
  const made = (of: EvidenceWorld, event: string): Uint8Array => makeEvidence(suite, of.source, of.id(event));
  const [event, second, third] = [made(world, 'event'), made(world, 'event 2'), made(world, 'event 3')];
  const stranger = made(other, 'event 3');
  const older = makeEvidence(suite, new EvidenceWorld(suite, 1).source, world.id('event'));
  const altered = third.slice();
  altered[altered.length - 100] = (altered.at(-100) ?? 0) ^ 1;
  const span = (...files: readonly Uint8Array[]): Uint8Array => concat(...encodeSpan(files));
  const headed = (head: Cbor, ...files: readonly Uint8Array[]): Uint8Array =>
    concat(encodeCbor(head), ...files.flatMap((file) => [byteStringHead(file.length), file]));
  const good = span(event, second, third);
  return {
    spans: [
      { name: 'span', file: good, events: ['good', 'good', 'good'] },
      { name: 'span-of-one', file: span(third), events: ['good'] },
      { name: 'span-with-an-altered-event', file: span(event, altered), events: ['good', 'bad-signature'] },
      { name: 'span-with-noise', file: span(Uint8Array.of(1, 2, 3), third), events: ['malformed', 'good'] },
      { name: 'span-in-a-span', file: span(second, span(third)), events: ['good', 'unsupported'] },
    ],
    badSpans: [
      { name: 'span-out-of-order', file: span(third, event), expect: 'malformed', why: 'the order of the history' },
      { name: 'span-event-twice', file: span(third, third), expect: 'malformed', why: 'each event once' },
      { name: 'span-of-two-cameras', file: span(second, stranger), expect: 'foreign', why: 'one camera' },
      { name: 'span-of-two-claims', file: span(older, third), expect: 'malformed', why: 'one claim of an epoch' },
      { name: 'span-without-events', file: headed([MAGIC, 2, 0]), expect: 'malformed', why: 'an event at least' },
      {
        name: 'span-one-too-few',
        file: headed([MAGIC, 2, 3], event, third),
        expect: 'malformed',
        why: 'the head counts',
      },
      {
        name: 'span-one-too-many',
        file: headed([MAGIC, 2, 1], event, third),
        expect: 'malformed',
        why: 'the head counts',
      },
      { name: 'span-of-version-3', file: headed([MAGIC, 3, 1], third), expect: 'unsupported', why: 'a newer version' },
      {
        name: 'span-of-another-kind',
        file: concat(headed([MAGIC, 2, 1]), encodeCbor([1])),
        expect: 'malformed',
        why: 'bytes',
      },
      { name: 'span-cut-short', file: good.slice(0, -1), expect: 'malformed', why: 'truncated' },
      { name: 'span-a-byte-after', file: concat(good, Uint8Array.of(0)), expect: 'malformed', why: 'the head counts' },
    ],
  };
}
