import { fromHex, toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { commandKind, type Command, type Zone } from '../../protocol/objects/command.js';
import type { RecordCommand } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { Answers } from './answers.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { OwnerKeys } from './owner-keys.js';

/** What an owner may order. */
export type Order =
  | { readonly action: 'snapshot' }
  | { readonly action: 'privacy'; readonly privacy: boolean }
  | { readonly action: 'zones'; readonly zones: readonly Zone[] }
  | { readonly action: 'sensitivity'; readonly sensitivity: number }
  | { readonly action: 'release' };

export interface OrdersDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly answers: Answers;
  /** Asks the cloud what it has of a camera now: for an answer that was missed. */
  readonly refresh: () => Promise<void>;
}

const ANSWER_PATIENCE_MS = 20_000;
const POLL_MS = 500;

/** Orders to cameras, each signed by the owner's key; done is only what the camera says in a record of its own. */
export class Orders {
  private readonly deps: OrdersDependencies;

  constructor(deps: OrdersDependencies) {
    this.deps = deps;
  }

  /**
   * Resolves when the camera has followed the order.
   * @throws SealcamError `command-unanswered`; what the camera refused, with its code; `cloud-unreachable`
   */
  async send(device: string, epoch: number, order: Order, signal?: AbortSignal): Promise<void> {
    let answer = await this.sendOnce(device, epoch, order, signal);
    // Another browser of this owner was faster, or the camera has restarted: its answer says what to go on from.
    if (answer?.code === 'command-replayed' || answer?.code === 'command-stale')
      answer = await this.sendOnce(device, epoch, order, signal);
    if (answer === null || answer.result === 'done') return;
    throw new SealcamError(codeOf(answer.code), `the camera answered: ${answer.code ?? answer.result}`);
  }

  private async sendOnce(
    device: string,
    epoch: number,
    order: Order,
    signal?: AbortSignal,
  ): Promise<RecordCommand | null> {
    const { clock, client, answers, history, refresh } = this.deps;
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const command = this.sign(id, epoch, order);
    const { online } = await client.sendCommand(id, command.bytes);
    const giveUpMs = clock.monotonicMs() + ANSWER_PATIENCE_MS;
    for (let polls = 1; clock.monotonicMs() < giveUpMs && signal?.aborted !== true; polls++) {
      const answer = answers.to(command.hash);
      if (answer !== null) return answer;
      // A release has no other answer: the camera has forgotten whose it was.
      if (order.action === 'release' && history.hasEnded(id, epoch)) return null;
      await sleep(clock, POLL_MS, signal);
      if (polls % 6 === 0) await refresh();
    }
    throw new SealcamError('command-unanswered', 'the camera did not answer', {
      ...(online === false ? { hint: 'It is offline; order again when it is back.' } : {}),
    });
  }

  private sign(device: Uint8Array, epoch: number, order: Order): Verified<Command> {
    const { suite, clock, keys, history, answers } = this.deps;
    const claim = history.claimOf(device, epoch);
    const head = history.headOf(device, epoch);
    if (claim === null || head === null) throw new SealcamError('not-found', 'nothing is known of this camera yet');
    const needsRecent = !(order.action === 'release' || (order.action === 'privacy' && order.privacy));
    return signObject(commandKind, suite, keys.signer, {
      device,
      epoch,
      claimHash: claim.hash,
      counter: Math.max(answers.counterOf(toHex(device), epoch) + 1, Math.round(clock.wallMs())),
      ...(needsRecent ? { recent: [head.seq, head.hash] as const } : {}),
      ...order,
    });
  }
}

const ANSWERED = ['command-stale', 'command-replayed', 'privacy-mode', 'camera-unavailable', 'too-large'] as const;

function codeOf(code: string | undefined): (typeof ANSWERED)[number] | 'command-refused' {
  return ANSWERED.find((known) => known === code) ?? 'command-refused';
}
