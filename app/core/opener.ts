import type { CancelTimer, Clock } from '../../common/clock.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { SubtleSeals } from '../../protocol/crypto/web-seals.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import type { ObjectContext } from '../../protocol/seal/object.js';
import type { OpenedPeriod } from '../../protocol/seal/open-period.js';
import { openSealed } from '../../protocol/seal/open.js';
import type { RecipientKeys, SealedObject } from '../../protocol/seal/seal.js';
import { loadPeriodOpener } from './load-period-opener.js';
import type { PeriodKey, PeriodOpener } from './period-opener.js';

/** One end of a channel between two threads of this page, to which nobody else can write. */
export interface Channel<Sent, Received> {
  readonly send: (message: Sent) => void;
  /** Calls `listener` with each message, in place of the listener before. */
  readonly listen: (listener: (message: Received) => void) => void;
}

/** The keys that open what cameras sealed, and no other key of the owner. */
export interface OpeningSecrets {
  readonly recipient: RecipientKeys;
  readonly kemSeed: Uint8Array;
}

/** A sealed object that must belong to `context`. */
export interface Opening {
  readonly context: ObjectContext;
  readonly sealed: SealedObject;
  /** The key of its period; null in an epoch of version 1, which has none. So the claim's version decides which suite it is. */
  readonly period: PeriodKey | null;
}

export interface OpenRequest extends Opening {
  readonly id: number;
  /** A picture with its detail, or the bytes of a segment. */
  readonly as: 'content' | 'bytes';
}

export type OpenAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'opened'; readonly id: number; readonly content: SealedContent }
  /** Of a segment, which is not a picture with its detail. */
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'refused'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  /** A fault of this program: the other thread comes to its own verdict. */
  | { readonly type: 'failed'; readonly id: number };

export interface OpenerDependencies {
  readonly suite: CryptoSuite;
  readonly keys: OpeningSecrets;
  readonly clock: Clock;
  /** WebCrypto; without it the library opens periods. */
  readonly subtle?: SubtleSeals;
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
  private periods: PeriodOpener | null = null;

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

  /**
   * Opens a sealed object.
   * @throws SealcamError `seal-refused`, `malformed`, `unsupported`; `cloud-unreachable` where a part of the page is missing
   */
  async open(opening: Opening): Promise<SealedContent> {
    const answer = await this.ask(opening, 'content');
    if (answer?.type === 'opened') return answer.content;
    const { suite, keys } = this.deps;
    return opened(suite, keys, () => this.ownPeriods(), opening);
  }

  /**
   * Opens a segment of a clip, and returns its bytes.
   * @throws SealcamError as {@link open}
   */
  async openSegment(opening: Opening): Promise<Uint8Array> {
    const answer = await this.ask(opening, 'bytes');
    return answer?.type === 'bytes' ? answer.bytes : this.openHere(opening);
  }

  /**
   * Opens a small object of version 2 in this thread, and returns its content as it is encoded.
   * @throws SealcamError as {@link open}
   */
  async openHere(opening: Opening): Promise<Uint8Array> {
    return contentOf(await this.ownPeriods(), opening);
  }

  /** Opens a period in this thread, for the keys of single objects. @throws SealcamError as {@link open} */
  async openPeriod(period: PeriodKey): Promise<OpenedPeriod> {
    return (await this.ownPeriods()).open(period);
  }

  private async ownPeriods(): Promise<PeriodOpener> {
    const { PeriodOpener } = await loadPeriodOpener();
    const { suite, keys, subtle } = this.deps;
    this.periods ??= new PeriodOpener(suite, keys.kemSeed, subtle);
    return this.periods;
  }

  /** Returns what the other thread answers; null without it. @throws SealcamError its refusal */
  private async ask(opening: Opening, as: OpenRequest['as']): Promise<OpenAnswer | null> {
    const { other } = this;
    if (other === null) return null;
    const id = this.nextId++;
    let cancel: CancelTimer = () => undefined;
    try {
      const answer = await new Promise<OpenAnswer | null>((resolve) => {
        this.waiting.set(id, resolve);
        cancel = this.deps.clock.after(OPENER_MAX_MS, () => {
          this.abandon();
        });
        other.send({ ...opening, id, as });
      });
      if (answer?.type === 'refused') throw new SealcamError(answer.code, answer.message);
      return answer;
    } finally {
      cancel();
      this.waiting.delete(id);
    }
  }
}

/** Answers an {@link Opener} in another thread. `periods` has the same key's seed. */
export function serveOpener(
  suite: CryptoSuite,
  keys: Pick<OpeningSecrets, 'recipient'>,
  periods: PeriodOpener,
  { send, listen }: Channel<OpenAnswer, OpenRequest>,
): void {
  listen((request) => {
    void answerTo(request, async () => {
      const { id } = request;
      if (request.as === 'bytes') return { type: 'bytes', id, bytes: await contentOf(periods, request) };
      return { type: 'opened', id, content: await opened(suite, keys, () => Promise.resolve(periods), request) };
    }).then(send);
  });
  send({ type: 'ready' });
}

/** Returns the content of an object of version 2, as it is encoded. */
async function contentOf(periods: PeriodOpener, { context, sealed, period }: Opening): Promise<Uint8Array> {
  if (period === null) throw new SealcamError('malformed', 'no object of this kind is sealed in version 1');
  return (await periods.open(period)).open(context, sealed);
}

async function opened(
  suite: CryptoSuite,
  { recipient }: Pick<OpeningSecrets, 'recipient'>,
  periods: () => Promise<PeriodOpener>,
  { context, sealed, period }: Opening,
): Promise<SealedContent> {
  const openedPeriod = period === null ? undefined : await (await periods()).open(period);
  const keys = { x25519: recipient, periodOf: () => openedPeriod };
  const content = openSealed(suite, period === null ? 1 : 2, context, keys, sealed);
  // Only a period that is missing gives none, and a version-2 object comes here with its own.
  if (content === undefined) throw new Error('opened without its period');
  return content;
}

async function answerTo({ id }: OpenRequest, open: () => Promise<OpenAnswer>): Promise<OpenAnswer> {
  try {
    return await open();
  } catch (error) {
    if (!isSealcamError(error)) return { type: 'failed', id };
    const { code, message } = error;
    return { type: 'refused', id, code, message };
  }
}
