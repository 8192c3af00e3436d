import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { concat, equal } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { verifyStrict } from '../../../../protocol/crypto/strict.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { sessionKind, type Session } from '../../../../protocol/objects/session.js';
import { openSigned, signBytes, signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import { decodeDown, decodeUp } from '../../../../protocol/transport/messages.js';
import { parseTopic, topicFilter, topicOf } from '../../../../protocol/transport/topics.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { encodeByLibrary } from '../../../support/scanned-cbor.js';
import { suites } from '../../../support/runner/suites.js';
import { hex, readVectors } from '../../../support/vectors.js';

const limits = { maxBytes: 4096, maxDepth: 8, maxItems: 1024 };

const cbor: fc.Arbitrary<Cbor> = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.nat(23), tie('value')), { maxLength: 4, selector: ([key]) => key })
      .map((entries) => new Map(entries)),
  ),
})).value;

/** Returns the error code of an action. Any error other than SealcamError is a bug and is thrown. */
function codeOf(action: () => unknown): string {
  try {
    action();
    return 'accepted';
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

/** Returns an integer's encoding with its argument in more bytes than it needs. */
function longerHeads(bytes: Uint8Array): Uint8Array[] {
  const [first = 0] = bytes;
  const info = first & 0x1f;
  const argument = info < 24 ? Uint8Array.of(info) : bytes.slice(1);
  const sizes = [1, 2, 4, 8].filter((size) => size > (info < 24 ? 0 : argument.length));
  return sizes.map((size) => {
    const head = Uint8Array.of((first & 0xe0) | (24 + Math.log2(size)));
    return concat(head, new Uint8Array(size - argument.length), argument);
  });
}

function signedSession(): { readonly signer: Signer; readonly session: Verified<Session> } {
  const signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const origins = { cloudOrigin: 'https://cloud.example', pageOrigin: 'https://app.example' };
  const value = { ...origins, nonce: realRandom.bytes(32), expiresAtMs: 1 };
  return { signer, session: signObject(sessionKind, nodeSuite, signer, value) };
}

describe('deterministic CBOR', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        expect(decodeCbor(encodeCbor(value), { ...limits, maxBytes: 1 << 20 })).toEqual(value);
      }),
    );
  });

  it('writes what the library writes', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        expect(encodeCbor(value)).toEqual(encodeByLibrary(value));
      }),
    );
  });

  it('writes every integer in the shortest head, and reads no other', () => {
    const edges = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
    for (const value of edges.flatMap((edge) => [edge, -edge, -1 - edge]).filter(Number.isSafeInteger)) {
      const bytes = encodeCbor(value);
      expect(bytes).toEqual(encodeByLibrary(value));
      expect(decodeCbor(bytes, limits)).toBe(value === 0 ? 0 : value);
      for (const longer of longerHeads(bytes)) expect(codeOf(() => decodeCbor(longer, limits))).toBe('malformed');
    }
  });

  it('accepts bytes only if they are the encoding of their value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        let value: unknown;
        try {
          value = decodeCbor(bytes, limits);
        } catch (error) {
          expect(isSealcamError(error) && error.code).toBe('malformed');
          return;
        }
        expect(equal(encodeCbor(value as Cbor), bytes)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['float', 'f93c00'],
    ['double', 'fb3ff0000000000000'],
    ['NaN', 'f97e00'],
    ['undefined', 'f7'],
    ['break alone', 'ff'],
    ['indefinite text', '7f6161ff'],
    ['tag', 'c100'],
    ['reserved head', '1c'],
    ['2^53', '1b0020000000000000'],
    ['2^64-1', '1bffffffffffffffff'],
    ['-2^53', '3b001fffffffffffff'],
    ['-2^64', '3bffffffffffffffff'],
    ['long head', '1817'],
    ['text key', 'a1616100'],
    ['array key', 'a18000'],
    ['key twice', 'a200000000'],
    ['unsorted keys', 'a201000000'],
    ['bad UTF-8', '62c328'],
    ['surrogate in UTF-8', '63eda080'],
    ['nothing', ''],
    ['two items', '0000'],
    ['simple value 32', 'f820'],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(() => decodeCbor(hex(bytes), limits))).toBe('malformed');
  });

  it('is not changed with the bytes that it was read from, even a Buffer, whose slice() is a view', () => {
    const bytes = Buffer.from(encodeCbor([Uint8Array.of(1, 2, 3)]));
    const value = decodeCbor(bytes, limits);
    bytes.fill(0);
    expect(value).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('counts depth and items up to the limit, and not one further', () => {
    const nested = (depth: number): Uint8Array => concat(new Uint8Array(depth).fill(0x81), Uint8Array.of(0));
    expect(codeOf(() => decodeCbor(nested(8), limits))).toBe('accepted');
    expect(codeOf(() => decodeCbor(nested(9), limits))).toBe('malformed');
    const two = encodeCbor(new Map([[0, [1]]]));
    expect(codeOf(() => decodeCbor(two, { ...limits, maxItems: 4 }))).toBe('accepted');
    expect(codeOf(() => decodeCbor(two, { ...limits, maxItems: 3 }))).toBe('malformed');
  });

  it('is never written with what it has no form for', () => {
    expect(codeOf(() => encodeCbor(0.5))).toBe('internal');
    expect(codeOf(() => encodeCbor(2 ** 53))).toBe('internal');
    expect(codeOf(() => encodeCbor(new Map([[24, 0]])))).toBe('internal');
  });

  it('refuses excessive depth and size without parsing', () => {
    const deep = new Uint8Array(4000).fill(0x81);
    deep[3999] = 0;
    expect(codeOf(() => decodeCbor(deep, limits))).toBe('malformed');
    expect(codeOf(() => decodeCbor(new Uint8Array(5000), limits))).toBe('malformed');
    expect(codeOf(() => decodeCbor(hex('9affffffff'), limits))).toBe('malformed');
    const many = new Uint8Array(2003).fill(0);
    many.set([0x99, 0x07, 0xd0]);
    expect(codeOf(() => decodeCbor(many, limits))).toBe('malformed');
  });
});

describe('decoders of bytes from outside', () => {
  const good = readVectors<readonly { name: string; object: string }[]>('signed').filter(({ name }) =>
    name.startsWith('record'),
  );

  it('throw nothing but SealcamError for altered records', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        ({ object }, at, xor, cut) => {
          const bytes = hex(object);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ xor;
          expect(codeOf(() => openSigned(recordKind, nodeSuite, cut ? bytes.slice(0, index) : bytes))).not.toBe(
            'accepted',
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('throw nothing but SealcamError for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(['malformed', 'unsupported']).toContain(codeOf(() => decodeUp(bytes)));
        expect(['malformed', 'unsupported', 'accepted']).toContain(codeOf(() => decodeDown(bytes)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a verified object', () => {
  const { signer, session } = signedSession();

  it('is independent of the buffer it came from, even a Buffer, whose slice() is a view', () => {
    for (const bytes of [session.bytes.slice(), Buffer.from(session.bytes)]) {
      const before = Buffer.from(bytes);
      const opened = openSigned(sessionKind, nodeSuite, bytes);
      expect(Buffer.from(bytes)).toEqual(before);
      bytes.fill(0xee);
      expect(opened.bytes).toEqual(session.bytes);
      expect(opened.kid).toEqual(signer.publicKey);
      expect(opened.value).toEqual(session.value);
    }
  });

  it('is independent of the values that were signed', () => {
    const nonce = realRandom.bytes(32);
    const signed = signObject(sessionKind, nodeSuite, signer, { ...session.value, nonce });
    nonce.fill(0);
    expect(openSigned(sessionKind, nodeSuite, signed.bytes).value).toEqual(signed.value);
  });

  it('is signed to the same bytes where it is only sent, and held to the same rules', () => {
    expect(signBytes(sessionKind, nodeSuite, signer, session.value)).toEqual(session.bytes);
    const wrong = { ...session.value, nonce: new Uint8Array(31) };
    expect(codeOf(() => signBytes(sessionKind, nodeSuite, signer, wrong))).toBe('malformed');
  });

  it('is verified with the key that it names, also where that key was used before', () => {
    const message = realRandom.bytes(40);
    const signature = signer.sign(message);
    const altered = signature.slice();
    altered[40] = (altered[40] ?? 0) ^ 1;
    const key = signer.publicKey.slice();
    const verdict = (of: Uint8Array): boolean => verifyStrict(nodeSuite, key, message, of);
    expect([verdict(altered), verdict(signature), verdict(altered), verdict(signature)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    // The same array with the bytes of another key.
    key.set(nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey);
    expect(verdict(signature)).toBe(false);
    key.fill(0);
    expect(verdict(signature)).toBe(false);
  });

  it('is the same for any kind of byte array, and verification changes none of them', () => {
    for (let i = 0; i < 16; i++) {
      const message = Buffer.from(realRandom.bytes(8));
      const signature = Buffer.from(signer.sign(message));
      const before = Buffer.from(signature);
      for (const suite of suites) expect(verifyStrict(suite, signer.publicKey, message, signature)).toBe(true);
      expect(signature.equals(before)).toBe(true);
    }
  });
});

describe('topics', () => {
  const device = new Uint8Array(32).fill(0xab);

  it('are formatted and parsed', () => {
    expect(parseTopic(topicOf(device, 'up'))).toEqual({ device, leaf: 'up' });
    expect(topicFilter('up', 'ingest')).toBe('$share/ingest/sealcam/v1/+/up');
  });

  it.each([
    '',
    'sealcam/v1/+/up',
    'sealcam/v1/#',
    `sealcam/v2/${'ab'.repeat(32)}/up`,
    `sealcam/v1/${'AB'.repeat(32)}/up`,
    `sealcam/v1/${'ab'.repeat(31)}/up`,
    `sealcam/v1/${'ab'.repeat(32)}/up/x`,
    `sealcam/v1/${'ab'.repeat(32)}/sideways`,
    ` sealcam/v1/${'ab'.repeat(32)}/up`,
    `sealcam/v1/${'ab'.repeat(32)}/up\n`,
  ])('refuse %j', (topic) => {
    expect(codeOf(() => parseTopic(topic))).toBe('malformed');
  });
});
