import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim, ClaimV2 } from '../../protocol/objects/claim.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { PeriodState } from '../../protocol/verify/history.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { PeriodAnswer } from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { PeriodKey } from './period-opener.js';
import { believableMs } from './plausible-time.js';

export interface PeriodKeysDependencies {
  readonly suite: CryptoSuite;
  readonly client: Pick<CloudClient, 'keyRecord'>;
  readonly history: HistoryKeeper;
  readonly clock: Clock;
  /** This person's Ed25519 key: its place among the recipients of a claim is that of the own entry. */
  readonly ownKey: Uint8Array;
}

/** A camera begins one a day. */
const FETCHED_MAX = 64;
const NO_HEADER = new Uint8Array(0);

/** Fetches the key records of periods. Each passes the same checks as every record, and then belongs to the history. */
export class PeriodKeys {
  private readonly deps: PeriodKeysDependencies;
  private readonly fetched = new Map<string, Promise<PeriodKey>>();

  constructor(deps: PeriodKeysDependencies) {
    this.deps = deps;
  }

  /**
   * Returns what opens a period of the epoch of this claim.
   * @throws SealcamError `key-pending` before the key record has come; `cloud-lied` where there are two, or for another record or
   *   body; `cloud-unreachable`, …
   */
  async of(claim: Verified<ClaimV2>, periodId: Uint8Array): Promise<PeriodKey> {
    const { device, epoch } = claim.value;
    const name = `${epochKey(device, epoch)}/${toHex(periodId)}`;
    const known = this.fetched.get(name);
    const fetching = known ?? this.fetch(claim, periodId);
    if (known === undefined) {
      this.fetched.set(name, fetching);
      if (this.fetched.size > FETCHED_MAX) this.fetched.delete(this.fetched.keys().next().value ?? '');
    }
    try {
      return await fetching;
    } catch (error) {
      // The next attempt asks again.
      if (this.fetched.get(name) === fetching) this.fetched.delete(name);
      throw error;
    } finally {
      // Whatever came of this: where there are two, none counts.
      refuseContested(this.deps.history.periodOf(device, epoch, periodId));
    }
  }

  private async fetch({ value: claim, hash: claimHash }: Verified<ClaimV2>, periodId: Uint8Array): Promise<PeriodKey> {
    const { suite, history, clock, ownKey } = this.deps;
    const { device, account, epoch, recipients } = claim;
    const { record: item, body } = await this.ask(device, epoch, periodId);
    const outcome = await history.verifyAndApply(item.record, believableMs(item.receivedAtMs, clock));
    if ('verdict' in outcome) throw new SealcamError('cloud-lied', `a key record that is refused: ${outcome.message}`);
    const { value, hash } = outcome.record;
    const isAsked = equal(value.device, device) && value.epoch === epoch;
    const [named] = value.media ?? [];
    if (!isAsked || value.key === undefined || named === undefined || !equal(value.key.periodId, periodId)) {
      throw new SealcamError('cloud-lied', 'the cloud sent another record than the key record of this period');
    }
    if (!isMediaOf(suite, named, { header: NO_HEADER, body })) {
      throw new SealcamError('cloud-lied', 'the cloud sent another body than the one that the key record names');
    }
    return {
      record: hash,
      context: { device, account, epoch, claimHash, periodId },
      commit: value.key.commit,
      body,
      recipients: recipients.length,
      own: recipients.findIndex(({ ed25519 }) => equal(ed25519, ownKey)),
    };
  }

  private async ask(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<PeriodAnswer> {
    try {
      return await this.deps.client.keyRecord(device, epoch, periodId);
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'not-found') throw error;
      throw new SealcamError('key-pending', 'the key record of its period has not come', { cause: error });
    }
  }
}

/** Returns whether the epoch of a claim has periods. */
export function isOfVersionTwo(claim: Verified<AnyClaim>): claim is Verified<ClaimV2> {
  return isVersionTwo(claim.value);
}

function refuseContested({ state }: PeriodState): void {
  if (state === 'equivocation') {
    throw new SealcamError('cloud-lied', 'there are two key records of one period, and nothing of it is shown');
  }
}
