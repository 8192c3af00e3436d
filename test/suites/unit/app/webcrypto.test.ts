import { webcrypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { utf8 } from '../../../../common/bytes.js';
import { webCryptoVerifier, type SubtleVerify } from '../../../../app/core/webcrypto.js';
import { KnownSignatures, type ClaimedSignature } from '../../../../protocol/crypto/known-signatures.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { verifyStrict } from '../../../../protocol/crypto/strict.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';

const subtle = webcrypto.subtle as unknown as SubtleVerify;

function signed(text: string): ClaimedSignature {
  const signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const message = utf8(text);
  return { publicKey: signer.publicKey, message, signature: signer.sign(message) };
}

/** Counts how often the library below is asked. */
function counting(): { readonly suite: CryptoSuite; readonly calls: () => number } {
  let calls = 0;
  const suite: CryptoSuite = {
    ...nodeSuite,
    ed25519VerifyLoose: (publicKey, message, signature) => {
      calls++;
      return nodeSuite.ed25519VerifyLoose(publicKey, message, signature);
    },
  };
  return { suite, calls: () => calls };
}

const verify = (suite: CryptoSuite, { publicKey, message, signature }: ClaimedSignature): boolean =>
  verifyStrict(suite, publicKey, message, signature);

describe('verification by WebCrypto', () => {
  it('passes the self-check, and verifies what the other libraries verify', async () => {
    const later = await webCryptoVerifier(subtle);
    const good = signed('a');
    expect(await later?.(good)).toBe(true);
    expect(await later?.({ ...good, message: utf8('b') })).toBe(false);
  });

  it('is not used where it is missing, fails, or finds valid what the others refuse', async () => {
    expect(await webCryptoVerifier(undefined)).toBeNull();
    const failing: SubtleVerify = {
      importKey: () => Promise.reject(new Error('NotSupportedError')),
      verify: () => Promise.resolve(true),
    };
    expect(await webCryptoVerifier(failing)).toBeNull();
    const key = { importKey: () => Promise.resolve({}) };
    expect(await webCryptoVerifier({ ...key, verify: () => Promise.resolve(true) })).toBeNull();
    expect(await webCryptoVerifier({ ...key, verify: () => Promise.resolve(false) })).toBeNull();
    // One that multiplies by the cofactor is right about everything but the last.
    const cofactored: SubtleVerify = {
      ...key,
      verify: (_algorithm, _key, _signature, message) => Promise.resolve(message.length !== 1 || message[0] === 0x72),
    };
    expect(await webCryptoVerifier(cofactored)).toBeNull();
  });
});

describe('known signatures', () => {
  it('ask the library once for each valid signature, and each time for one that is not', () => {
    const { suite, calls } = counting();
    const known = new KnownSignatures(suite, null);
    const good = signed('a');
    const bad = { ...good, message: utf8('b') };
    expect([verify(known.suite, good), verify(known.suite, good), calls()]).toEqual([true, true, 1]);
    expect([verify(known.suite, bad), verify(known.suite, bad), calls()]).toEqual([false, false, 3]);
  });

  it('are verified ahead, and only what is valid is taken from there', async () => {
    const { suite, calls } = counting();
    const known = new KnownSignatures(suite, await webCryptoVerifier(subtle));
    const all = ['a', 'b', 'c'].map(signed);
    const bad = { ...signed('d'), message: utf8('e') };
    await known.verifyAhead([...all, bad]);
    expect(all.map((one) => verify(known.suite, one))).toEqual([true, true, true]);
    expect(calls()).toBe(0);
    expect([verify(known.suite, bad), calls()]).toEqual([false, 1]);
  });

  it('never takes the word of a later verifier for what the strict prechecks refuse', async () => {
    const asked: ClaimedSignature[] = [];
    const known = new KnownSignatures(nodeSuite, (one) => {
      asked.push(one);
      return Promise.resolve(true);
    });
    const smallOrder = { ...signed('a'), publicKey: new Uint8Array(32) };
    const largeS = { ...signed('b'), signature: new Uint8Array(64).fill(0xff) };
    await known.verifyAhead([smallOrder, largeS]);
    expect(asked).toEqual([]);
    expect([verify(known.suite, smallOrder), verify(known.suite, largeS)]).toEqual([false, false]);
    // The control: what passes them is asked for.
    await known.verifyAhead([signed('c')]);
    expect(asked).toHaveLength(1);
  });

  it('fall back to the library where the later verifier fails', async () => {
    const known = new KnownSignatures(nodeSuite, () => Promise.reject(new Error('gone')));
    const good = signed('a');
    await known.verifyAhead([good]);
    expect(verify(known.suite, good)).toBe(true);
  });
});
