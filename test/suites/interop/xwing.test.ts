import { readFileSync } from 'node:fs';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex, utf8 } from '../../../common/bytes.js';
import type { Random } from '../../../common/random.js';
import { hpkeKey, hpkeOpen, hpkeSeal } from '../../../protocol/crypto/hpke.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { encapsulate, xwingKeys } from '../../../protocol/crypto/xwing.js';
import { codeOf } from '../../support/codes.js';
import { suites } from '../../support/runner/suites.js';
import { hex, isDemanded, publishedVectors, vectorRemedy } from '../../support/vectors.js';

/** Gives these bytes, once. */
function fixed(bytes: Uint8Array): Random {
  return { bytes: (length) => bytes.slice(0, length), uniform: () => 0.5 };
}

interface DraftCase {
  readonly seed: string;
  readonly eseed: string;
  readonly pk: string;
  readonly ct: string;
  readonly ss: string;
}
interface HpkeCase {
  readonly info: string;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
  readonly key: string;
  readonly base_nonce: string;
  readonly encryptions: readonly {
    readonly aad: string;
    readonly ct: string;
    readonly nonce: string;
    readonly pt: string;
  }[];
}

describe.each(suites)('published vectors with $name', (suite: CryptoSuite) => {
  const draft = publishedVectors('xwing-draft.json');
  if (draft === undefined && !isDemanded) it.skip(vectorRemedy('xwing-draft.json'));
  else {
    const cases = JSON.parse(readFileSync(draft ?? '', 'utf8')) as readonly DraftCase[];
    it.each(cases)("X-Wing's draft, seed $seed", ({ seed, eseed, pk, ct, ss }) => {
      const keys = xwingKeys(suite, hex(seed));
      expect(toHex(keys.publicKey)).toBe(pk);
      const { enc, shared } = encapsulate(suite, fixed(hex(eseed)), keys.publicKey);
      expect(toHex(enc)).toBe(ct);
      expect(toHex(shared)).toBe(ss);
      expect(toHex(keys.decapsulate(enc))).toBe(ss);
    });
  }

  const hpke = publishedVectors('hpke-pq-xwing.json');
  if (hpke === undefined && !isDemanded) it.skip(vectorRemedy('hpke-pq-xwing.json'));
  else {
    const cases = JSON.parse(readFileSync(hpke ?? '', 'utf8')) as readonly HpkeCase[];
    it.each(cases)('HPKE with X-Wing, info $info', (vector) => {
      const keys = xwingKeys(suite, hex(vector.skRm));
      expect(toHex(keys.publicKey)).toBe(vector.pkRm);
      const { enc, shared } = encapsulate(suite, fixed(hex(vector.ikmE)), keys.publicKey);
      expect([toHex(enc), toHex(shared)]).toEqual([vector.enc, vector.shared_secret]);
      const { key, nonce } = hpkeKey(suite, shared, hex(vector.info));
      expect([toHex(key), toHex(nonce)]).toEqual([vector.key, vector.base_nonce]);
      for (const { aad, ct, nonce: used, pt } of vector.encryptions) {
        expect(toHex(suite.chachaSeal(key, hex(used), hex(pt), hex(aad)))).toBe(ct);
      }
    });
  }
});

describe.each(suites)('a second library beside $name', (suite: CryptoSuite) => {
  const theirs = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });
  const info = utf8('a place');
  const plaintext = realRandom.bytes(32);
  const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

  it('opens what this one seals', async () => {
    const seed = realRandom.bytes(32);
    const recipientKey = await theirs.kem.importKey('raw', buffer(seed), false);
    const { enc, ct } = hpkeSeal(suite, realRandom, xwingKeys(suite, seed).publicKey, info, plaintext);
    const opened = await theirs.open({ recipientKey, enc: buffer(enc), info: buffer(info) }, buffer(ct));
    expect(toHex(new Uint8Array(opened))).toBe(toHex(plaintext));
  });

  it('is opened by this one', async () => {
    const keys = xwingKeys(suite, realRandom.bytes(32));
    const recipientPublicKey = await theirs.kem.importKey('raw', buffer(keys.publicKey), true);
    const { enc, ct } = await theirs.seal({ recipientPublicKey, info: buffer(info) }, buffer(plaintext));
    const shared = keys.decapsulate(new Uint8Array(enc));
    expect(hpkeOpen(suite, shared, info, new Uint8Array(ct))).toEqual(plaintext);
    expect(hpkeOpen(suite, shared, utf8('another place'), new Uint8Array(ct))).toBeUndefined();
  });

  it.each([
    ['a coefficient of q', 0, [0x01, 0x0d, 0x00]],
    ['a zero X25519 half', 1184, new Array<number>(32).fill(0)],
  ])('refuses, as this one does, a public key with %s', async (_, at, bytes) => {
    const key = new Uint8Array(xwingKeys(suite, realRandom.bytes(32)).publicKey);
    key.set(bytes, at);
    expect(codeOf(() => encapsulate(suite, realRandom, key))).toMatch(/^(malformed|seal-refused)$/);
    const sealed = theirs.kem
      .importKey('raw', buffer(key), true)
      .then((recipientPublicKey) => theirs.seal({ recipientPublicKey }, buffer(plaintext)));
    await expect(sealed).rejects.toThrow();
  });
});
