import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { settingsKind, type Settings } from '../../protocol/objects/settings.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { ClaimRow } from '../store/store.js';
import type { ApiContext } from './context.js';
import type { Session } from './sessions.js';

export interface HouseholdOfReader {
  readonly account: Uint8Array;
  readonly settings: readonly Uint8Array[];
}

/**
 * Settings of households. Who may read and write them are the recipients of the household's present claims of version 2, by the signed
 * claims: of each camera the newest one. The content is sealed; nothing of it is judged here.
 */
export class HouseholdReader {
  private readonly context: Pick<ApiContext, 'store' | 'suite' | 'reader'>;

  constructor(context: Pick<ApiContext, 'store' | 'suite' | 'reader'>) {
    this.context = context;
  }

  /**
   * Opens an object that this key sends for a household.
   * @throws SealcamError `foreign`, `account-marked`, `malformed`, `bad-signature`, `unsupported`, `store-unavailable`
   */
  async open({ key }: Session, account: Uint8Array, bytes: Uint8Array): Promise<Verified<Settings>> {
    const { suite, reader } = this.context;
    const settings = openSigned(settingsKind, suite, bytes);
    if (!equal(settings.kid, key)) throw new SealcamError('foreign', 'the signer is not the key of this session');
    if (!equal(settings.value.account, account)) throw new SealcamError('foreign', 'settings of another household');
    if (!(await this.peopleOf(account)).has(toHex(key))) {
      throw new SealcamError('foreign', 'no present claim of this household names this key');
    }
    await reader.requireUnmarked(account);
    return settings;
  }

  /**
   * Returns the newest objects of each household of this key.
   * @throws SealcamError `reads-paused`, `account-marked`, `revocation-stale`, `store-unavailable`
   */
  async settingsFor({ key, household }: Session): Promise<readonly HouseholdOfReader[]> {
    const { store, reader } = this.context;
    await reader.requireReadsOpen(key);
    const rows = new Map<string, ClaimRow>();
    for (const row of await store.claims.readableBy(key, household)) rows.set(toHex(row.account), row);
    const found: HouseholdOfReader[] = [];
    for (const row of rows.values()) {
      const { account } = row;
      if ((await reader.isRowMarked(row)) || (await store.reads.pauseOf([account])) !== undefined) continue;
      if ((await this.peopleOf(account)).has(toHex(key)))
        found.push({ account, settings: await this.storedOf(account) });
    }
    return found;
  }

  /** Returns the objects that are stored of an account: one that is not of its row raises an alarm, and is left out. */
  async storedOf(account: Uint8Array): Promise<readonly Uint8Array[]> {
    const { store, suite, reader } = this.context;
    const shown: Uint8Array[] = [];
    for (const bytes of await store.settings.of(account)) {
      let reason = 'settings that are not of their row';
      try {
        if (equal(openSigned(settingsKind, suite, bytes).value.account, account)) {
          shown.push(bytes);
          continue;
        }
      } catch (error) {
        reason = asSealcamError(error).message;
      }
      await reader.reportMismatch(null, null, { verdict: 'foreign', reason, bytes });
    }
    return shown;
  }

  /** Returns the keys (hex) of everybody whom a present claim of version 2 names. */
  private async peopleOf(account: Uint8Array): Promise<ReadonlySet<string>> {
    const { store, reader } = this.context;
    const newest = new Map<string, ClaimRow>();
    for (const row of await store.accounts.claims(account)) {
      const device = toHex(row.device);
      if ((newest.get(device)?.epoch ?? 0) < row.epoch) newest.set(device, row);
    }
    const people = new Set<string>();
    for (const row of newest.values()) {
      const claim = row.state === 'open' ? reader.claimOf(row) : null;
      if (claim === null || !isVersionTwo(claim) || !equal(claim.account, account)) continue;
      for (const { ed25519 } of claim.recipients) people.add(toHex(ed25519));
    }
    return people;
  }
}
