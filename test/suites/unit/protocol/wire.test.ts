import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { equal } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { verifyStrict } from '../../../../protocol/crypto/strict.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { sessionKind, type Session } from '../../../../protocol/objects/session.js';
import { openSigned, signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import { decodeDown, decodeUp } from '../../../../protocol/transport/messages.js';
import { parseTopic, topicFilter, topicOf } from '../../../../protocol/transport/topics.js';
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
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
