import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { ProtocolVersion, Verified } from '../../protocol/objects/signed-object.js';
import type { ClaimBinding } from '../../protocol/verify/binding.js';
import type { PutOutcome } from './put-outcome.js';

/** Claims, offers, and the keys that belong to them. */

export interface ClaimRow extends ClaimBinding {
  /** Of the claim, and so of everything in its epoch. */
  readonly version: ProtocolVersion;
  /** The signed claim; null once its account was deleted. */
  readonly claim: Uint8Array | null;
  readonly acceptedAtMs: number;
}

/** A camera's signed offer. */
export interface StoredOffer {
  readonly offer: Uint8Array;
  /** The same in version 2, where the camera made it in both. */
  readonly offerV2?: Uint8Array;
  readonly atMs: number;
}

/** A claim that an owner sent and the camera has not accepted yet. */
export interface PendingClaim {
  readonly claim: Uint8Array;
  readonly mac: Uint8Array | null;
  /** The KEM keys that came beside a claim of version 2, in its order. */
  readonly kemKeys?: readonly Uint8Array[];
  readonly nonce: Uint8Array;
  readonly atMs: number;
}

/** A KEM key that no claim names yet. */
export interface OfferedKemKey {
  /** The Ed25519 key of the browser. */
  readonly signer: Uint8Array;
  readonly hash: Uint8Array;
  readonly kemKey: Uint8Array;
  readonly atMs: number;
}

/** Whose cameras a person asked for. */
export interface Household {
  /** The person's own account and those whose invitation the person accepted. */
  readonly accounts: readonly Uint8Array[];
  /**
   * Where the sample of other accounts begins, in the order of account ids: 16 random bytes of the session, so that nobody
   * who names a person without end keeps another's invitation from being seen.
   */
  readonly sampleFrom: Uint8Array;
}

export interface ClaimStore {
  /** Returns the authoritative row of one epoch. */
  row(device: Uint8Array, epoch: number): Promise<ClaimRow | undefined>;
  /** Returns the camera's row with the highest epoch. */
  latest(device: Uint8Array): Promise<ClaimRow | undefined>;
  /**
   * Returns the rows that name this Ed25519 key as owner or member; with `household`, those of its accounts and a bounded
   * sample of the others, which name the key without its consent.
   */
  readableBy(key: Uint8Array, household?: Household): Promise<readonly ClaimRow[]>;
  /** Iterates over the rows whose cameras may still send, one page of rows in memory. */
  open(): AsyncIterable<ClaimRow>;
  /** Returns whether the table of members lists this key for the epoch. */
  isMember(device: Uint8Array, epoch: number, key: Uint8Array): Promise<boolean>;
  /**
   * Stores a verified claim as the row of a new epoch, and the camera's accept record, in one transaction. The epoch must
   * exceed the camera's last one; a different claim for the same or a lower epoch is `equivocation`. Of `kemKeys`, and of
   * those that wait with a pending claim, it stores the ones that the claim names; also where the claim is stored already.
   */
  accept(
    claim: Verified<AnyClaim>,
    accept: Verified<AnyRecord>,
    atMs: number,
    kemKeys?: readonly Uint8Array[],
  ): Promise<PutOutcome>;
  /** Returns KEM keys by their hash; null for one that is not stored. A key goes with the last claim that names it. */
  kemKeys(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  /**
   * Stores the KEM key of a browser that waits to be named in a claim, in place of the last of its signing key, and removes
   * those that waited for too long. Returns false, and stores nothing, while as many others wait as may.
   */
  offerKemKey(offered: OfferedKemKey): Promise<boolean>;
  /** Returns a KEM key that waits, by its hash, unless it was stored before `sinceMs`. */
  offeredKemKey(hash: Uint8Array, sinceMs: number): Promise<Uint8Array | undefined>;
  /** Closes an epoch at its verified tombstone. Does nothing unless the epoch is open. */
  close(device: Uint8Array, epoch: number, seq: number): Promise<void>;
  /**
   * Stores the camera's newest offer in place of the last, and removes the offers and pending claims of windows that have
   * closed. Returns false, and stores nothing, while as many other offers are open as there may be.
   */
  putOffer(device: Uint8Array, offer: StoredOffer): Promise<boolean>;
  offer(device: Uint8Array): Promise<StoredOffer | undefined>;
  /** Stores the claim that waits for the camera in place of the last. */
  putPending(device: Uint8Array, pending: PendingClaim): Promise<void>;
  pending(device: Uint8Array): Promise<PendingClaim | undefined>;
  dropPending(device: Uint8Array): Promise<void>;
}
