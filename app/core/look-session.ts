import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { XWING, type XWingKeys } from '../../protocol/crypto/xwing.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { ID_BYTES } from '../../protocol/objects/ids.js';
import { lookKind, type Look } from '../../protocol/objects/look.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { liveKey } from '../../protocol/seal/live-key.js';
import { LiveOpener, type LiveArrival } from '../../protocol/transport/live-session.js';
import { loadPeriodOpener } from './load-period-opener.js';
import type { KnownEpoch } from './storage.js';

/** What comes before the answer is verified is kept up to here: the first pictures are on their way while the record is stored. */
const HELD_MAX_BYTES = 4 * 1024 * 1024;
const HELD_MAX_MESSAGES = 2000;

export interface LookSessionOptions {
  readonly suite: CryptoSuite;
  readonly random: Random;
  readonly signer: Signer;
  readonly claim: Verified<AnyClaim>;
  readonly head: NonNullable<KnownEpoch['head']>;
}

/** One session of a look: its orders, its secret, and what opens its messages. It waits for nothing and sends nothing. */
export class LookSession {
  readonly order: Verified<Look>;
  private readonly options: LookSessionOptions;
  private readonly seed: Uint8Array;
  /** Null once it was used, or forgotten. */
  #keys: XWingKeys | null;
  private opener: LiveOpener | null = null;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  /** Of the last renewal that the camera answered. */
  private renewal = 0;

  private constructor(options: LookSessionOptions, seed: Uint8Array, keys: XWingKeys) {
    this.options = options;
    this.seed = seed;
    this.#keys = keys;
    const session = options.random.bytes(ID_BYTES);
    const seconds = LIMITS.lookMaxSeconds;
    this.order = this.sign(options.head, { session, kemKey: keys.publicKey, renewal: 0, seconds });
  }

  /** Makes a session id and fresh keys, and signs the order. @throws SealcamError `cloud-unreachable` without the library */
  static async begin(options: LookSessionOptions): Promise<LookSession> {
    const { lookKeys } = await loadPeriodOpener();
    const seed = options.random.bytes(XWING.seedBytes);
    return new LookSession(options, seed, lookKeys(options.suite, seed));
  }

  /** Messages that were taken; none before the answer. */
  get received(): number {
    return this.opener?.received ?? 0;
  }

  /** Messages that were sent, as their numbers show, and are not here. */
  get missing(): number {
    return this.opener?.missing ?? 0;
  }

  /** Messages that came again, or after a later one. */
  get repeated(): number {
    return this.opener?.repeated ?? 0;
  }

  /** Signs the order that renews the session, over a newer record. */
  signRenewal(head: NonNullable<KnownEpoch['head']>): Verified<Look> {
    return this.signNext(head, this.renewal + 1, LIMITS.lookMaxSeconds);
  }

  /** Signs the renewal of a viewer who leaves: for one second, after which the camera is dark again. */
  signLeave(head: NonNullable<KnownEpoch['head']>): Verified<Look> {
    // Above one that may still be on its way.
    return this.signNext(head, this.renewal + 2, 1);
  }

  /** Notes that the camera answered a renewal. */
  applyRenewal({ value }: Verified<Look>): void {
    this.renewal = value.renewal;
  }

  /**
   * Takes the camera's answer from the verified history: with it the key is there.
   * @throws SealcamError `malformed`, `seal-refused`
   */
  applyAnswer({ value, hash }: Verified<AnyRecord>): void {
    const keys = this.#keys;
    const ciphertext = value.command?.look?.ciphertext ?? null;
    if (keys === null || ciphertext === null) throw new SealcamError('malformed', 'an answer without a key');
    const { suite, claim } = this.options;
    const context = { orderHash: this.order.hash, claimHash: claim.hash, answerHash: hash };
    const secret = keys.decapsulate(ciphertext);
    this.opener = new LiveOpener(suite, this.order.value.session, liveKey(suite, secret, context));
    secret.fill(0);
    this.forgetKeys();
  }

  /**
   * Opens a message. What comes before the answer is held, and opened with the first message after it.
   * @throws SealcamError `malformed`, `unsupported`, `foreign`, `seal-refused`: nothing of it may be shown, and nothing changes
   */
  open(message: Uint8Array): LiveArrival | null {
    if (this.opener === null) {
      this.hold(message);
      return null;
    }
    return this.opener.open(message);
  }

  /** Returns what was held, once. */
  takeHeld(): readonly Uint8Array[] {
    const { held } = this;
    this.held = [];
    this.heldBytes = 0;
    return held;
  }

  /** Returns whether a record answers this session's order or is about it. */
  isOf(session: Uint8Array): boolean {
    return equal(session, this.order.value.session);
  }

  /** Forgets every secret: nothing of this look can be opened here any more. */
  forget(): void {
    this.forgetKeys();
    this.opener?.wipe();
    this.takeHeld();
  }

  private forgetKeys(): void {
    this.seed.fill(0);
    this.#keys = null;
  }

  /** The oldest stay: the first one says how to decode the others. */
  private hold(message: Uint8Array): void {
    if (this.heldBytes + message.length > HELD_MAX_BYTES || this.held.length >= HELD_MAX_MESSAGES) return;
    this.held.push(message);
    this.heldBytes += message.length;
  }

  private signNext(head: LookSessionOptions['head'], renewal: number, seconds: number): Verified<Look> {
    return this.sign(head, { session: this.order.value.session, kemKey: null, renewal, seconds });
  }

  private sign(
    { seq, hash }: LookSessionOptions['head'],
    rest: Pick<Look, 'session' | 'kemKey' | 'renewal' | 'seconds'>,
  ): Verified<Look> {
    const { suite, signer, claim } = this.options;
    const { device, epoch } = claim.value;
    const recent = [seq, hash] as const;
    const place = { version: 2, device, epoch, claimHash: claim.hash } as const;
    return signObject(lookKind, suite, signer, { ...place, recent, ...rest });
  }
}
