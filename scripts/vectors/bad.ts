import { concat, u32be } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { recordKind } from '../../protocol/objects/record.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { parseSign1 } from '../../protocol/wire/cose.js';
import { ruleCases } from './bad-rules.js';
import { statementCases } from './bad-statements.js';
import { ALG, CLAIM, Forge, hex, KID, mediaFields, RECORD, timeFields } from './forge.js';
import { NAMES, signerOf } from './keyring.js';

interface BadVector {
  readonly name: string;
  readonly domain: string;
  readonly object: Uint8Array;
  /** The error code that every implementation must return. */
  readonly expect: ErrorCode;
}

/** L, little-endian. */
const ORDER = hex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
const IDENTITY = hex('0100000000000000000000000000000000000000000000000000000000000000');
const ORDER_EIGHT = hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
/** y = p + 1: a non-canonical encoding of the identity. */
const IDENTITY_NON_CANONICAL = hex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
/** y = 1 with the sign bit set: "minus zero". */
const IDENTITY_NEGATIVE = hex('0100000000000000000000000000000000000000000000000000000000000080');

function addOrder(s: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    carry += (s[i] ?? 0) + (ORDER[i] ?? 0);
    out[i] = carry & 0xff;
    carry >>= 8;
  }
  return out;
}

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const out = bytes.slice();
  out[index] = (out[index] ?? 0) ^ 1;
  return out;
}

function signatureCases(forge: Forge): readonly (readonly [string, Uint8Array, ErrorCode])[] {
  const { device, suite } = forge;
  const good = forge.object(device, {});
  const { signature, payload } = parseSign1(good, RECORD, recordKind.maxBytes);
  const r = signature.slice(0, 32);
  const s = signature.slice(32);
  const zero = new Uint8Array(32);
  const stranger = signerOf(suite, NAMES.stranger);
  const key = (publicKey: Uint8Array, sig: Uint8Array): Uint8Array =>
    forge.object(device, { header: forge.header(publicKey), signature: sig });
  return [
    ['signature-bit-flipped', forge.object(device, { signature: flipped(signature, 40) }), 'bad-signature'],
    ['payload-bit-flipped', forge.object(device, { payload: flipped(payload, 100), signature }), 'bad-signature'],
    ['signature-s-plus-l', forge.object(device, { signature: concat(r, addOrder(s)) }), 'bad-signature'],
    ['signature-all-zero', forge.object(device, { signature: new Uint8Array(64) }), 'bad-signature'],
    ['key-identity-r-identity-s-zero', key(IDENTITY, concat(IDENTITY, zero)), 'bad-signature'],
    ['key-order-8-r-identity', key(ORDER_EIGHT, concat(IDENTITY, zero)), 'bad-signature'],
    ['key-non-canonical', key(IDENTITY_NON_CANONICAL, concat(IDENTITY, zero)), 'bad-signature'],
    ['key-minus-zero', key(IDENTITY_NEGATIVE, concat(IDENTITY, zero)), 'bad-signature'],
    ['r-identity', forge.object(device, { signature: concat(IDENTITY, s) }), 'bad-signature'],
    ['r-non-canonical', forge.object(device, { signature: concat(IDENTITY_NON_CANONICAL, s) }), 'bad-signature'],
    [
      'kid-of-another-key',
      forge.object(device, { header: forge.header(stranger.publicKey), signature }),
      'bad-signature',
    ],
    ['another-domain', forge.object(device, {}, 'sealcam/offer/v1'), 'bad-signature'],
    ['empty-domain', forge.object(device, {}, ''), 'bad-signature'],
    ['device-of-another-key', forge.object(stranger, {}), 'foreign'],
  ];
}

function shapeCases(forge: Forge): readonly (readonly [string, Uint8Array, ErrorCode])[] {
  const { device } = forge;
  const good = forge.object(device, {});
  const kid = device.publicKey;
  const nested = concat(new Uint8Array(20_000).fill(0x81), Uint8Array.of(0));
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['empty', new Uint8Array(0)],
    ['truncated', good.slice(0, -1)],
    ['trailing-byte', concat(good, Uint8Array.of(0))],
    ['untagged', good.slice(1)],
    ['tag-98', forge.object(device, { tag: Uint8Array.of(0xd8, 98) })],
    ['tag-twice', concat(Uint8Array.of(0xd2), good)],
    ['tag-18-in-two-bytes', forge.object(device, { tag: Uint8Array.of(0xd8, 18) })],
    ['unprotected-not-empty', forge.object(device, { unprotected: new Map<number, Cbor>([[KID, kid]]) })],
    [
      'alg-in-unprotected',
      forge.object(device, {
        header: encodeCbor(new Map<number, Cbor>([[KID, kid]])),
        unprotected: new Map<number, Cbor>([[ALG, -19]]),
      }),
    ],
    ['alg-eddsa-minus-8', forge.object(device, { header: forge.header(kid, -8) })],
    ['alg-none', forge.object(device, { header: forge.header(kid, 0) })],
    ['alg-missing', forge.object(device, { header: encodeCbor(new Map<number, Cbor>([[KID, kid]])) })],
    ['kid-missing', forge.object(device, { header: encodeCbor(new Map<number, Cbor>([[ALG, -19]])) })],
    ['kid-31-bytes', forge.object(device, { header: forge.header(kid.slice(1)) })],
    ['header-keys-unsorted', forge.object(device, { header: concat(hex('a2045820'), kid, hex('0132')) })],
    ['header-extra-key', forge.object(device, { header: concat(hex('a30132'), hex('0300'), hex('045820'), kid) })],
    ['header-empty', forge.object(device, { header: new Uint8Array(0) })],
    ['payload-detached', forge.object(device, { payload: null })],
    ['payload-empty', forge.object(device, { payload: new Uint8Array(0) })],
    ['payload-not-a-map', forge.object(device, { payload: hex('80') })],
    ['signature-63-bytes', forge.object(device, { signature: new Uint8Array(63) })],
    ['outer-array-indefinite', concat(hex('d29f'), good.slice(2), hex('ff'))],
    ['outer-array-of-three', concat(hex('d283'), good.slice(2, -66))],
    ['nested-20000', nested],
    ['nested-20000-tagged', concat(hex('d2'), nested)],
    ['nested-20000-in-payload', forge.object(device, { payload: nested.slice(0, 7000) })],
    ['byte-string-of-2-to-53', concat(hex('d2845b0020000000000000'), new Uint8Array(16))],
    ['array-of-2-to-32', concat(hex('d29a'), u32be(0xffffffff))],
    ['over-8-kib', concat(good, new Uint8Array(8192))],
  ];
  return cases.map(([name, object]) => [name, object, 'malformed'] as const);
}

function payloadCases(forge: Forge): readonly (readonly [string, Uint8Array, ErrorCode])[] {
  const { device, good } = forge;
  const payload = forge.payload(good);
  const raw = (bytes: Uint8Array): Uint8Array => forge.object(device, { payload: bytes });
  const head = payload[0] ?? 0;
  const replaced = (from: string, to: string): Uint8Array => {
    const text = Buffer.from(payload).toString('hex');
    if (!text.includes(from)) throw new Error(`${from} is not in the payload`);
    return raw(hex(text.replace(from, to)));
  };
  const body = payload.slice(1);
  return [
    // The map begins with 0: 1 (version) and 1: 2 (kind scene).
    ['keys-unsorted', raw(concat(Uint8Array.of(head), hex('01020001'), body.slice(4))), 'malformed'],
    ['key-twice', raw(concat(Uint8Array.of(head + 1), hex('0001'), body)), 'malformed'],
    ['version-in-two-bytes', raw(concat(Uint8Array.of(head), hex('001801'), body.slice(2))), 'malformed'],
    ['version-as-float', raw(concat(Uint8Array.of(head), hex('00f93c00'), body.slice(2))), 'malformed'],
    ['map-indefinite', raw(concat(hex('bf'), body, hex('ff'))), 'malformed'],
    ['trailing-in-payload', raw(concat(payload, hex('00'))), 'malformed'],
    ['duration-undefined', replaced('01191388', '01f7'), 'malformed'],
    ['duration-bignum', replaced('01191388', '01c2421388'), 'malformed'],
    ['duration-2-to-53', replaced('01191388', '011b0020000000000000'), 'malformed'],
    ['duration-negative', replaced('01191388', '0120'), 'malformed'],
    ['version-missing', forge.edited([[0, undefined]]), 'malformed'],
    ['version-text', forge.edited([[0, '1']]), 'malformed'],
    ['version-2', forge.edited([[0, 2]]), 'unsupported'],
    [
      'version-2-new-fields',
      forge.edited([
        [0, 2],
        [22, 'new'],
      ]),
      'unsupported',
    ],
    ['kind-8', forge.edited([[1, 8]]), 'unsupported'],
    [
      'kind-8-new-fields',
      forge.edited([
        [1, 8],
        [22, 'new'],
      ]),
      'unsupported',
    ],
    ['scene-class-99', forge.edited([[14, new Map<number, Cbor>([[0, 99]])]]), 'unsupported'],
    ['unknown-key-23', forge.edited([[23, 0]]), 'malformed'],
    ['account-15-bytes', forge.edited([[3, forge.world.account.slice(1)]]), 'malformed'],
    ['epoch-0', forge.edited([[4, 0]]), 'malformed'],
    ['seq-missing', forge.edited([[6, undefined]]), 'malformed'],
    ['prev-null', forge.edited([[7, null]]), 'malformed'],
    ['seq-0-not-accept', forge.edited([[6, 0]]), 'malformed'],
    [
      'accept-not-seq-0',
      forge.edited([
        [1, 0],
        [14, undefined],
      ]),
      'malformed',
    ],
    [
      'motion-without-event',
      forge.edited([
        [1, 1],
        [14, undefined],
      ]),
      'malformed',
    ],
    ['health-with-scene', forge.edited([[1, 5]]), 'malformed'],
    ['media-without-event', forge.edited([[10, [mediaFields(forge)]]]), 'malformed'],
    ['media-empty-list', forge.edited([[10, []]]), 'malformed'],
    [
      'loss-of-the-future',
      forge.edited([
        [
          11,
          [
            new Map<number, Cbor>([
              [0, 0],
              [1, [1, 5]],
            ]),
          ],
        ],
      ]),
      'malformed',
    ],
    [
      'loss-range-backwards',
      forge.edited([
        [6, 9],
        [
          11,
          [
            new Map<number, Cbor>([
              [0, 0],
              [1, [5, 4]],
            ]),
          ],
        ],
      ]),
      'malformed',
    ],
    ['time-quality-9', forge.edited([[8, timeFields(forge, 9)]]), 'unsupported'],
  ];
}

function claimCases(forge: Forge): readonly (readonly [string, Uint8Array, ErrorCode])[] {
  const { world, suite } = forge;
  const recipient = (name: string): Cbor =>
    new Map<number, Cbor>([
      [0, world.x25519(name)],
      [1, world.key(name)],
    ]);
  const stranger = signerOf(suite, NAMES.stranger);
  const owner = recipient(NAMES.owner);
  const lowOrder = new Map<number, Cbor>([
    [0, new Uint8Array(32)],
    [1, world.key(NAMES.member)],
  ]);
  const many = Array.from({ length: 8 }, (_, i) => recipient(`member ${String(i)}`));
  return [
    ['claim-signed-by-stranger', forge.claim([], stranger), 'foreign'],
    ['claim-account-of-another', forge.claim([[3, world.id('account')]]), 'malformed'],
    ['claim-first-recipient-not-owner', forge.claim([[5, [recipient(NAMES.member), owner]]]), 'malformed'],
    ['claim-recipient-twice', forge.claim([[5, [owner, owner]]]), 'malformed'],
    ['claim-recipient-low-order', forge.claim([[5, [owner, lowOrder]]]), 'malformed'],
    ['claim-no-recipients', forge.claim([[5, []]]), 'malformed'],
    ['claim-nine-recipients', forge.claim([[5, [owner, ...many]]]), 'malformed'],
    ['claim-no-receipt-keys', forge.claim([[6, []]]), 'malformed'],
    [
      'claim-five-receipt-keys',
      forge.claim([[6, many.slice(0, 5).map((_, i) => world.key(`receipt ${String(i)}`))]]),
      'malformed',
    ],
    ['claim-epoch-2-without-previous', forge.claim([[2, 2]]), 'malformed'],
    ['claim-epoch-0', forge.claim([[2, 0]]), 'malformed'],
  ];
}

/** Returns the content of bad.json. */
export function badVectors(suite: CryptoSuite): readonly BadVector[] {
  const forge = new Forge(suite);
  const of = (domain: string, cases: readonly (readonly [string, Uint8Array, ErrorCode])[]): readonly BadVector[] =>
    cases.map(([name, object, expect]) => ({ name, domain, object, expect }));
  return [
    ...of(RECORD, signatureCases(forge)),
    ...of(RECORD, shapeCases(forge)),
    ...of(RECORD, payloadCases(forge)),
    ...of(CLAIM, claimCases(forge)),
    ...[...ruleCases(forge), ...statementCases(forge)].map(([name, domain, object, expect]) => ({
      name,
      domain,
      object,
      expect,
    })),
  ];
}
