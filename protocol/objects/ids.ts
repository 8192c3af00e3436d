import { concat, toHex, utf8 } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';

export const ID_BYTES = 16;
/** Stands for the id of an event in the seal of an object whose record has none. */
export const NO_EVENT = new Uint8Array(ID_BYTES);
export const HASH_BYTES = 32;
export const KEY_BYTES = 32;
/** An X-Wing public key, and what encapsulating to it gives (draft-connolly-cfrg-xwing-kem). */
export const KEM_KEY_BYTES = 1216;
export const KEM_CIPHERTEXT_BYTES = 1120;

const DEVICE_PREFIX = utf8('sealcam/device/v1');
const ACCOUNT_PREFIX = utf8('sealcam/account/v1');

/** Returns a device's id (32 bytes). It follows from the key alone, so no table can map it to another device. */
export function deviceId(suite: CryptoSuite, publicKey: Uint8Array): Uint8Array {
  return suite.sha256(concat(DEVICE_PREFIX, publicKey));
}

/** Returns an account's id (16 bytes), an opaque pseudonym. Every verifier derives it from the owner key itself. */
export function accountId(suite: CryptoSuite, ownerKey: Uint8Array): Uint8Array {
  return suite.sha256(concat(ACCOUNT_PREFIX, ownerKey)).slice(0, ID_BYTES);
}

/** Returns the key of a record in a map over one camera's records: `epoch/seq`. */
export function placeKey({ epoch, seq }: { readonly epoch: number; readonly seq: number }): string {
  return `${String(epoch)}/${String(seq)}`;
}

/** Returns the key of an epoch in a map over several cameras: `device/epoch`, the device in hex. */
export function epochKey(device: Uint8Array | string, epoch: number): string {
  return `${typeof device === 'string' ? device : toHex(device)}/${String(epoch)}`;
}

/** Returns the key of a record in a map over several cameras: `device/epoch/seq`, the device in hex. */
export function recordKey(record: {
  readonly device: Uint8Array | string;
  readonly epoch: number;
  readonly seq: number;
}): string {
  return `${epochKey(record.device, record.epoch)}/${String(record.seq)}`;
}
