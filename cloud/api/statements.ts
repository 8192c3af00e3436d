import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { deletionKind, type Deletion } from '../../protocol/objects/deletion.js';
import { floorKind } from '../../protocol/objects/floor.js';
import { anyHeadsKind } from '../../protocol/objects/heads.js';
import { accountId, epochKey } from '../../protocol/objects/ids.js';
import { openSigned, type SignedKind, type Verified } from '../../protocol/objects/signed-object.js';
import type { AnyHeads, StoredDeletion } from '../store/statement-store.js';
import type { ClaimRow, CloudStore, EpochKey } from '../store/store.js';
import { readerToken } from '../trust/reader-token.js';
import type { Reader } from './reader.js';
import type { Session } from './sessions.js';

export interface StatementsDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly reader: Reader;
}

const NOT_OWN = 'the statement is not by the owner of its epoch, or for another claim';

/**
 * Signed statements of browsers, owners and this cloud. Each is opened and held to the signed claim of its epoch whenever
 * it is stored, shown or acted on; a row that disagrees raises an alarm and is skipped.
 */
export class Statements {
  private readonly deps: StatementsDependencies;

  constructor(deps: StatementsDependencies) {
    this.deps = deps;
  }

  /**
   * Opens a statement of deletion that this key sends, for an epoch that the key owns by the signed claim.
   *
   * @throws SealcamError `foreign`, `malformed`, `bad-signature`, `unsupported`, `store-unavailable`
   */
  async openDeletion(key: Uint8Array, bytes: Uint8Array): Promise<Verified<Deletion>> {
    const { store, suite, reader } = this.deps;
    const deletion = openSigned(deletionKind, suite, bytes);
    const { device, epoch, claimHash } = deletion.value;
    if (!equal(deletion.kid, key)) throw new SealcamError('foreign', NOT_OWN);
    const row = await store.claims.row(device, epoch);
    const isRequested = row !== undefined && equal(row.device, device) && row.epoch === epoch;
    // The column spares a stranger's request the alarm that the claim would raise; the claim decides.
    const isListed = isRequested && row.claim !== null && equal(row.account, accountId(suite, key));
    if (!isListed || !(await reader.isOwner(key, row)) || !equal(row.claimHash, claimHash)) {
      throw new SealcamError('foreign', NOT_OWN);
    }
    return deletion;
  }

  /**
   * Returns a stored statement of deletion, opened and held to the signed claim of its row; null, after an alarm, for one
   * that may not be acted on. `row` is that of the statement's epoch, with its claim.
   */
  async checkDeletion(row: ClaimRow, stored: StoredDeletion): Promise<Verified<Deletion> | null> {
    const claim = this.deps.reader.claimOf(row);
    const isByOwner = (statement: Verified<Deletion>): boolean =>
      claim !== null && equal(statement.kid, claim.ownerKey);
    return this.openStored(deletionKind, row, stored.statement, (statement) => {
      return isByOwner(statement) && isOfRow(row, stored, statement);
    });
  }

  /** Returns the statements of deletion of an epoch that its reader may see. */
  async deletionsOf(row: ClaimRow): Promise<readonly Uint8Array[]> {
    const shown: Uint8Array[] = [];
    for (const stored of await this.deps.store.deletions.of(row.device, row.epoch)) {
      const statement = await this.checkDeletion(row, stored);
      if (statement !== null) shown.push(statement.bytes);
    }
    return shown;
  }

  /** Returns the signed floor of an epoch; null unless a receipt key of the claim signed it. */
  async floorOf(row: ClaimRow): Promise<Uint8Array | null> {
    const { store, reader } = this.deps;
    const bytes = await store.retention.floor(row.device, row.epoch);
    if (bytes === undefined) return null;
    const keys = reader.claimOf(row)?.receiptKeys ?? [];
    const floor = await this.openStored(floorKind, row, bytes, ({ kid, value: { device, epoch, claimHash } }) => {
      const isNamed = equal(device, row.device) && epoch === row.epoch && equal(claimHash, row.claimHash);
      return isNamed && keys.some((key) => equal(key, kid));
    });
    return floor?.bytes ?? null;
  }

  /**
   * Returns the owner's statements about an epoch of which nothing else is shown any longer, because its account is erased
   * or marked; null without any, and where the signed claim did not name this key as a reader.
   *
   * @throws SealcamError `reads-paused`, `account-marked`, `revocation-stale`, `store-unavailable`
   */
  async ofGoneEpoch(key: Uint8Array, device: Uint8Array, epoch: number): Promise<readonly Uint8Array[] | null> {
    const { store, suite, reader } = this.deps;
    await reader.requireReadsOpen(key);
    const row = await store.claims.row(device, epoch);
    if (row === undefined || !equal(row.device, device) || row.epoch !== epoch) return null;
    let shown: readonly Uint8Array[];
    if (row.claim !== null) {
      const isMember = await store.claims.isMember(device, epoch, key);
      if (!isMember || !(await reader.isRowMarked(row)) || !(await reader.mayRead(key, row))) return null;
      shown = await this.deletionsOf(row);
    } else {
      if (!(await store.deletions.isReader(readerToken(suite, row.claimHash, key)))) return null;
      shown = await this.deletionsOfErased(row);
    }
    if ((await store.reads.pauseOf([row.account])) !== undefined) return null;
    return shown.length === 0 ? null : shown;
  }

  /**
   * Opens a statement of heads that this key sends. The key must read at least one epoch: what strangers sign is not kept.
   *
   * @throws SealcamError `foreign`, `account-marked`, `malformed`, `bad-signature`, `store-unavailable`
   */
  async openHeads(session: Session, bytes: Uint8Array): Promise<Verified<AnyHeads>> {
    const heads = openSigned(anyHeadsKind, this.deps.suite, bytes);
    if (!equal(heads.kid, session.key)) throw new SealcamError('foreign', 'the signer is not the key of this session');
    if ((await this.rowsNaming(session)).length === 0) throw new SealcamError('foreign', 'this key reads no camera');
    return heads;
  }

  /**
   * Returns the newest statements of heads of the households that this key belongs to, those only that name no epoch which
   * the key may not read.
   *
   * @throws SealcamError `reads-paused`, `account-marked`, `revocation-stale`, `store-unavailable`
   */
  async headsFor(session: Session): Promise<readonly Uint8Array[]> {
    const { store, reader } = this.deps;
    await reader.requireReadsOpen(session.key);
    const readable = new Set<string>();
    const keys = new Map<string, Uint8Array>();
    for (const { row, claim } of await this.rowsNaming(session)) {
      if ((await reader.isRowMarked(row)) || (await store.reads.pauseOf([row.account])) !== undefined) continue;
      readable.add(epochKey(row.device, row.epoch));
      for (const { ed25519 } of claim.recipients) keys.set(toHex(ed25519), ed25519);
    }
    const shown: Uint8Array[] = [];
    for (const { key: signer, statement } of await store.heads.ofKeys([...keys.values()])) {
      const heads = await this.openStored(anyHeadsKind, null, statement, ({ kid }) => equal(kid, signer));
      const mayRead = ([device, epoch]: AnyHeads['heads'][number]): boolean => readable.has(epochKey(device, epoch));
      if (heads?.value.heads.every(mayRead) === true) shown.push(heads.bytes);
    }
    return shown;
  }

  /** Returns the rows, revoked ones too, whose signed claim names this key as a reader. */
  private async rowsNaming({
    key,
    household,
  }: Session): Promise<readonly { readonly row: ClaimRow; readonly claim: AnyClaim }[]> {
    const { store, reader } = this.deps;
    const found: { readonly row: ClaimRow; readonly claim: AnyClaim }[] = [];
    for (const row of await store.claims.readableBy(key, household)) {
      const claim = reader.claimOf(row);
      if (row.claim !== null && (await reader.mayRead(key, row)) && claim !== null) found.push({ row, claim });
    }
    return found;
  }

  /** Returns the statements of an epoch whose claim is erased. The claim's hash and the account stay in the row. */
  private async deletionsOfErased(row: ClaimRow): Promise<readonly Uint8Array[]> {
    const { store, suite } = this.deps;
    const shown: Uint8Array[] = [];
    for (const stored of await store.deletions.of(row.device, row.epoch)) {
      const statement = await this.openStored(deletionKind, row, stored.statement, (opened) => {
        return equal(accountId(suite, opened.kid), row.account) && isOfRow(row, stored, opened);
      });
      if (statement !== null) shown.push(statement.bytes);
    }
    return shown;
  }

  private async openStored<T>(
    kind: SignedKind<T>,
    row: EpochKey | null,
    bytes: Uint8Array,
    isRight: (statement: Verified<T>) => boolean,
  ): Promise<Verified<T> | null> {
    let reason = 'a statement that does not belong to its row';
    try {
      const statement = openSigned(kind, this.deps.suite, bytes);
      if (isRight(statement)) return statement;
    } catch (error) {
      reason = asSealcamError(error).message;
    }
    await this.deps.reader.reportMismatch(null, row, { verdict: 'foreign', reason, bytes });
    return null;
  }
}

function isOfRow(row: ClaimRow, stored: StoredDeletion, { value }: Verified<Deletion>): boolean {
  const isNamed = equal(value.device, row.device) && value.epoch === row.epoch;
  const isKeyed = equal(stored.device, row.device) && stored.epoch === row.epoch;
  const isRange = value.fromSeq === stored.fromSeq && value.toSeq === stored.toSeq;
  return isNamed && isKeyed && isRange && equal(value.claimHash, row.claimHash);
}
