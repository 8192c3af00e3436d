import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { KEY_BYTES } from '../../protocol/objects/ids.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { CloudClient } from './cloud-client.js';
import type { AppStorage } from './storage.js';

/** Why a set of keys was accepted: nothing else was known, this owner's newest claim names it, or this person said so. */
export type PinReason = 'first' | 'claim' | 'person';

/** The receipt keys that this browser accepted from a cloud, all of them together. */
export interface PinnedKeys {
  readonly keys: readonly Uint8Array[];
  /** Wall clock of this device, UTC. */
  readonly atMs: number;
  readonly by: PinReason;
}

/** A key that the cloud names: in force here, in force before and then replaced, or never seen. */
export interface NamedKey {
  readonly key: Uint8Array;
  readonly standing: 'kept' | 'replaced' | 'new';
}

/** A cloud that names other receipt keys than those this browser accepted. Nothing is signed with them until a person agrees. */
export interface KeyChange {
  readonly named: readonly NamedKey[];
  /** Keys accepted before that the cloud no longer names. */
  readonly dropped: readonly Uint8Array[];
  /** One rotation looks like this, and proves nothing: the successor moved up, and one new key is behind it. */
  readonly isLikeRotation: boolean;
}

export interface ReceiptKeyPinsDependencies {
  readonly suite: CryptoSuite;
  readonly storage: AppStorage;
  readonly clock: Clock;
  readonly client: Pick<CloudClient, 'cloudOrigin' | 'receiptKeys'>;
  readonly ownerKey: Uint8Array;
}

/** Sets kept, so that a key that was replaced is known as such. */
const PINNED_MAX = 16;

const stored = v.array(
  v.object({
    keys: v.pipe(v.array(v.hexBytes(KEY_BYTES)), v.minLength(1), v.maxLength(LIMITS.receiptKeysMax)),
    atMs: v.number(),
    by: v.picklist(['first', 'claim', 'person']),
  }),
);

/**
 * Remembers which receipt keys a cloud names. A claim lets them sign what cameras then delete, and `/v1/info` is unsigned:
 * so a set that differs by one key is put to the owner before it is signed. Keys are kept for each cloud's origin.
 */
export class ReceiptKeyPins {
  private readonly deps: ReceiptKeyPinsDependencies;

  constructor(deps: ReceiptKeyPinsDependencies) {
    this.deps = deps;
  }

  /** Returns the sets that this browser accepted, the one in force first. */
  async accepted(): Promise<readonly PinnedKeys[]> {
    const text = await this.deps.storage.setting(this.setting);
    return text === null ? [] : v.parse(stored, JSON.parse(text));
  }

  /**
   * Returns the keys to name in a claim. The first set of all is accepted as it comes, unless a claim of this owner's names
   * another.
   *
   * @throws SealcamError `receipt-keys-changed`, `cloud-unreachable`
   */
  async forClaim(): Promise<readonly Uint8Array[]> {
    const named = await this.deps.client.receiptKeys();
    const base = await this.base();
    if (base === null) await this.pin(named, 'first');
    else if (!isSameSet(named, base.keys)) {
      throw new SealcamError('receipt-keys-changed', 'the cloud names other receipt keys than this browser accepted');
    } else if (base.by === 'claim') await this.pin(named, 'claim');
    return named;
  }

  /** Asks the cloud; returns how its keys differ from those accepted, null where they do not or where none are. */
  async change(): Promise<KeyChange | null> {
    const base = await this.base();
    if (base === null) return null;
    const named = await this.deps.client.receiptKeys();
    if (isSameSet(named, base.keys)) return null;
    const earlier = (await this.accepted()).flatMap(({ keys }) => keys);
    const standingOf = (key: Uint8Array): NamedKey['standing'] => {
      if (isIn(key, base.keys)) return 'kept';
      return isIn(key, earlier) ? 'replaced' : 'new';
    };
    return {
      named: named.map((key) => ({ key, standing: standingOf(key) })),
      dropped: base.keys.filter((key) => !isIn(key, named)),
      isLikeRotation: isLikeRotation(base.keys, named) && !isIn(named[1], earlier),
    };
  }

  /** Accepts the keys of a change, exactly those that were shown, whatever the cloud names by now. */
  accept({ named }: KeyChange): Promise<void> {
    return this.pin(
      named.map(({ key }) => key),
      'person',
    );
  }

  private get setting(): string {
    return `receipt-keys ${this.deps.client.cloudOrigin}`;
  }

  private async pin(keys: readonly Uint8Array[], by: PinReason): Promise<void> {
    const { storage, clock } = this.deps;
    const pinned = [{ keys, atMs: Math.round(clock.wallMs()), by }, ...(await this.accepted())].slice(0, PINNED_MAX);
    const text = JSON.stringify(pinned.map((set) => ({ ...set, keys: set.keys.map(toHex) })));
    await storage.saveSetting(this.setting, text);
  }

  /** Returns what the cloud's keys are compared with; null in a browser that knows neither keys nor claims. */
  private async base(): Promise<Pick<PinnedKeys, 'keys' | 'by'> | null> {
    const [current] = await this.accepted();
    if (current !== undefined) return current;
    // A browser that was restored, or that is older than these pins: this owner signed for those keys.
    const { suite, storage, ownerKey } = this.deps;
    const claims = (await storage.epochs())
      .map(({ claim }) => openSigned(anyClaimKind, suite, claim).value)
      .filter((claim) => equal(claim.ownerKey, ownerKey))
      .sort((a, b) => b.issuedAtMs - a.issuedAtMs);
    return claims[0] === undefined ? null : { keys: claims[0].receiptKeys, by: 'claim' };
  }
}

function isLikeRotation([, successor]: readonly Uint8Array[], named: readonly Uint8Array[]): boolean {
  const [current] = named;
  return successor !== undefined && current !== undefined && named.length === 2 && equal(current, successor);
}

function isIn(key: Uint8Array | undefined, keys: readonly Uint8Array[]): boolean {
  return key !== undefined && keys.some((other) => equal(other, key));
}

function isSameSet(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.every((key) => isIn(key, b)) && b.every((key) => isIn(key, a));
}
