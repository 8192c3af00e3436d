/** A period on the camera: made once, it seals up to 4,096 objects and forgets each key as it goes. */
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { hkdf } from '../crypto/hkdf.js';
import type { CryptoSuite } from '../crypto/suite.js';
import {
  decodeKeyRecordBody,
  periodCommit,
  periodContextHash,
  type PeriodContext,
  type WrapKey,
} from './key-record.js';
import { objectContextHash, objectKey, PERIOD_OBJECTS_MAX, sealWithE, type ObjectPlace } from './object.js';
import type { SealedObject } from './seal.js';

/** What the key record of a period signs and carries. */
export interface KeyRecordMedia {
  /** 16 bytes. */
  readonly periodId: Uint8Array;
  /** 32 bytes. */
  readonly commit: Uint8Array;
  /** The object of role `key`; its header is empty. */
  readonly sealed: SealedObject;
}

export interface PeriodRequest {
  readonly suite: CryptoSuite;
  /** Source of K and of the period id; never seeded outside of tests. */
  readonly random: Random;
  readonly context: Omit<PeriodContext, 'periodId'>;
  /** X-Wing public keys, in the order of the claim's recipients. */
  readonly recipients: readonly Uint8Array[];
  readonly wrap: WrapKey;
}

/**
 * Makes a period. K exists only in here: it is wiped when the wraps, the commit and the chain's first key exist, also when
 * the wrapping fails. Nothing may be sealed before the key record is committed with its object.
 */
export async function beginPeriod({
  suite,
  random,
  context,
  recipients,
  wrap,
}: PeriodRequest): Promise<{ readonly keyRecord: KeyRecordMedia; readonly period: Period }> {
  const key = random.bytes(32);
  try {
    const periodContext = { ...context, periodId: random.bytes(16) };
    const info = periodContextHash(suite, periodContext);
    const body = await wrap({ recipients, info, key });
    // The bytes come from another process.
    decodeKeyRecordBody(body, recipients.length);
    const period = new Period(suite, periodContext, hkdf(suite, key, 'chain'));
    const keyRecord = {
      periodId: periodContext.periodId,
      commit: periodCommit(suite, key, info),
      sealed: { header: new Uint8Array(0), body },
    };
    return { keyRecord, period };
  } finally {
    key.fill(0);
  }
}

/** An object, and the index that it took. */
export interface PeriodObject extends SealedObject {
  readonly index: number;
}

/** Seals the objects of one period. Anyone who reads its memory can open what is still to come in the period, nothing older. */
export class Period {
  readonly context: PeriodContext;
  private readonly suite: CryptoSuite;
  /** CK_i, private to the language too, so that no log or JSON shows it. */
  readonly #chain: Uint8Array;
  private next = 0;

  constructor(suite: CryptoSuite, context: PeriodContext, chainStart: Uint8Array) {
    this.suite = suite;
    this.context = context;
    this.#chain = chainStart;
  }

  /** Indices taken so far, also by objects that were discarded. */
  get taken(): number {
    return this.next;
  }

  /** Returns whether no index is left. */
  get isUsedUp(): boolean {
    return this.next >= PERIOD_OBJECTS_MAX;
  }

  /**
   * Seals content under the next index, which is taken also if this throws.
   * @throws SealcamError `too-large`; `internal` where the period is used up or wiped
   */
  seal(place: ObjectPlace, content: Uint8Array): PeriodObject {
    if (this.isUsedUp) throw new SealcamError('internal', 'the period is used up');
    const { suite } = this;
    const { periodId, ...owner } = this.context;
    const where = { periodId, index: this.next++ };
    const link = hkdf(suite, this.#chain, 'object');
    this.#chain.set(hkdf(suite, this.#chain, 'next'));
    const context = { ...owner, ...place };
    const e = objectKey(suite, link, objectContextHash(suite, context, where));
    link.fill(0);
    try {
      return { ...sealWithE(suite, e, context, where, content), index: where.index };
    } finally {
      e.fill(0);
    }
  }

  /** Forgets the chain: a new claim, the end of the process, or another period. */
  wipe(): void {
    this.#chain.fill(0);
    this.next = PERIOD_OBJECTS_MAX;
  }
}
