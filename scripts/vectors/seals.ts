import { concat, fromHex, u32be } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { padContent } from '../../protocol/seal/content.js';
import { contextHash, seal, type SealContext } from '../../protocol/seal/seal.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import { sealBody } from '../../protocol/seal/body.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { NAMES, vectorRandom } from './keyring.js';
import { VectorWorld } from './signed.js';

const HEADER_LIMITS = { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 };

interface SealVector {
  readonly name: string;
  readonly context: SealContext;
  readonly contextHash: Uint8Array;
  /** Names of the recipients in keys.json, in the order of the wraps. */
  readonly recipients: readonly (keyof typeof NAMES)[];
  readonly content: SealedContent;
  readonly plaintext: Uint8Array;
  /** K, the content key. */
  readonly key: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  readonly headerHash: Uint8Array;
  readonly bodyHash: Uint8Array;
}

interface BadSeal {
  readonly name: string;
  /** The good vector whose context and keys are used. */
  readonly of: string;
  readonly recipient: keyof typeof NAMES;
  /** What differs from the good vector. */
  readonly context?: SealContext;
  readonly header?: Uint8Array;
  readonly body?: Uint8Array;
  /** The body consists of these [from, to) slices of the good one. */
  readonly bodySlices?: readonly (readonly [number, number])[];
  readonly expect: ErrorCode;
}

/** A grey ramp of 16×9 pixels as a baseline JPEG. */
const JPEG = hexBytes(
  'ffd8ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d5157' +
    '5f626768673e4d71797064785c656763ffdb0043011112121815182f1a1a2f634238426363636363636363636363636363636363636363' +
    '636363636363636363636363636363636363636363636363636363636363ffc00011080009001003012200021101031101ffc400150001' +
    '0100000000000000000000000000000506ffc400191000020301000000000000000000000000000403213141ffc4001401010000000000' +
    '0000000000000000000000ffc40014110100000000000000000000000000000000ffda000c03010002110311003f002128728a04a1ca08' +
    '4b85025c03ffd9',
);

function hexBytes(hex: string): Uint8Array {
  const bytes = fromHex(hex, hex.length / 2);
  if (bytes === undefined) throw new Error('bad hex in a vector');
  return bytes;
}

/** Returns the content of seal.json. */
export function sealVectors(suite: CryptoSuite): { good: readonly SealVector[]; bad: readonly BadSeal[] } {
  const world = new VectorWorld(suite);
  const context: SealContext = {
    device: world.deviceId,
    account: world.account,
    epoch: 1,
    claimHash: world.claim.hash,
    eventId: world.id('event'),
    mediaId: world.id('media'),
  };
  const big = concat(JPEG, new Uint8Array(66_000).fill(0x5a));
  const make = (
    name: string,
    recipients: readonly (keyof typeof NAMES)[],
    content: SealedContent,
    where: SealContext = context,
  ): SealVector => {
    const keys = recipients.map((recipient) => world.x25519(NAMES[recipient]));
    const sealed = seal({ suite, random: vectorRandom(suite, name), context: where, recipients: keys, content });
    return {
      name,
      context: where,
      contextHash: contextHash(suite, where),
      recipients,
      content,
      plaintext: padContent(content),
      key: vectorRandom(suite, name).bytes(32),
      ...sealed,
      headerHash: suite.sha256(sealed.header),
      bodyHash: suite.sha256(sealed.body),
    };
  };
  const thumbnail = make('thumbnail-two-recipients', ['owner', 'member'], {
    detail: {
      box: [1000, 2000, 30_000, 40_000],
      zones: ['door'],
      area: 123,
      reason: 'motion',
      startedMs: 61_000,
      size: [320, 180],
    },
    jpeg: JPEG,
  });
  const detail = make('detail-only', ['owner'], { detail: { endedMs: 65_000 }, jpeg: null });
  const chunks = make('two-chunks', ['owner'], { detail: {}, jpeg: big });
  const good = [thumbnail, detail, chunks];
  return { good, bad: badSeals(world, thumbnail, chunks) };
}

function badSeals(world: VectorWorld, thumbnail: SealVector, chunks: SealVector): readonly BadSeal[] {
  const { suite } = world;
  const { header, body, context } = thumbnail;
  const CHUNK = 64 * 1024 + 16;
  const make = (
    name: string,
    expect: ErrorCode,
    change: Pick<BadSeal, 'context' | 'header' | 'body' | 'bodySlices'>,
    base = thumbnail,
  ): BadSeal => ({
    name,
    of: base.name,
    recipient: 'owner',
    expect,
    ...change,
  });
  const flip = (bytes: Uint8Array, index: number): Uint8Array => {
    const out = bytes.slice();
    out[index] = (out[index] ?? 0) ^ 1;
    return out;
  };
  const [suiteId, wraps, mac] = decodeCbor(header, HEADER_LIMITS) as [number, Uint8Array[], Uint8Array];
  const otherWrap = (decodeCbor(chunks.header, HEADER_LIMITS) as [number, Uint8Array[], Uint8Array])[1];
  // Sealed with the right key, so that only the content is wrong.
  const good = thumbnail.plaintext;
  const content = (value: Cbor): Uint8Array => {
    const cbor = encodeCbor(value);
    return concat(u32be(cbor.length), cbor, new Uint8Array(4096 - ((4 + cbor.length) % 4096)));
  };
  const dirty = good.slice();
  dirty[dirty.length - 1] = 1;
  const plaintexts: readonly (readonly [string, ErrorCode, Uint8Array])[] = [
    ['plaintext-not-padded', 'malformed', good.slice(0, -1)],
    ['plaintext-padded-twice', 'malformed', concat(good, new Uint8Array(4096))],
    ['plaintext-padding-not-zero', 'malformed', dirty],
    ['plaintext-length-beyond-the-end', 'malformed', concat(u32be(4093), good.slice(4))],
    ['content-not-an-array', 'malformed', content(new Map([[0, 1]]))],
    ['content-version-2', 'unsupported', content([new Map([[0, 2]]), null])],
    [
      'content-unknown-key',
      'malformed',
      content([
        new Map([
          [0, 1],
          [22, 1],
        ]),
        null,
      ]),
    ],
    [
      'content-area-1001',
      'malformed',
      content([
        new Map([
          [0, 1],
          [3, 1001],
        ]),
        null,
      ]),
    ],
  ];
  const first = [0, CHUNK] as const;
  const second = [CHUNK, chunks.body.length] as const;
  return [
    { ...make('stranger', 'seal-refused', {}), recipient: 'stranger' },
    make('another-event', 'seal-refused', { context: { ...context, eventId: world.id('event 2') } }),
    make('another-media', 'seal-refused', { context: { ...context, mediaId: world.id('media 2') } }),
    make('another-epoch', 'seal-refused', { context: { ...context, epoch: 2 } }),
    make('body-bit', 'seal-refused', { body: flip(body, 20) }),
    make('body-cut', 'seal-refused', { body: body.slice(0, -1) }),
    make('body-empty', 'malformed', { body: new Uint8Array(0) }),
    make('header-mac-bit', 'seal-refused', { header: flip(header, header.length - 1) }),
    make('wrap-removed', 'seal-refused', { header: encodeCbor([suiteId, wraps.slice(0, 1), mac]) }),
    make('wraps-swapped', 'seal-refused', { header: encodeCbor([suiteId, [...wraps].reverse(), mac]) }),
    make('header-of-another-object', 'seal-refused', { header: chunks.header }),
    make('wrap-of-another-object', 'seal-refused', {
      header: encodeCbor([suiteId, [...otherWrap, ...wraps.slice(1)], mac]),
    }),
    make('suite-2', 'unsupported', { header: encodeCbor([2, wraps, mac]) }),
    make('header-trailing', 'malformed', { header: concat(header, Uint8Array.of(0)) }),
    make('header-not-an-array', 'malformed', { header: encodeCbor(new Map()) }),
    make('header-empty-array', 'malformed', { header: encodeCbor([]) }),
    make('header-of-two', 'malformed', { header: encodeCbor([suiteId, wraps]) }),
    ...plaintexts.map(([name, expect, plaintext]) =>
      make(name, expect, { body: sealBody(hkdf(suite, thumbnail.key, 'body'), plaintext) }),
    ),
    make('chunk-dropped', 'seal-refused', { bodySlices: [first] }, chunks),
    make('chunks-swapped', 'seal-refused', { bodySlices: [second, first] }, chunks),
    make('chunk-twice-over-the-limit', 'malformed', { bodySlices: [first, first, second] }, chunks),
  ];
}
