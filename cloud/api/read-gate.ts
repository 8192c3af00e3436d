import { distinct, equal } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { accountId } from '../../protocol/objects/ids.js';
import type { MediaStore } from '../media/media-store.js';
import type { ClaimRow, CloudStore } from '../store/store.js';
import { noMakerList, type MakerList } from '../trust/maker-list.js';
import { SignedClaims } from './signed-claims.js';

export interface ReaderDependencies {
  readonly store: CloudStore;
  /** Where the bodies of clips lie. */
  readonly bodies: MediaStore;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Omitted where no maker's key is configured; devices that a list named before stay revoked. */
  readonly makerList?: MakerList;
}

/** What keeps reads closed: the kill switch, marks for deletion, revocations. A store that does not answer keeps them closed. */
export class ReadGate {
  protected readonly deps: ReaderDependencies;
  protected readonly claims: SignedClaims;
  private readonly makerList: MakerList;

  constructor(deps: ReaderDependencies) {
    this.deps = deps;
    this.claims = new SignedClaims(deps.suite);
    this.makerList = deps.makerList ?? noMakerList(deps);
  }

  /**
   * Checks the kill switch and the marks for deletion, for the reader's own account and for the account that is read, and
   * the maker's list. Every read calls this again; if the store cannot answer, the read fails and nothing is shown.
   *
   * @throws SealcamError `reads-paused`, `account-marked`, `not-found`, `revocation-stale`, `store-unavailable`
   */
  async requireReadsOpen(key: Uint8Array, account: Uint8Array | null = null): Promise<void> {
    const { store, suite, counters } = this.deps;
    const own = accountId(suite, key);
    const accounts = account === null ? [own] : [own, account];
    // Side by side: a store that is busy answers them in one wait.
    const [, pause, marks] = await Promise.all([
      this.makerList.check(),
      store.reads.pauseOf(accounts),
      store.accounts.marks(accounts),
    ]);
    if (pause !== undefined) {
      counters.add('reads.paused');
      throw new SealcamError('reads-paused', pause.sentence);
    }
    if (marks.some((mark) => equal(mark.account, own))) throw ownAccountMarked();
    if (marks.length > 0) throw new SealcamError('not-found', 'no such camera');
  }

  /**
   * Checks that an account is not marked for deletion.
   *
   * @throws SealcamError `account-marked`, `store-unavailable`
   */
  async requireUnmarked(account: Uint8Array): Promise<void> {
    if (await this.isMarked([account])) throw ownAccountMarked();
  }

  protected async isMarked(accounts: readonly Uint8Array[]): Promise<boolean> {
    return (await this.deps.store.accounts.marks(accounts)).length > 0;
  }

  /** Returns whether the owner of a row marked the account for deletion. A mark hides, so the row's own word is enough. */
  isRowMarked(row: ClaimRow): Promise<boolean> {
    return this.isMarked(this.accountsOf(row));
  }

  /** Returns the account that a row names, and that of the claim in it if that is another. */
  protected accountsOf(row: ClaimRow): readonly Uint8Array[] {
    const claim = this.claims.in(row);
    return claim === null ? [row.account] : distinct([row.account, claim.account]);
  }

  protected async isPaused(accounts: readonly Uint8Array[]): Promise<boolean> {
    return (await this.deps.store.reads.pauseOf(accounts)) !== undefined;
  }

  protected async isRevoked({ state, device }: ClaimRow): Promise<boolean> {
    return state === 'revoked' || this.makerList.isRevoked(device);
  }
}

function ownAccountMarked(): SealcamError {
  return new SealcamError('account-marked', 'this account is marked for deletion; nothing of it is shown');
}
