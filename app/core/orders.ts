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

/** What an owner can order. */
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
  /** Fetches the newest records, in case the live stream missed the answer. */
  readonly refresh: () => Promise<void>;
}

/** How long to wait for a camera's answer. */
const ANSWER_TIMEOUT_MS = 20_000;
const POLL_INTERVAL_MS = 500;
/** The cloud is asked every this many polls. */
const POLLS_PER_REFRESH = 6;

/** Sends orders signed by the owner's key. An order counts as done only when the camera's own record reports it. */
export class Orders {
  private readonly deps: OrdersDependencies;

  constructor(deps: OrdersDependencies) {
    this.deps = deps;
  }

  /**
   * Sends an order and resolves when the camera has carried it out.
   * @throws SealcamError `command-unanswered`, `cloud-unreachable`, or the code with which the camera refused
   */
  async send(device: string, epoch: number, order: Order, signal?: AbortSignal): Promise<void> {
    let answer = await this.sendOnce(device, epoch, order, signal);
    // Another browser of this owner was faster, or the camera restarted. Its answer holds the counter to exceed.
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
    const giveUpMs = clock.monotonicMs() + ANSWER_TIMEOUT_MS;
    for (let polls = 1; clock.monotonicMs() < giveUpMs && signal?.aborted !== true; polls++) {
      const answer = answers.answerTo(command.hash);
      if (answer !== null) return answer;
      // After a release the camera no longer has an owner to answer; its tombstone is the answer.
      if (order.action === 'release' && history.hasEnded(id, epoch)) return null;
      await sleep(clock, POLL_INTERVAL_MS, signal);
      if (polls % POLLS_PER_REFRESH === 0) await refresh();
    }
    throw new SealcamError('command-unanswered', 'the camera did not answer', {
      ...(online === false ? { hint: 'It is offline. Give the order again when it is back.' } : {}),
    });
  }

  private sign(device: Uint8Array, epoch: number, order: Order): Verified<Command> {
    const { suite, clock, keys, history, answers } = this.deps;
    const claim = history.claimOf(device, epoch);
    const head = history.headOf(device, epoch);
    if (claim === null || head === null) throw new SealcamError('not-found', 'nothing is known of this camera yet');
    return signObject(commandKind, suite, keys.signer, {
      device,
      epoch,
      claimHash: claim.hash,
      counter: Math.max(answers.counterOf(toHex(device), epoch) + 1, Math.round(clock.wallMs())),
      // Every order: one that the cloud keeps back must not be good for ever.
      recent: [head.seq, head.hash] as const,
      ...order,
    });
  }
}

/** Codes with which a camera refuses an order; the page shows any other as `command-refused`. */
const REFUSAL_CODES = ['command-stale', 'command-replayed', 'privacy-mode', 'camera-unavailable', 'too-large'] as const;

function codeOf(code: string | undefined): (typeof REFUSAL_CODES)[number] | 'command-refused' {
  return REFUSAL_CODES.find((known) => known === code) ?? 'command-refused';
}
