import type { EpochKey } from './epoch-key.js';

/** A browser that asked for notifications. */
export interface PushSubscription {
  /** 16 random bytes. */
  readonly id: Uint8Array;
  /** The Ed25519 key of the session that asked. */
  readonly key: Uint8Array;
  /** URL of the push service for this browser; who knows it can send there. */
  readonly endpoint: string;
  /** The browser's public key on P-256, uncompressed, and its secret of 16 bytes (RFC 8291, section 2). */
  readonly p256dh: Uint8Array;
  readonly auth: Uint8Array;
  /** What it wants to know, as JSON; see cloud/push/choices.ts. */
  readonly choices: string;
  readonly createdAtMs: number;
  /** When the push service last took a message; null before the first. */
  readonly lastOkMs: number | null;
  /** Since when each message failed; null where the last one did not. */
  readonly failingSinceMs: number | null;
}

export type NewPushSubscription = Omit<PushSubscription, 'lastOkMs' | 'failingSinceMs'>;

/** Who is to be notified. A key has a bounded number; what nobody renewed, and what took no message, goes after a time. */
export interface PushStore {
  /**
   * Stores a subscription and returns its id. The same endpoint of the same key keeps its id and takes the rest of the new one.
   * Returns null, and stores nothing, where the key has as many others as it may.
   */
  put(subscription: NewPushSubscription): Promise<Uint8Array | null>;
  /** Returns the subscriptions of these keys, the oldest of each key first. */
  ofKeys(keys: readonly Uint8Array[]): Promise<readonly PushSubscription[]>;
  find(id: Uint8Array): Promise<PushSubscription | undefined>;
  /** Removes a subscription of this key; does nothing for one of another. */
  remove(key: Uint8Array, id: Uint8Array): Promise<void>;
  noteSent(id: Uint8Array, atMs: number): Promise<void>;
  /** Notes that a message failed, and removes the subscription where none has come through for the time that bounds.ts says. */
  noteFailed(id: Uint8Array, atMs: number): Promise<void>;
  /**
   * Notes that the household hears of a camera's silence since `sinceMs`. Returns false where that silence, or a later one of
   * the epoch, was noted before, by whichever worker.
   */
  noteSilence(epoch: EpochKey, sinceMs: number): Promise<boolean>;
}
