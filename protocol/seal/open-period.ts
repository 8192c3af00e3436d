/** A period at a recipient: the key record opened once, then any object of the period in any order. */
import { equal, equalSecret } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { hkdf } from '../crypto/hkdf.js';
import { hpkeOpen } from '../crypto/hpke.js';
import type { ChachaOpenLater, CryptoSuite } from '../crypto/suite.js';
import { decodeKeyRecordBody, periodCommit, periodContextHash, type PeriodContext } from './key-record.js';
import {
  decodeObjectHeader,
  objectContextHash,
  objectKey,
  openWithE,
  openWithELater,
  type ObjectContext,
} from './object.js';
import type { SealedObject } from './seal.js';

export interface OpenPeriodRequest {
  readonly suite: CryptoSuite;
  readonly context: PeriodContext;
  /** As the verified key record signs it. */
  readonly commit: Uint8Array;
  /** The object of role `key`, whose hash is the key record's. */
  readonly body: Uint8Array;
  /** Recipients of the claim. */
  readonly recipients: number;
  /** The place of the own key among them. No other entry is tried. */
  readonly own: number;
  /** The own key's: of `xwingKeys`, or WebCrypto's. */
  readonly decapsulate: (enc: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/**
 * Opens a period.
 * @throws SealcamError `malformed`, `unsupported`; `seal-refused` where the camera did not seal to this recipient: the own entry
 * does not open, or holds another key than the one the record commits to
 */
export async function openPeriod({
  suite,
  context,
  commit,
  body,
  recipients,
  own,
  decapsulate,
}: OpenPeriodRequest): Promise<OpenedPeriod> {
  const wraps = decodeKeyRecordBody(body, recipients);
  const mine = wraps[own];
  if (mine === undefined) throw new SealcamError('seal-refused', 'not sealed to this key');
  const info = periodContextHash(suite, context);
  const key = hpkeOpen(suite, await decapsulate(mine.enc), info, mine.ct);
  if (key === undefined) throw new SealcamError('seal-refused', 'the own entry does not open');
  if (!equalSecret(periodCommit(suite, key, info), commit)) {
    throw new SealcamError('seal-refused', 'the own entry holds another key than the record commits to');
  }
  return new OpenedPeriod(suite, context.periodId, hkdf(suite, key, 'chain'));
}

/** Distance of the chain keys that are kept: any index is at most 63 steps after one, after the first walk there. */
const CHECKPOINT_STEPS = 64;

/** Opens the objects of one period. */
export class OpenedPeriod {
  readonly periodId: Uint8Array;
  private readonly suite: CryptoSuite;
  /** CK_0, CK_64, CK_128 …: at most 64 of them. */
  readonly #checkpoints: Uint8Array[];

  constructor(suite: CryptoSuite, periodId: Uint8Array, chainStart: Uint8Array) {
    this.suite = suite;
    this.periodId = periodId;
    this.#checkpoints = [chainStart];
  }

  /**
   * Returns E, the key of this object alone. It is not checked against the header's commit: {@link openWithE} does that.
   * @throws SealcamError `malformed`, `unsupported`, `seal-refused` (another period)
   */
  keyOf(context: ObjectContext, header: Uint8Array): Uint8Array {
    const decoded = decodeObjectHeader(header);
    if (!equal(decoded.periodId, this.periodId)) throw new SealcamError('seal-refused', 'sealed in another period');
    const link = hkdf(this.suite, this.chainKey(decoded.index), 'object');
    return objectKey(this.suite, link, objectContextHash(this.suite, context, decoded));
  }

  /**
   * Returns the content of an object.
   * @throws SealcamError `seal-refused` (another place, period or index, or altered), `malformed`, `unsupported`
   */
  open(context: ObjectContext, sealed: SealedObject): Uint8Array {
    return openWithE(this.suite, this.keyOf(context, sealed.header), context, sealed);
  }

  /** Returns the content of an object as {@link open} does, through WebCrypto. */
  async openLater(open: ChachaOpenLater, context: ObjectContext, sealed: SealedObject): Promise<Uint8Array> {
    return openWithELater(this.suite, open, this.keyOf(context, sealed.header), context, sealed);
  }

  /** Returns CK_i. `index` is below 4,096: the header was decoded. */
  private chainKey(index: number): Uint8Array {
    const checkpoints = this.#checkpoints;
    const from = Math.min(Math.floor(index / CHECKPOINT_STEPS), checkpoints.length - 1);
    let chain = checkpoints[from] ?? new Uint8Array(0);
    for (let i = from * CHECKPOINT_STEPS + 1; i <= index; i++) {
      chain = hkdf(this.suite, chain, 'next');
      if (i === checkpoints.length * CHECKPOINT_STEPS) checkpoints.push(chain);
    }
    return chain;
  }
}
