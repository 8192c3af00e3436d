import type { Random } from '../../common/random.js';
import type { Hal } from '../../hal/hal.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { deviceId } from '../../protocol/objects/ids.js';
import { anyRecordKind } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import type { OutboxSigner } from '../outbox/outbox.js';
import { CheckedSigner } from './checked-signer.js';

export interface Identity {
  readonly signer: Signer;
  /** Signs once with each of two libraries. @throws SealcamError `key-check-failed`; nothing is signed from then on */
  readonly checkKey: () => void;
  readonly device: Uint8Array;
  readonly claimSecret: Uint8Array;
}

/**
 * Loads the device's secrets; makes them at the first start. Checks that the key signs alike in two libraries.
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`, `key-check-failed`
 */
export function loadIdentity(hal: Pick<Hal, 'keyStore'>, suite: CryptoSuite, random: Random): Identity {
  const { seed, claimSecret } = hal.keyStore.load(() => ({ seed: random.bytes(32), claimSecret: random.bytes(16) }));
  const signer = new CheckedSigner(seed, suite, tweetnaclSuite);
  signer.check();
  const checkKey = (): void => {
    signer.check();
  };
  return { signer, checkKey, device: deviceId(suite, signer.publicKey), claimSecret };
}

/** Returns what the outbox signs and opens objects with; it sees no key. */
export function outboxSigner(suite: CryptoSuite, { signer, device }: Identity): OutboxSigner {
  return {
    device,
    sign: (record) => signObject(anyRecordKind, suite, signer, record),
    openClaim: (bytes) => openSigned(anyClaimKind, suite, bytes),
    openRecord: (bytes) => openSigned(anyRecordKind, suite, bytes),
  };
}
