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
  /** Null: no maker's lists are taken. */
  readonly key: Uint8Array | null;
  /** A newer list must have come within this time; 0 asks for none. */
  readonly maxAgeMs: number;
}

export interface MakerListDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly log: Log;
}

/** A list may be so much ahead of this clock; one from the future would otherwise be fresh for ever. */
const AHEAD_MAX_MS = 3_600_000;

/**
 * Devices whose keys the maker revoked. Asked of the store each time; the newest list is verified again whenever its
 * bytes are others than the last that verified.
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

  /** In doubt nobody is let through. @throws SealcamError `revocation-stale` */
  async check(): Promise<void> {
    const { key, maxAgeMs } = this.settings;
    if (key === null) return;
    const list = await this.newest(key).catch((error: unknown) => {
      if (!isSealcamError(error) || error.code === 'store-unavailable') throw error;
      return null;
    });
    if (maxAgeMs === 0) return;
    const nowMs = this.deps.clock.wallMs();
    const issuedAtMs = list?.value.issuedAtMs;
    if (issuedAtMs !== undefined && nowMs - issuedAtMs <= maxAgeMs && issuedAtMs - nowMs <= AHEAD_MAX_MS) return;
    const why =
      issuedAtMs === undefined ? 'is missing or unreadable' : `of ${new Date(issuedAtMs).toISOString()} is not current`;
    this.faults.error(
      'revocation-stale',
      { alarm: 'revocation-stale' },
      `the maker's revocation list ${why}: nothing is receipted or shown until a newer one is imported`,
    );
    throw new SealcamError('revocation-stale', `the maker's revocation list ${why}; nothing is receipted or shown`);
  }

  /** @throws SealcamError `revocation-stale` */
  async isRevoked(device: Uint8Array): Promise<boolean> {
    await this.check();
    return this.verified?.devices.has(toHex(device)) === true || this.deps.store.revocations.isRevoked(device);
  }

  private async newest(key: Uint8Array): Promise<Verified<Revocation> | null> {
    const stored = await this.deps.store.revocations.newest(key);
    if (stored === undefined) return null;
    if (this.verified !== null && equal(this.verified.list.bytes, stored.list)) return this.verified.list;
    const list = openMakerList(this.deps.suite, key, stored.list);
    this.verified = { list, devices: new Set(list.value.entries.map(({ device }) => toHex(device))) };
    return list;
  }
}

/** @throws SealcamError `malformed`, `bad-signature`, `foreign`, … */
export function openMakerList(suite: CryptoSuite, key: Uint8Array, bytes: Uint8Array): Verified<Revocation> {
  const list = openSigned(revocationKind, suite, bytes);
  if (list.value.scope !== 'maker' || !equal(list.kid, key)) {
    throw new SealcamError('foreign', 'not a list of the maker whose key is configured', {
      hint: 'revocation.makerKey must be the public key that signed it.',
    });
  }
  return list;
}
