import { realRandom } from '../../common/adapters/real-random.js';
import { concat, utf8 } from '../../common/bytes.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import { hpkeSeal } from '../../protocol/crypto/hpke.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { encapsulate, xwingKeys, type XWingKeys } from '../../protocol/crypto/xwing.js';
import { encodeContent } from '../../protocol/seal/content.js';
import {
  keyRecordBody,
  periodCommit,
  periodContextHash,
  wrapKey,
  type PeriodContext,
} from '../../protocol/seal/key-record.js';
import {
  decodeObjectHeader,
  objectContextHash,
  objectKey,
  openWithE,
  sealWithE,
  type ObjectContext,
  type SealRole,
} from '../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../protocol/seal/open-period.js';
import { openSealed } from '../../protocol/seal/open.js';
import { beginPeriod, type KeyRecordMedia, type Period } from '../../protocol/seal/period.js';
import { seal, type SealedObject } from '../../protocol/seal/seal.js';
import { encodeCbor } from '../../protocol/wire/cbor.js';
import type { Attack } from './attack.js';
import { asyncCodeOf, codeOf } from './codes.js';
import { twoKeyBox } from './two-key-box.js';

const suite = nodeSuite;
const owner = xwingKeys(suite, realRandom.bytes(32));
const member = xwingKeys(suite, realRandom.bytes(32));
const stranger = xwingKeys(suite, realRandom.bytes(32));
const both = [owner.publicKey, member.publicKey];
const household = {
  device: realRandom.bytes(32),
  account: realRandom.bytes(16),
  epoch: 1,
  claimHash: realRandom.bytes(32),
};

interface Begun {
  readonly keyRecord: KeyRecordMedia;
  readonly period: Period;
  /** K, which the camera forgets. */
  readonly key: Uint8Array;
}

async function begin(): Promise<Begun> {
  let key = new Uint8Array(32);
  const begun = await beginPeriod({
    suite,
    random: realRandom,
    context: household,
    recipients: both,
    wrap: (job) => {
      key = job.key.slice();
      return Promise.resolve(wrapKey(suite, realRandom, job));
    },
  });
  return { ...begun, key };
}

const here = await begin();
const elsewhere = await begin();

interface Reading {
  readonly keys?: XWingKeys;
  readonly own?: number;
  readonly context?: Partial<PeriodContext>;
  readonly commit?: Uint8Array;
  readonly body?: Uint8Array;
}

function read({ keyRecord }: Begun, reading: Reading = {}): Promise<OpenedPeriod> {
  const { keys = owner, own = 0, context = {}, commit = keyRecord.commit, body = keyRecord.sealed.body } = reading;
  return openPeriod({
    suite,
    context: { ...household, periodId: keyRecord.periodId, ...context },
    commit,
    body,
    recipients: both.length,
    own,
    decapsulate: (enc) => keys.decapsulate(enc),
  });
}

const readable = async (reading: Reading): Promise<string> =>
  (await asyncCodeOf(() => read(here, reading))).replace('accepted', 'opened');

function contextOf(role: SealRole = 'thumbnail'): ObjectContext {
  return { ...household, eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role };
}

const opened = await read(here);
const openedElsewhere = await read(elsewhere);
const picture = encodeContent({ detail: {}, jpeg: utf8('the picture') });
const where = contextOf();
const first = here.period.seal(where, picture);
const second = here.period.seal(contextOf(), picture);
/** Two chunks: 64 KiB and the rest. */
const segmentAt = contextOf('segment');
const segment = here.period.seal(segmentAt, realRandom.bytes(70_000));

function opens(context: ObjectContext, sealed: SealedObject, by = opened): string {
  return codeOf(() => by.open(context, sealed)).replace('accepted', 'opened');
}

const inPlace = { name: 'in its own place', expected: 'opened', observed: () => opens(where, first) };

/** The first object with another index or period in its header. */
function moved(change: { readonly index?: number; readonly periodId?: Uint8Array }): SealedObject {
  const { periodId, index, commit } = { ...decodeObjectHeader(first.header), ...change };
  return { ...first, header: encodeCbor([2, periodId, index, commit]) };
}

/** An object that a faulty camera sealed under this index, whether it was taken or not. */
function sealedAt(context: ObjectContext, index: number): { readonly key: Uint8Array; readonly sealed: SealedObject } {
  let chain = hkdf(suite, here.key, 'chain');
  for (let i = 0; i < index; i++) chain = hkdf(suite, chain, 'next');
  const place = { periodId: here.keyRecord.periodId, index };
  const key = objectKey(suite, hkdf(suite, chain, 'object'), objectContextHash(suite, context, place));
  return { key, sealed: sealWithE(suite, key, context, place, picture) };
}

const again = contextOf();
const reused = sealedAt(again, 0);

/** Wraps for both recipients in a record of the first period. */
function bodyOf(...wraps: readonly (readonly [to: XWingKeys, key: Uint8Array])[]): Uint8Array {
  const info = periodContextHash(suite, { ...household, periodId: here.keyRecord.periodId });
  const boxes = wraps.map(([to, key]) => {
    const { enc, ct } = hpkeSeal(suite, realRandom, to.publicKey, info, key);
    return [enc, ct] as const;
  });
  return encodeCbor(keyRecordBody.toCbor([2, boxes]));
}

const otherKey = realRandom.bytes(32);
const inOrder = bodyOf([owner, here.key], [member, here.key]);
const ownRecord = { name: 'in order, one key', expected: 'opened', observed: () => readable({ body: inOrder }) };
const asMember = { keys: member, own: 1 };

/** What someone opens who seized the camera after its first object: the chain from there on. */
function openedFromMemory(context: ObjectContext, sealed: SealedObject, links: number): string {
  let chain = hkdf(suite, hkdf(suite, here.key, 'chain'), 'next');
  const { periodId, index } = decodeObjectHeader(sealed.header);
  const contextHash = objectContextHash(suite, context, { periodId, index });
  for (let i = 0; i < links; i++) {
    const e = objectKey(suite, hkdf(suite, chain, 'object'), contextHash);
    if (codeOf(() => openWithE(suite, e, context, sealed)) === 'accepted') return 'opened';
    chain = hkdf(suite, chain, 'next');
  }
  return 'not opened';
}

/**
 * A camera that gives two recipients different keys could show each of them another picture in one body: the AEAD opens it under
 * both. The header commits to one key.
 */
const otherE = realRandom.bytes(32);
const twoFaced = ((): SealedObject => {
  const keys = [opened.keyOf(where, first.header), otherE].map((e) => hkdf(suite, e, 'body'));
  const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  const [one = nonce, two = nonce] = keys;
  return { header: first.header, body: twoKeyBox([one, two], nonce, 4096) };
})();

function chunkOpens(e: Uint8Array): string {
  const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  return suite.chachaOpen(hkdf(suite, e, 'body'), nonce, twoFaced.body) === undefined ? 'refused' : 'opened';
}

const x25519 = realRandom.bytes(32);
const old = { secret: x25519, publicKey: suite.x25519PublicKey(x25519) };
const ofSuite1 = seal({
  suite,
  random: realRandom,
  context: where,
  recipients: [old.publicKey],
  content: { detail: {}, jpeg: null },
});

function openedInEpoch(version: 1 | 2, sealed: SealedObject): string {
  const keys = { x25519: old, periodOf: () => opened };
  return codeOf(() => openSealed(suite, version, where, keys, sealed)).replace('accepted', 'opened');
}

const lowOrder = concat(owner.publicKey.slice(0, 1184), new Uint8Array(32));
const tooLarge = concat(Uint8Array.of(1, 13, 0), owner.publicKey.slice(3));
const wrapsTo = (key: Uint8Array): string => codeOf(() => encapsulate(suite, realRandom, key));
const goodKey = { name: "the owner's key", expected: 'accepted', observed: () => wrapsTo(owner.publicKey) };

const CHUNK_BYTES = 64 * 1024 + 16;
const lead = segment.body.slice(0, CHUNK_BYTES);
const rest = segment.body.slice(CHUNK_BYTES);

function chunks(name: string, body: Uint8Array): Attack {
  return {
    name: `suite 2: ${name}`,
    expected: 'seal-refused',
    observed: () => opens(segmentAt, { ...segment, body }),
    control: { name: 'both chunks, in order', expected: 'opened', observed: () => opens(segmentAt, segment) },
  };
}

const PERIOD_ATTACKS: readonly Attack[] = [
  {
    name: 'an index used twice: the evidence key of one object tried on the other',
    expected: 'seal-refused, seal-refused',
    observed: () => {
      const ofFirst = opened.keyOf(where, first.header);
      return [
        codeOf(() => openWithE(suite, ofFirst, again, reused.sealed)),
        codeOf(() => openWithE(suite, reused.key, where, first)),
      ].join(', ');
    },
    control: {
      name: 'each with its own',
      expected: 'accepted, accepted',
      observed: () =>
        [
          codeOf(() => openWithE(suite, opened.keyOf(where, first.header), where, first)),
          codeOf(() => openWithE(suite, reused.key, again, reused.sealed)),
        ].join(', '),
    },
  },
  {
    name: 'an object moved to the next index',
    expected: 'seal-refused',
    observed: () => opens(where, moved({ index: first.index + 1 })),
    control: inPlace,
  },
  {
    name: 'an object moved to another period',
    expected: 'seal-refused',
    observed: () => opens(where, moved({ periodId: elsewhere.keyRecord.periodId }), openedElsewhere),
    control: inPlace,
  },
  {
    name: 'a picture shown as a detail',
    expected: 'seal-refused',
    observed: () => opens({ ...where, role: 'detail' }, first),
    control: inPlace,
  },
  {
    name: 'an object of a period shown under another event',
    expected: 'seal-refused',
    observed: () => opens({ ...where, eventId: realRandom.bytes(16) }, first),
    control: inPlace,
  },
  {
    name: 'the header of another object of the same period',
    expected: 'seal-refused',
    observed: () => opens(where, { ...first, header: second.header }),
    control: inPlace,
  },
  {
    name: "an index beyond the period's last, which would make the reader walk on",
    expected: 'malformed',
    observed: () => opens(where, moved({ index: 4096 })),
    control: {
      name: 'the last index',
      expected: 'opened',
      observed: () => opens(again, sealedAt(again, 4095).sealed),
    },
  },
  {
    name: 'one body made to open under two keys: the second key',
    expected: 'seal-refused',
    observed: () => codeOf(() => openWithE(suite, otherE, where, twoFaced)),
    control: {
      name: 'the bare AEAD, which commits to no key, under each',
      expected: 'opened, opened',
      observed: () => `${chunkOpens(opened.keyOf(where, first.header))}, ${chunkOpens(otherE)}`,
    },
  },
  chunks('the last chunk dropped', lead),
  chunks('the chunks swapped', concat(rest, lead)),
  {
    name: 'a key record with its wraps in another order',
    expected: 'owner seal-refused, member seal-refused',
    observed: async () => {
      const body = bodyOf([member, here.key], [owner, here.key]);
      return `owner ${await readable({ body })}, member ${await readable({ ...asMember, body })}`;
    },
    control: {
      name: 'in order',
      expected: 'owner opened, member opened',
      observed: async () =>
        `owner ${await readable({ body: inOrder })}, member ${await readable({ ...asMember, body: inOrder })}`,
    },
  },
  {
    name: 'a key record with another key for the member',
    expected: 'owner opened, member seal-refused',
    observed: async () => {
      const body = bodyOf([owner, here.key], [member, otherKey]);
      return `owner ${await readable({ body })}, member ${await readable({ ...asMember, body })}`;
    },
    control: {
      name: 'one key for both',
      expected: 'opened',
      observed: () => readable({ ...asMember, body: inOrder }),
    },
  },
  {
    name: "a key record whose own entry is sealed to a stranger's key",
    expected: 'seal-refused',
    observed: () => readable({ body: bodyOf([stranger, here.key], [member, here.key]) }),
    control: ownRecord,
  },
  {
    name: 'a key record without one member',
    expected: 'malformed',
    observed: () => readable({ body: bodyOf([owner, here.key]) }),
    control: ownRecord,
  },
  {
    name: 'a key record that commits to another key',
    expected: 'seal-refused',
    observed: () => {
      const info = periodContextHash(suite, { ...household, periodId: here.keyRecord.periodId });
      return readable({ commit: periodCommit(suite, otherKey, info) });
    },
    control: { name: 'to its own', expected: 'opened', observed: () => readable({}) },
  },
  {
    name: 'a key record of another claim',
    expected: 'seal-refused',
    observed: () => readable({ context: { epoch: 2, claimHash: realRandom.bytes(32) } }),
    control: { name: 'of its own', expected: 'opened', observed: () => readable({}) },
  },
  {
    name: 'a key record replayed as that of another period',
    expected: 'seal-refused',
    observed: () => readable({ context: { periodId: elsewhere.keyRecord.periodId } }),
    control: { name: 'of its own', expected: 'opened', observed: () => readable({}) },
  },
  {
    name: 'the memory of a seized camera: an object that was sealed before',
    expected: 'not opened',
    observed: () => openedFromMemory(where, first, 64),
    control: {
      name: 'an object that is still to come (not protected)',
      expected: 'opened',
      observed: () => openedFromMemory(again, sealedAt(again, 40).sealed, 64),
    },
  },
  {
    name: 'a weaker suite: an object of suite 1 in an epoch of version 2, and the other way round',
    expected: 'malformed, malformed',
    observed: () => `${openedInEpoch(2, ofSuite1)}, ${openedInEpoch(1, first)}`,
    control: {
      name: 'each in its own epoch',
      expected: 'opened, opened',
      observed: () => `${openedInEpoch(2, first)}, ${openedInEpoch(1, ofSuite1)}`,
    },
  },
  {
    name: 'wrapping to a KEM key with a zero X25519 half',
    expected: 'seal-refused',
    observed: () => wrapsTo(lowOrder),
    control: goodKey,
  },
  {
    name: 'wrapping to a KEM key with a coefficient of q',
    expected: 'malformed',
    observed: () => wrapsTo(tooLarge),
    control: goodKey,
  },
];

/** Attacks on period keys, which share a table with those on other seals. */
export function periodAttacks(): readonly Attack[] {
  return PERIOD_ATTACKS;
}
