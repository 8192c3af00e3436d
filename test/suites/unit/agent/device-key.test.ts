import { describe, expect, it } from 'vitest';
import { CheckedSigner } from '../../../../agent/main/checked-signer.js';
import { loadIdentity } from '../../../../agent/main/identity.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { MockKeyStore } from '../../../../hal/mock/key-store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { codeOf } from '../../../support/codes.js';

const seed = realRandom.bytes(32);
const message = new Uint8Array(100).fill(3);

/** Signs as node:crypto does, but with one bit flipped while `isFaulty`. */
function faulty(state: { isFaulty: boolean; signed: number }): CryptoSuite {
  return {
    ...nodeSuite,
    ed25519Signer: (key) => {
      const signer = nodeSuite.ed25519Signer(key);
      return {
        publicKey: signer.publicKey,
        sign: (bytes) => {
          state.signed++;
          const signature = signer.sign(bytes);
          if (state.isFaulty) signature[40] = (signature[40] ?? 0) ^ 4;
          return signature;
        },
      };
    },
  };
}

describe('the device key', () => {
  it('signs alike in both libraries, and as node:crypto alone', () => {
    const signer = new CheckedSigner(seed, nodeSuite, tweetnaclSuite);
    signer.check();
    expect(signer.sign(message)).toEqual(nodeSuite.ed25519Signer(seed).sign(message));
    expect(signer.sign(message)).toEqual(tweetnaclSuite.ed25519Signer(seed).sign(message));
  });

  it('starts no camera while a signature differs by one bit, and signs nothing but the check', () => {
    const state = { isFaulty: true, signed: 0 };
    const keyStore = new MockKeyStore();
    expect(codeOf(() => loadIdentity({ keyStore }, faulty(state), realRandom))).toBe('key-check-failed');
    expect(state.signed).toBe(1);
    // The control: the same key in a machine without a fault.
    state.isFaulty = false;
    expect(codeOf(() => loadIdentity({ keyStore }, faulty(state), realRandom))).toBe('accepted');
  });

  it('signs nothing more after a later check failed, though the fault is gone', () => {
    const state = { isFaulty: false, signed: 0 };
    const signer = new CheckedSigner(seed, faulty(state), tweetnaclSuite);
    signer.check();
    expect(codeOf(() => signer.sign(message))).toBe('accepted');
    state.isFaulty = true;
    expect(codeOf(() => signer.check())).toBe('key-check-failed');
    state.isFaulty = false;
    const before = state.signed;
    expect(codeOf(() => signer.sign(message))).toBe('key-check-failed');
    expect(codeOf(() => signer.check())).toBe('key-check-failed');
    // The check itself may sign, what it was asked for may not.
    expect(state.signed - before).toBeLessThanOrEqual(1);
  });
});
