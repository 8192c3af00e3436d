import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { MasterKey } from '../../protocol/owner/secrets.js';
import { ownerKeys, type OwnerKeys } from './owner-keys.js';

/** How long the root key stays open: enough for a household of several cameras, too short to be left lying about. */
export const ROOT_OPEN_MAX_MS = 5 * 60_000;

/** The root key while it is open, in memory alone. */
export interface OpenRoot {
  /** They sign and open nothing more once it is locked. */
  readonly keys: OwnerKeys;
  /** By the monotonic clock: when it locks by itself. */
  readonly untilMs: number;
  /** Forgets the key. JavaScript cannot promise that no copy of it is left in memory. */
  readonly lock: () => void;
  /** Calls `listener` when it is locked, by `lock` or by time; at once if it is locked already. */
  readonly onLock: (listener: () => void) => void;
}

/** Returns the root key of `master`, which is overwritten when it is locked, at the latest after {@link ROOT_OPEN_MAX_MS}. */
export function openRootOf(suite: CryptoSuite, clock: Clock, master: MasterKey): OpenRoot {
  const keys = ownerKeys(suite, master);
  const listeners: (() => void)[] = [];
  let isLocked = false;
  const lock = (): void => {
    if (isLocked) return;
    isLocked = true;
    cancel();
    for (const secret of [master, keys.kemSeed, keys.recipient.secret]) secret.fill(0);
    for (const listener of listeners) listener();
  };
  const cancel = clock.after(ROOT_OPEN_MAX_MS, lock);
  const sign = (message: Uint8Array): Uint8Array => {
    if (!isLocked) return keys.signer.sign(message);
    throw new SealcamError('claim-refused', 'the root key was locked again', { hint: 'Type its passphrase again.' });
  };
  return {
    keys: { ...keys, signer: { publicKey: keys.signer.publicKey, sign } },
    untilMs: clock.monotonicMs() + ROOT_OPEN_MAX_MS,
    lock,
    onLock: (listener) => {
      if (isLocked) listener();
      else listeners.push(listener);
    },
  };
}
