/** Names, keys and shapes of the vectors in seal2.json. */
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { xwingKeys, type XWingKeys } from '../../protocol/crypto/xwing.js';
import type { PeriodContext } from '../../protocol/seal/key-record.js';
import type { ObjectContext } from '../../protocol/seal/object.js';
import { NAMES, seedOf } from './keyring.js';

/** Names of keys in keys.json. */
export type RecipientName = keyof typeof NAMES;

export interface PeriodVector {
  readonly name: string;
  readonly context: PeriodContext;
  readonly contextHash: Uint8Array;
  /** In the order of the wraps. */
  readonly recipients: readonly RecipientName[];
  /** K. */
  readonly key: Uint8Array;
  /** 64 bytes for each wrap: ML-KEM's message, then the ephemeral X25519 secret. */
  readonly randomness: readonly Uint8Array[];
  readonly commit: Uint8Array;
  /** CK_i and OK_i of some i. */
  readonly chain: readonly { readonly index: number; readonly chain: Uint8Array; readonly link: Uint8Array }[];
  readonly body: Uint8Array;
  readonly bodyHash: Uint8Array;
}

export interface ObjectVector {
  readonly name: string;
  /** The period that it was sealed in. */
  readonly period: string;
  readonly context: ObjectContext;
  readonly index: number;
  readonly contextHash: Uint8Array;
  readonly content: Uint8Array;
  /** E. */
  readonly key: Uint8Array;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  readonly headerHash: Uint8Array;
  readonly bodyHash: Uint8Array;
}

/** Returns the X-Wing seed of a named key. */
export function kemSeedOf(suite: CryptoSuite, name: RecipientName): Uint8Array {
  return seedOf(suite, `${NAMES[name]} xwing`);
}

/** Returns the X-Wing keys of a named key. */
export function kemKeysOf(suite: CryptoSuite, name: RecipientName): XWingKeys {
  return xwingKeys(suite, kemSeedOf(suite, name));
}
