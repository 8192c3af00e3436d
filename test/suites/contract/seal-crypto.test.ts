import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { utf8 } from '../../../common/bytes.js';
import { hkdf } from '../../../protocol/crypto/hkdf.js';
import { hpkeOpen, hpkeSeal } from '../../../protocol/crypto/hpke.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import { checkEncapsulation, checkKemKey, encapsulate, XWING, xwingKeys } from '../../../protocol/crypto/xwing.js';
import { codeOf } from '../../support/codes.js';
import { suites } from '../../support/runner/suites.js';
import { hex } from '../../support/vectors.js';

/** RFC 8439 §2.8.2. */
const RFC_8439 = {
  plaintext: utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  aad: hex('50515253c0c1c2c3c4c5c6c7'),
  key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
  nonce: hex('070000004041424344454647'),
  box: hex(
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b' +
      '2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586ce' +
      'c64b61161ae10b594f09e26a7e902ecbd0600691',
  ),
};

/** Lengths around a block of the cipher, a block of the tag and a chunk. */
const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 4096, 65_535, 65_536];

describe.each(suites)('ChaCha20-Poly1305 of $name', (suite) => {
  it('gives the bytes of RFC 8439 and opens them', () => {
    const { key, nonce, plaintext, aad, box } = RFC_8439;
    expect(suite.chachaSeal(key, nonce, plaintext, aad)).toEqual(box);
    expect(suite.chachaOpen(key, nonce, box, aad)).toEqual(plaintext);
  });

  it('refuses every other key, nonce, text, tag and associated data, and what is shorter than a tag', () => {
    const { key, nonce, box, aad } = RFC_8439;
    const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(suite.chachaOpen(flip(key, 31), nonce, box, aad)).toBeUndefined();
    expect(suite.chachaOpen(key, flip(nonce, 11), box, aad)).toBeUndefined();
    expect(suite.chachaOpen(key, nonce, flip(box, 0), aad)).toBeUndefined();
    expect(suite.chachaOpen(key, nonce, flip(box, box.length - 1), aad)).toBeUndefined();
    expect(suite.chachaOpen(key, nonce, box, flip(aad, 0))).toBeUndefined();
    expect(suite.chachaOpen(key, nonce, box)).toBeUndefined();
    for (const length of [0, 1, 15]) expect(suite.chachaOpen(key, nonce, box.slice(0, length))).toBeUndefined();
  });
});

describe('both suites', () => {
  it.each(LENGTHS)('encrypt %i bytes to the same bytes', (length) => {
    const [key, nonce, plaintext] = [realRandom.bytes(32), realRandom.bytes(12), realRandom.bytes(length)];
    const box = nodeSuite.chachaSeal(key, nonce, plaintext);
    expect(Buffer.compare(tweetnaclSuite.chachaSeal(key, nonce, plaintext), box)).toBe(0);
    expect(Buffer.compare(tweetnaclSuite.chachaOpen(key, nonce, box) ?? key, plaintext)).toBe(0);
  });

  it('derive the keys that node:crypto derives', () => {
    const key = realRandom.bytes(32);
    const derived = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), 'body', 32));
    for (const suite of suites) expect(hkdf(suite, key, 'bo', utf8('dy'))).toEqual(derived);
  });
});

describe.each(suites)('X-Wing and HPKE of $name', (suite) => {
  const seed = realRandom.bytes(32);
  const keys = xwingKeys(suite, seed);

  it('opens what the other suite seals, and nothing of another key or info', () => {
    const other = suite === nodeSuite ? tweetnaclSuite : nodeSuite;
    const info = utf8('here');
    const { enc, ct } = hpkeSeal(other, realRandom, keys.publicKey, info, seed);
    expect(xwingKeys(other, seed).publicKey).toEqual(keys.publicKey);
    expect(hpkeOpen(suite, keys.decapsulate(enc), info, ct)).toEqual(seed);
    expect(hpkeOpen(suite, keys.decapsulate(enc), utf8('there'), ct)).toBeUndefined();
    expect(hpkeOpen(suite, xwingKeys(suite, realRandom.bytes(32)).decapsulate(enc), info, ct)).toBeUndefined();
  });

  it('makes another secret of an altered encapsulation, and no error', () => {
    const { enc, shared } = encapsulate(suite, realRandom, keys.publicKey);
    for (const at of [0, 1087, 1088]) {
      const altered = enc.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(keys.decapsulate(altered)).not.toEqual(shared);
    }
    expect(keys.decapsulate(enc)).toEqual(shared);
  });

  const withKey = (at: number, bytes: readonly number[]): Uint8Array => {
    const key = keys.publicKey.slice();
    key.set(bytes, at);
    return key;
  };
  const zeros = new Array<number>(32).fill(0);

  it.each([
    ['a good key', () => keys.publicKey, 'accepted'],
    ['a key that is a byte short', () => keys.publicKey.slice(1), 'malformed'],
    ['no key', () => new Uint8Array(0), 'malformed'],
    ['a first coefficient of q − 1', () => withKey(0, [0x00, 0x0d, 0x00]), 'accepted'],
    ['a first coefficient of q', () => withKey(0, [0x01, 0x0d, 0x00]), 'malformed'],
    ['a last coefficient of q − 1', () => withKey(1149, [0x00, 0x00, 0xd0]), 'accepted'],
    ['a last coefficient of 4,095', () => withKey(1149, [0x00, 0xf0, 0xff]), 'malformed'],
    ['a zero X25519 half', () => withKey(1184, zeros), 'seal-refused'],
    ['an X25519 half of order 4', () => withKey(1184, [1, ...zeros.slice(1)]), 'seal-refused'],
  ])('judges %s alike when it is checked and when it is used', (_, key, expected) => {
    expect(codeOf(() => checkKemKey(suite, key()))).toBe(expected);
    expect(codeOf(() => encapsulate(suite, realRandom, key()))).toBe(expected);
  });

  it('refuses an encapsulation of a wrong length or with a low-order half, and a seed of another length', () => {
    const { enc } = encapsulate(suite, realRandom, keys.publicKey);
    expect(enc).toHaveLength(XWING.encBytes);
    const low = enc.slice().fill(0, 1088);
    for (const [bad, code] of [
      [enc.slice(1), 'malformed'],
      [low, 'seal-refused'],
      [enc, 'accepted'],
    ] as const) {
      expect(codeOf(() => keys.decapsulate(bad))).toBe(code);
      expect(codeOf(() => checkEncapsulation(suite, bad))).toBe(code);
    }
    expect(codeOf(() => xwingKeys(suite, seed.slice(1)))).toBe('key-file-invalid');
  });
});
