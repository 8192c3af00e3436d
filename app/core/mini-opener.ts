import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { decodeObjectHeader } from '../../protocol/seal/object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { KeptKeyRecords } from './kept-key-records.js';
import type { Opener } from './opener.js';
import { isOfVersionTwo, type PeriodKeys } from './period-keys.js';

export interface MiniOpenerDependencies {
  readonly suite: CryptoSuite;
  readonly history: Pick<HistoryKeeper, 'claimOf'>;
  readonly opener: Opener;
  /** Asks `kept` for key records. */
  readonly periods: PeriodKeys;
  readonly kept: KeptKeyRecords;
}

/** Opens the picture that a notification carries. */
export class MiniOpener {
  private readonly deps: MiniOpenerDependencies;

  constructor(deps: MiniOpenerDependencies) {
    this.deps = deps;
  }

  /**
   * Opens the mini picture of a verified record. Length, hashes and seal must match what the record names.
   * @throws SealcamError `cloud-lied`, `seal-refused`, `not-sealed-to-you`, `malformed`, …; `key-pending`, `cloud-unreachable`
   *   where it may open later
   */
  async open({ value }: Verified<AnyRecord>, sealed: SealedObject): Promise<SealedContent> {
    const { suite, history, opener, periods, kept } = this.deps;
    const { device, account, epoch, claimHash, event } = value;
    const named = value.media?.find(({ role }) => role === 'mini');
    if (named === undefined || event === undefined || !isMediaOf(suite, named, sealed)) {
      throw new SealcamError('cloud-lied', 'a push with a picture that its record does not name');
    }
    const claim = history.claimOf(device, epoch);
    if (claim === null || !isOfVersionTwo(claim)) throw new SealcamError('malformed', 'a mini picture in version 1');
    const { periodId } = decodeObjectHeader(sealed.header);
    const context = { device, account, epoch, claimHash, eventId: event.id, mediaId: named.id, role: 'mini' } as const;
    const content = await opener.open({ context, sealed, period: await periods.of(claim, periodId) });
    await kept.keep(device, epoch, periodId);
    return content;
  }
}
