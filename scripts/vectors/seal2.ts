/** The content of seal2.json: periods and objects of seal suite 2, good and bad. */
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import { encodeContent } from '../../protocol/seal/content.js';
import { periodCommit, periodContextHash, wrapKey } from '../../protocol/seal/key-record.js';
import {
  objectContextHash,
  objectKey,
  sealWithE,
  type ObjectPlace,
  type SealRole,
} from '../../protocol/seal/object.js';
import { seedOf, vectorRandom } from './keyring.js';
import { badObjects, badPeriods, type BadObject, type BadPeriod } from './seal2-bad.js';
import { kemKeysOf, kemSeedOf, type ObjectVector, type PeriodVector, type RecipientName } from './seal2-shapes.js';
import { VectorWorld } from './signed.js';

export interface Seal2Vectors {
  /** Seeds and public keys of X-Wing by the names of keys.json. */
  readonly kem: Readonly<Record<string, { readonly seed: Uint8Array; readonly publicKey: Uint8Array }>>;
  readonly periods: readonly PeriodVector[];
  readonly badPeriods: readonly BadPeriod[];
  readonly objects: readonly ObjectVector[];
  readonly badObjects: readonly BadObject[];
}

const CHAIN_AT = [0, 1, 2, 63, 64, 4095];
const EIGHT: readonly RecipientName[] = [
  'owner',
  'member',
  'stranger',
  'device',
  'otherDevice',
  'receipt',
  'maker',
  'qa',
];

/** Returns CK_i of a period's key. */
function chainKeyOf(suite: CryptoSuite, key: Uint8Array, index: number): Uint8Array {
  let chain = hkdf(suite, key, 'chain');
  for (let i = 0; i < index; i++) chain = hkdf(suite, chain, 'next');
  return chain;
}

/** Returns an object as it is sealed in a period. */
export function objectVector(
  suite: CryptoSuite,
  name: string,
  period: PeriodVector,
  index: number,
  place: ObjectPlace,
  content: Uint8Array,
): ObjectVector {
  const { periodId, ...owner } = period.context;
  const where = { periodId, index };
  const context = { ...owner, ...place };
  const contextHash = objectContextHash(suite, context, where);
  const key = objectKey(suite, hkdf(suite, chainKeyOf(suite, period.key, index), 'object'), contextHash);
  const sealed = sealWithE(suite, key, context, where, content);
  return {
    name,
    period: period.name,
    context,
    index,
    contextHash,
    content,
    key,
    ...sealed,
    headerHash: suite.sha256(sealed.header),
    bodyHash: suite.sha256(sealed.body),
  };
}

/** Returns the content of seal2.json. */
export function seal2Vectors(suite: CryptoSuite): Seal2Vectors {
  const world = new VectorWorld(suite);
  const owner = { device: world.deviceId, account: world.account, epoch: 1, claimHash: world.claim.hash };
  const period = (
    name: string,
    recipients: readonly RecipientName[],
    at: readonly number[],
    key = seedOf(suite, `${name} K`),
  ): PeriodVector => {
    const context = { ...owner, periodId: world.id(name) };
    const contextHash = periodContextHash(suite, context);
    const draws = vectorRandom(suite, `${name} wraps`);
    const publicKeys = recipients.map((recipient) => kemKeysOf(suite, recipient).publicKey);
    const body = wrapKey(suite, vectorRandom(suite, `${name} wraps`), {
      recipients: publicKeys,
      info: contextHash,
      key,
    });
    return {
      name,
      context,
      contextHash,
      recipients,
      key,
      randomness: recipients.map(() => draws.bytes(64)),
      commit: periodCommit(suite, key, contextHash),
      chain: at.map((index) => {
        const chain = chainKeyOf(suite, key, index);
        return { index, chain, link: hkdf(suite, chain, 'object') };
      }),
      body,
      bodyHash: suite.sha256(body),
    };
  };
  const two = period('period', ['owner', 'member'], CHAIN_AT);
  const eight = period('period of eight', EIGHT, [0]);

  const object = (
    name: string,
    index: number,
    content: Uint8Array,
    role: SealRole = 'thumbnail',
    place: Partial<ObjectPlace> = {},
    from = two,
  ): ObjectVector => {
    const where = { eventId: world.id('event'), mediaId: world.id(name), role, ...place };
    return objectVector(suite, name, from, index, where, content);
  };
  const seen = { box: [1000, 2000, 30_000, 40_000], zones: ['door'], area: 123, reason: 'motion' } as const;
  const picture = encodeContent({ detail: seen, jpeg: new Uint8Array(300).fill(0x5a) });
  const ramp = Uint8Array.from({ length: 65_600 }, (_, i) => i % 251);
  const thumbnail = object('thumbnail', 0, picture);
  const chunks = object('segment-two-chunks', 2, ramp, 'segment');
  const mini = object('mini', 3, picture, 'mini');
  const objects = [
    thumbnail,
    object('detail', 1, encodeContent({ detail: { endedMs: 65_000 }, jpeg: null }), 'detail'),
    chunks,
    mini,
    object('segment-one-full-chunk', 64, ramp.subarray(0, 65_532), 'segment'),
    object('nothing', 63, new Uint8Array(0), 'segment'),
    object('last-index', 4095, picture),
    // A camera never does this. Each object still has a key of its own.
    object('index-used-twice', 0, picture, 'thumbnail', { eventId: world.id('event 2') }),
    object('first-of-another-period', 0, picture, 'thumbnail', {}, eight),
  ];
  const names: readonly RecipientName[] = EIGHT;
  return {
    kem: Object.fromEntries(
      names.map((name) => [name, { seed: kemSeedOf(suite, name), publicKey: kemKeysOf(suite, name).publicKey }]),
    ),
    periods: [two, eight],
    badPeriods: badPeriods(suite, world, two, eight),
    objects,
    badObjects: badObjects(suite, world, thumbnail, chunks, mini, eight.context.periodId),
  };
}
