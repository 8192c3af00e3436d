import { fromHex, toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyCommandKind, type AnyCommand, type Zone } from '../../protocol/objects/command.js';
import { signObject, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import type { Answer, Answers } from './answers.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { OwnerKeys } from './owner-keys.js';
import type { StandingOrders } from './standing-orders.js';

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
  /** Keeps the content of orders on this device; omitted by tools that never show it. */
  readonly standing?: StandingOrders;
  /** Fetches the newest records, in case the live stream missed the answer. */
  readonly refresh: () => Promise<void>;
}

export interface SendOptions {
  readonly signal?: AbortSignal;
  /** Called once the cloud has passed the order on, with the broker's hint: whether the camera is online. */
  readonly onPassedOn?: (online: boolean | null) => void;
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
   * Sends an order and resolves when the camera has carried it out, with the seq of the record that says so; null after a
   * release.
   * @throws SealcamError `command-unanswered`, `cloud-unreachable`, or the code with which the camera refused
   */
  async send(device: string, epoch: number, order: Order, options: SendOptions = {}): Promise<number | null> {
    let answer = await this.sendOnce(device, epoch, order, options);
    // Another browser of this owner was faster, or the camera restarted. Its answer holds the counter to exceed.
    if (answer?.command.code === 'command-replayed' || answer?.command.code === 'command-stale')
      answer = await this.sendOnce(device, epoch, order, options);
    if (answer === null) return null;
    const { result, code } = answer.command;
    if (result === 'done') return answer.seq;
    throw new SealcamError(codeOf(code), `the camera answered: ${code ?? result}`);
  }

  private async sendOnce(
    device: string,
    epoch: number,
    order: Order,
    { signal, onPassedOn }: SendOptions,
  ): Promise<Answer | null> {
    const { clock, client, answers, standing, history, refresh } = this.deps;
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const command = this.sign(id, epoch, order);
    await standing?.keep(command);
    const { online } = await client.sendCommand(id, command.bytes);
    onPassedOn?.(online);
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

  private sign(device: Uint8Array, epoch: number, order: Order): Verified<AnyCommand> {
    const { suite, clock, keys, history, answers } = this.deps;
    const claim = history.claimOf(device, epoch);
    const head = history.headOf(device, epoch);
    if (claim === null || head === null) throw new SealcamError('not-found', 'nothing is known of this camera yet');
    const version = versionOf(claim.value);
    const last = answers.counterOf(toHex(device), epoch, version === 2 ? keys.signer.publicKey : null);
    return signObject(anyCommandKind, suite, keys.signer, {
      ...(version === 2 ? { version } : {}),
      device,
      epoch,
      claimHash: claim.hash,
      counter: Math.max(last + 1, Math.round(clock.wallMs())),
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
