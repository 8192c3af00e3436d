/** Periods and objects of seal suite 2 that must be refused. */
import { concat, u32be } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import { hpkeSeal } from '../../protocol/crypto/hpke.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { pad } from '../../protocol/seal/content.js';
import type { PeriodContext } from '../../protocol/seal/key-record.js';
import { decodeObjectHeader, type ObjectContext } from '../../protocol/seal/object.js';
import { sealStream } from '../../protocol/seal/stream.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { seedOf, vectorRandom } from './keyring.js';
import { kemKeysOf, type ObjectVector, type PeriodVector, type RecipientName } from './seal2-shapes.js';
import type { VectorWorld } from './signed.js';

const LIMITS_OF_A_BODY = { maxBytes: 1 << 20, maxDepth: 4, maxItems: 64 };
const CHUNK = 64 * 1024 + 16;

/** A key record that the first recipient must refuse. Only what differs from the good one is given. */
export interface BadPeriod {
  readonly name: string;
  readonly of: string;
  /** Whose key opens, at the place `own`. */
  readonly recipient: RecipientName;
  readonly own: number;
  /** Recipients of the claim. */
  readonly recipients: number;
  readonly context?: PeriodContext;
  readonly commit?: Uint8Array;
  readonly body?: Uint8Array;
  readonly expect: ErrorCode;
  /** The rule that it breaks. */
  readonly why: string;
}

/** An object that must be refused. Only what differs from the good one is given. */
export interface BadObject {
  readonly name: string;
  readonly of: string;
  readonly context?: ObjectContext;
  /** The key E that is tried; without it, the period opens. */
  readonly key?: Uint8Array;
  readonly header?: Uint8Array;
  readonly body?: Uint8Array;
  /** The body consists of these [from, to) slices of the good one. */
  readonly bodySlices?: readonly (readonly [number, number])[];
  readonly expect: ErrorCode;
  readonly why: string;
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice();
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}

export function badPeriods(
  suite: CryptoSuite,
  world: VectorWorld,
  good: PeriodVector,
  eight: PeriodVector,
): readonly BadPeriod[] {
  const make = (name: string, expect: ErrorCode, why: string, change: Partial<BadPeriod>): BadPeriod => ({
    name,
    of: good.name,
    recipient: 'owner',
    own: 0,
    recipients: 2,
    expect,
    why,
    ...change,
  });
  const [number, wraps] = decodeCbor(good.body, LIMITS_OF_A_BODY) as [number, [Uint8Array, Uint8Array][]];
  const [mine, other] = wraps;
  if (mine === undefined || other === undefined) throw new Error('no wraps');
  const [enc, ct] = mine;
  const body = (...entries: Cbor[]): Uint8Array => encodeCbor([number, entries]);
  const { context } = good;
  const lowOrder = enc.slice();
  lowOrder.fill(0, 1088);
  const otherKey = hpkeSeal(
    suite,
    vectorRandom(suite, 'another K'),
    kemKeysOf(suite, 'owner').publicKey,
    good.contextHash,
    seedOf(suite, 'another K'),
  );
  const refused = (name: string, why: string, change: Partial<BadPeriod>): BadPeriod =>
    make(name, 'seal-refused', why, change);
  const malformed = (name: string, why: string, bytes: Uint8Array): BadPeriod =>
    make(name, 'malformed', why, { body: bytes });
  const place = 'the context is HPKE info';
  return [
    refused('stranger', 'another key than the one that was wrapped to', { recipient: 'stranger' }),
    refused('another-place', 'recipient j opens entry j, no other', { own: 1 }),
    refused('wraps-swapped', 'recipient j opens entry j, no other', { body: body(other, mine) }),
    refused('another-device', place, { context: { ...context, device: seedOf(suite, 'another device') } }),
    refused('another-account', place, { context: { ...context, account: world.id('another account') } }),
    refused('another-epoch', place, { context: { ...context, epoch: 2 } }),
    refused('another-claim', place, { context: { ...context, claimHash: seedOf(suite, 'another claim') } }),
    refused('another-period', place, { context: { ...context, periodId: world.id('another period') } }),
    refused('commit-bit', 'K is not what the record commits to', { commit: flip(good.commit, 0) }),
    refused('another-key', 'K is not what the record commits to', { body: body([otherKey.enc, otherKey.ct], other) }),
    refused('enc-bit-lattice', 'altered', { body: body([flip(enc, 0), ct], other) }),
    refused('enc-bit-curve', 'altered', { body: body([flip(enc, 1090), ct], other) }),
    refused('enc-low-order', 'X25519 with it is all zero', { body: body([lowOrder, ct], other) }),
    refused('ct-bit', 'altered', { body: body([enc, flip(ct, 0)], other) }),
    malformed('wrap-missing', 'as many wraps as recipients', body(mine)),
    malformed('wrap-too-many', 'as many wraps as recipients', body(mine, other, other)),
    malformed('no-wraps', 'at least one', body()),
    malformed('enc-short', 'enc has 1,120 bytes', body([enc.slice(1), ct], other)),
    malformed('ct-long', 'ct has 48 bytes', body([enc, concat(ct, Uint8Array.of(0))], other)),
    malformed('wrap-of-three', 'a wrap is [enc, ct]', body([enc, ct, ct], other)),
    malformed('suite-1', 'suite 1 has no key records', encodeCbor([1, wraps])),
    make('suite-3', 'unsupported', 'a newer suite', { body: encodeCbor([3, wraps]) }),
    malformed('trailing', 'nothing follows', concat(good.body, Uint8Array.of(0))),
    malformed('not-an-array', 'an array of two', encodeCbor(new Map())),
    malformed('empty', 'an array of two', new Uint8Array(0)),
    make('recipients-of-another-claim', 'malformed', 'as many wraps as recipients', { body: eight.body }),
  ];
}

export function badObjects(
  suite: CryptoSuite,
  world: VectorWorld,
  thumbnail: ObjectVector,
  chunks: ObjectVector,
  mini: ObjectVector,
  otherPeriod: Uint8Array,
): readonly BadObject[] {
  type Change = Omit<BadObject, 'name' | 'of' | 'expect' | 'why'>;
  const make = (name: string, expect: ErrorCode, why: string, change: Change, base = thumbnail): BadObject => ({
    name,
    of: base.name,
    expect,
    why,
    ...change,
  });
  const refused = (name: string, why: string, change: Change, base = thumbnail): BadObject =>
    make(name, 'seal-refused', why, change, base);
  const malformed = (name: string, why: string, change: Change, base = thumbnail): BadObject =>
    make(name, 'malformed', why, change, base);
  const { header, body, context } = thumbnail;
  const { periodId, index, commit } = decodeObjectHeader(header);
  const bound = 'the context is part of the key E';
  const moved = (change: Partial<ObjectContext>): Change => ({ context: { ...context, ...change } });
  const headerOf = (...items: Cbor[]): Change => ({ header: encodeCbor(items) });
  // Sealed with the right key, so that only the padding is wrong.
  const sealed = (plaintext: Uint8Array, of = thumbnail): Change => ({
    body: sealStream(suite, hkdf(suite, of.key, 'body'), plaintext),
  });
  const padded = pad(thumbnail.content, 4096);
  const dirty = padded.slice();
  dirty[dirty.length - 1] = 1;
  const first = [0, CHUNK] as const;
  const second = [CHUNK, chunks.body.length] as const;
  const length = (bytes: number): Uint8Array => concat(u32be(bytes), padded.slice(4));
  return [
    refused('another-device', bound, moved({ device: seedOf(suite, 'another device') })),
    refused('another-account', bound, moved({ account: world.id('another account') })),
    refused('another-epoch', bound, moved({ epoch: 2 })),
    refused('another-claim', bound, moved({ claimHash: seedOf(suite, 'another claim') })),
    refused('another-event', bound, moved({ eventId: world.id('event 3') })),
    refused('another-media', bound, moved({ mediaId: world.id('media 3') })),
    refused('another-role', bound, moved({ role: 'detail' })),
    refused('another-index', bound, headerOf(2, periodId, index + 1, commit)),
    refused('another-period', bound, headerOf(2, otherPeriod, index, commit)),
    refused('commit-bit', 'E is not what the header commits to', headerOf(2, periodId, index, flip(commit, 0))),
    refused('key-of-another-object', 'E opens one object', { key: chunks.key }),
    refused('key-bit', 'E opens one object', { key: flip(thumbnail.key, 31) }),
    refused('header-of-another-object', bound, { header: chunks.header }),
    malformed('index-4096', 'i < 4,096', headerOf(2, periodId, 4096, commit)),
    malformed('index-negative', 'i ≥ 0', headerOf(2, periodId, -1, commit)),
    malformed('period-short', 'a period id has 16 bytes', headerOf(2, periodId.slice(1), index, commit)),
    malformed('commit-short', 'a commit has 32 bytes', headerOf(2, periodId, index, commit.slice(1))),
    malformed('header-of-three', 'four items', headerOf(2, periodId, index)),
    malformed('header-of-five', 'four items', headerOf(2, periodId, index, commit, 0)),
    malformed('header-trailing', 'nothing follows', { header: concat(header, Uint8Array.of(0)) }),
    malformed('header-not-an-array', 'four items', { header: encodeCbor(new Map()) }),
    malformed('header-empty', 'four items', { header: new Uint8Array(0) }),
    malformed('suite-1', 'a version-2 epoch holds suite 2 only', headerOf(1, periodId, index, commit)),
    make('suite-3', 'unsupported', 'a newer suite', headerOf(3, periodId, index, commit)),
    refused('body-bit', 'the tag', { body: flip(body, 20) }),
    refused('tag-bit', 'the tag', { body: flip(body, body.length - 1) }),
    malformed('body-cut', 'the padded length is a multiple of 4,096', { body: body.slice(0, -1) }),
    malformed('body-empty', 'a plaintext is never empty', { body: new Uint8Array(0) }),
    malformed('body-of-a-tag', 'a plaintext is never empty', { body: body.slice(0, 16) }),
    refused('chunks-swapped', 'the chunk number is in the nonce', { bodySlices: [second, first] }, chunks),
    refused('chunk-dropped', 'the chunk number is in the nonce', { bodySlices: [second] }, chunks),
    refused('last-chunk-dropped', 'the last flag is in the nonce', { bodySlices: [first] }, chunks),
    malformed('chunk-empty', 'only the last is short, and not empty', { bodySlices: [first, [0, 16]] }, chunks),
    malformed('padding-not-zero', 'zeros', sealed(dirty)),
    malformed('padded-twice', 'to the next multiple', sealed(concat(padded, new Uint8Array(4096)))),
    malformed('length-beyond-the-end', 'the content ends before the plaintext', sealed(length(4093))),
    malformed('length-too-small', 'what follows is zeros', sealed(length(thumbnail.content.length - 1))),
    malformed('mini-of-two-units', 'exactly 2,560', sealed(pad(new Uint8Array(3000), 2560), mini), mini),
    malformed('mini-padded-to-4096', 'exactly 2,560', sealed(pad(mini.content, 4096), mini), mini),
  ];
}
