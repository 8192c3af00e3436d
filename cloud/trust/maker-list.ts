import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { revocationKind, type Revocation } from '../../protocol/objects/revocation.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { FaultLog } from '../alarms/fault-log.js';
import type { CloudStore } from '../store/store.js';

export interface MakerListSettings {
  /** Null where no maker's lists are accepted. */
  readonly key: Uint8Array | null;
  /** Age of the newest list above which the cloud stops receipts and reads; 0 sets no limit. */
  readonly maxAgeMs: number;
}

export interface MakerListDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly log: Log;
}

/** How far a list may be ahead of this clock. One dated in the far future would otherwise count as fresh for ever. */
const AHEAD_MAX_MS = 3_600_000;

/**
 * The devices whose keys the maker revoked. Every check reads the store; the newest list is verified again only when its
 * bytes differ from those last verified.
 */
export class MakerList {
  private readonly settings: MakerListSettings;
  private readonly deps: MakerListDependencies;
  private verified: { readonly list: Verified<Revocation>; readonly devices: ReadonlySet<string> } | null = null;
  private readonly faults: FaultLog;

  constructor(settings: MakerListSettings, deps: MakerListDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.faults = new FaultLog(deps.clock, deps.log);
  }

  /**
   * Throws unless the newest list is as fresh as configured. A list that is missing or cannot be verified is not fresh.
   *
   * @throws SealcamError `revocation-stale`, `store-unavailable`
   */
  async check(): Promise<void> {
    const { key, maxAgeMs } = this.settings;
    if (key === null) return;
    const list = await this.readNewest(key).catch((error: unknown) => {
      if (!isSealcamError(error) || error.code === 'store-unavailable') throw error;
      return null;
    });
    if (maxAgeMs === 0) return;
    const nowMs = this.deps.clock.wallMs();
    const issuedAtMs = list?.value.issuedAtMs;
    if (issuedAtMs !== undefined && nowMs - issuedAtMs <= maxAgeMs && issuedAtMs - nowMs <= AHEAD_MAX_MS) return;
    const state =
      issuedAtMs === undefined ? 'is missing or unreadable' : `of ${new Date(issuedAtMs).toISOString()} is not current`;
    this.faults.error(
      'revocation-stale',
      { alarm: 'revocation-stale' },
      `the maker's revocation list ${state}: nothing is receipted or shown until a newer one is imported`,
    );
    throw new SealcamError('revocation-stale', `the maker's revocation list ${state}; nothing is receipted or shown`);
  }

  /**
   * Returns whether the maker revoked this device.
   *
   * @throws SealcamError `revocation-stale`, `store-unavailable`
   */
  async isRevoked(device: Uint8Array): Promise<boolean> {
    await this.check();
    return this.names(device) || this.deps.store.revocations.isRevoked(device);
  }

  /** Returns whether the newest list names this device, as of the last check. What an older one named, the store knows. */
  names(device: Uint8Array): boolean {
    return this.verified?.devices.has(toHex(device)) === true;
  }

  private async readNewest(key: Uint8Array): Promise<Verified<Revocation> | null> {
    const stored = await this.deps.store.revocations.newest(key);
    if (stored === undefined) return null;
    if (this.verified !== null && equal(this.verified.list.bytes, stored.list)) return this.verified.list;
    const list = openMakerList(this.deps.suite, key, stored.list);
    this.verified = { list, devices: new Set(list.value.entries.map(({ device }) => toHex(device))) };
    return list;
  }
}

/** Returns the list of a cloud without a maker's key: devices that an earlier list named stay revoked. */
export function noMakerList(deps: MakerListDependencies): MakerList {
  return new MakerList({ key: null, maxAgeMs: 0 }, deps);
}

/**
 * Verifies a maker's list.
 *
 * @throws SealcamError `malformed`, `bad-signature`, `foreign`, …
 */
export function openMakerList(suite: CryptoSuite, key: Uint8Array, bytes: Uint8Array): Verified<Revocation> {
  const list = openSigned(revocationKind, suite, bytes);
  if (list.value.scope !== 'maker' || !equal(list.kid, key)) {
    throw new SealcamError('foreign', 'not a list of the maker whose key is configured', {
      hint: 'revocation.makerKey must be the public key that signed it.',
    });
  }
  return list;
}
