import type { CancelTimer, Clock } from '../../common/clock.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { unseal, type RecipientKeys, type SealContext, type SealedObject } from '../../protocol/seal/seal.js';

/** One end of a channel between two threads of this page, to which nobody else can write. */
export interface Channel<Sent, Received> {
  readonly send: (message: Sent) => void;
  /** Calls `listener` with each message, in place of the listener before. */
  readonly listen: (listener: (message: Received) => void) => void;
}

export interface OpenRequest {
  readonly id: number;
  readonly context: SealContext;
  readonly sealed: SealedObject;
}

export type OpenAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'opened'; readonly id: number; readonly content: SealedContent }
  | { readonly type: 'refused'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  /** A fault of this program: the other thread comes to its own verdict. */
  | { readonly type: 'failed'; readonly id: number };

export interface OpenerDependencies {
  readonly suite: CryptoSuite;
  readonly keys: RecipientKeys;
  readonly clock: Clock;
}

/** Without an answer for this long, a worker counts as dead. */
export const OPENER_MAX_MS = 10_000;

/** Opens sealed objects in another thread once one is ready, else in this one: with the same code, and so the same verdict. */
export class Opener {
  private readonly deps: OpenerDependencies;
  /** To the other thread, once that is ready. */
  private other: Channel<OpenRequest, OpenAnswer> | null = null;
  private nextId = 0;
  /** Called with the answer, or with null where none will come. */
  private readonly waiting = new Map<number, (answer: OpenAnswer | null) => void>();

  constructor(deps: OpenerDependencies) {
    this.deps = deps;
  }

  /** Uses the thread at the other end of the channel, from its first word on. */
  use(channel: Channel<OpenRequest, OpenAnswer>): void {
    channel.listen((answer) => {
      if (answer.type === 'ready') this.other = channel;
      else this.waiting.get(answer.id)?.(answer);
    });
  }

  /** Opens in this thread until another one says that it is ready, and what was asked of the last one too. */
  abandon(): void {
    this.other = null;
    for (const resolve of [...this.waiting.values()]) resolve(null);
  }

  /** Opens a sealed object that must belong to `context`. @throws SealcamError as `unseal` does */
  async open(context: SealContext, sealed: SealedObject): Promise<SealedContent> {
    const answer = await this.ask(context, sealed);
    if (answer?.type === 'opened') return answer.content;
    if (answer?.type === 'refused') throw new SealcamError(answer.code, answer.message);
    return unseal(this.deps.suite, context, this.deps.keys, sealed);
  }

  private async ask(context: SealContext, sealed: SealedObject): Promise<OpenAnswer | null> {
    const { other } = this;
    if (other === null) return null;
    const id = this.nextId++;
    let cancel: CancelTimer = () => undefined;
    try {
      return await new Promise((resolve) => {
        this.waiting.set(id, resolve);
        cancel = this.deps.clock.after(OPENER_MAX_MS, () => {
          this.abandon();
        });
        other.send({ id, context, sealed });
      });
    } finally {
      cancel();
      this.waiting.delete(id);
    }
  }
}

/** Answers an {@link Opener} in another thread. */
export function serveOpener(
  suite: CryptoSuite,
  keys: RecipientKeys,
  { send, listen }: Channel<OpenAnswer, OpenRequest>,
): void {
  listen(({ id, context, sealed }) => {
    send(answerTo(() => unseal(suite, context, keys, sealed), id));
  });
  send({ type: 'ready' });
}

function answerTo(open: () => SealedContent, id: number): OpenAnswer {
  try {
    return { type: 'opened', id, content: open() };
  } catch (error) {
    if (!isSealcamError(error)) return { type: 'failed', id };
    const { code, message } = error;
    return { type: 'refused', id, code, message };
  }
}
