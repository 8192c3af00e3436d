import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { CloudStore } from '../store/store.js';
import type { Random } from '../../common/random.js';
import type { PushServices } from '../push/endpoint.js';
import type { Feed } from './feed.js';
import type { LivePart } from './look-stream.js';
import type { Reader } from './reader.js';
import type { Sessions } from './sessions.js';
import type { Statements } from './statements.js';
import type { Uploads } from './uploads.js';

/** Live messages of cameras, by session id. */
export interface LiveSource {
  /**
   * Passes on the messages of one look. Resolves once they arrive, with the function that ends it.
   *
   * @throws SealcamError `request-invalid` for a session id that is in use; `broker-unreachable`
   */
  subscribe(device: Uint8Array, session: Uint8Array, receive: (part: LivePart) => void): Promise<() => void>;
}

/** What a browser needs to subscribe, and what may be subscribed. */
export interface PushAccess {
  /** The key for which browsers subscribe, in base64url. */
  readonly publicKey: string;
  readonly services: PushServices;
  /** Makes the ids of subscriptions. */
  readonly random: Random;
}

/** Shared by all routes. */
export interface ApiContext {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly sessions: Sessions;
  readonly reader: Reader;
  readonly statements: Statements;
  readonly uploads: Uploads;
  readonly feed: Feed;
  readonly live: LiveSource;
  /** Null where the operator has not set notifications up. */
  readonly push: PushAccess | null;
  /** How long records are kept, at least. */
  readonly keepsForMs: number;
  /** Time between a deletion and its erasing, in which it can be undone. */
  readonly deletionDelayMs: number;
  /** Public receipt keys for new claims, the current one first. */
  readonly receiptKeys: readonly Uint8Array[];
  /** Sign again, for an export, what receipts said. */
  readonly receiptSigners: readonly Signer[];
  readonly cloudOrigin: () => string;
  /** Why this process cannot do its work at present; null if it can. */
  readonly notReady: () => Promise<string | null>;
  /** Publishes on a camera's `down` topic. */
  readonly sendDown: (device: Uint8Array, payload: Uint8Array) => void;
  /** Stores a claim with the accept that its camera signed. @throws SealcamError `foreign`, `claim-refused`, `kem-key`, … */
  readonly handInAccept: (
    device: Uint8Array,
    claim: Uint8Array,
    accept: Uint8Array,
    kemKeys?: readonly Uint8Array[],
  ) => Promise<void>;
}
