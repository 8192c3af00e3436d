import { createHash } from 'node:crypto';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';

const VERDICTS_KEPT_MAX = 50_000;
const verified = new Map<string, boolean>();

/**
 * The real primitives with a cache of verdicts. Camera, cloud and oracle verify the same signatures; the verdict is a pure
 * function of key, message and signature, so it is kept under the hash of all three.
 */
export const simSuite: CryptoSuite = {
  ...nodeSuite,
  ed25519VerifyLoose(publicKey, message, signature) {
    const name = createHash('sha256').update(publicKey).update(signature).update(message).digest('base64');
    const known = verified.get(name);
    if (known !== undefined) return known;
    if (verified.size >= VERDICTS_KEPT_MAX) verified.clear();
    const isGood = nodeSuite.ed25519VerifyLoose(publicKey, message, signature);
    verified.set(name, isGood);
    return isGood;
  },
};
