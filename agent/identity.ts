import type { Random } from '../common/random.js';
import type { Hal } from '../hal/hal.js';
import type { CryptoSuite, Signer } from '../protocol/crypto/suite.js';
import { deviceId } from '../protocol/objects/ids.js';

export interface Identity {
  readonly signer: Signer;
  readonly device: Uint8Array;
  readonly claimSecret: Uint8Array;
}

/** Reads or makes the device's secrets. @throws SealcamError `key-file-invalid`, `key-store-unavailable` */
export function loadIdentity(hal: Pick<Hal, 'keyStore'>, suite: CryptoSuite, random: Random): Identity {
  const { seed, claimSecret } = hal.keyStore.load(() => ({ seed: random.bytes(32), claimSecret: random.bytes(16) }));
  const signer = suite.ed25519Signer(seed);
  return { signer, device: deviceId(suite, signer.publicKey), claimSecret };
}
