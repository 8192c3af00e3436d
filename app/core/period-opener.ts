/**
 * Opens the periods of seal suite 2. With ML-KEM it is a file of its own, which the page loads when it is needed: see
 * load-period-opener.ts. The worker has it from its start.
 */
import { toHex } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { webXWing, type SubtleSeals } from '../../protocol/crypto/web-seals.js';
import { xwingKeys, type XWingKeys } from '../../protocol/crypto/xwing.js';
import { openPeriod, type OpenedPeriod, type OpenPeriodRequest } from '../../protocol/seal/open-period.js';

/** Makes the X-Wing keys of a seed, for one look. */
export function lookKeys(suite: CryptoSuite, seed: Uint8Array): XWingKeys {
  return xwingKeys(suite, seed);
}

/** Returns the public key of an X-Wing seed. */
export function xwingPublicKey(suite: CryptoSuite, seed: Uint8Array): Uint8Array {
  return xwingKeys(suite, seed).publicKey;
}

/** What opens a period, of a verified key record, but for the own key. */
export interface PeriodKey extends Pick<OpenPeriodRequest, 'context' | 'commit' | 'body' | 'recipients' | 'own'> {
  /** Hash of the key record, which signs all of this. */
  readonly record: Uint8Array;
}

/** Periods that are kept open: a camera begins one a day. */
const PERIODS_MAX = 64;

type Decapsulate = OpenPeriodRequest['decapsulate'];

/** Opens periods with the key of one seed, each once, by the browser's own X-Wing where that agrees with the library. */
export class PeriodOpener {
  private readonly suite: CryptoSuite;
  readonly #seed: Uint8Array;
  private readonly subtle: SubtleSeals | undefined;
  private decapsulate: Promise<Decapsulate> | null = null;
  /** By hex of the key record's hash. A refusal is kept too: it will not change. */
  private readonly opened = new Map<string, Promise<OpenedPeriod>>();

  constructor(suite: CryptoSuite, seed: Uint8Array, subtle: SubtleSeals | undefined) {
    this.suite = suite;
    this.#seed = seed;
    this.subtle = subtle;
  }

  /** Opens a period. @throws SealcamError `not-sealed-to-you`; `malformed`, `unsupported` */
  open(period: PeriodKey): Promise<OpenedPeriod> {
    const name = toHex(period.record);
    const known = this.opened.get(name);
    if (known !== undefined) return known;
    const opening = this.openNew(period);
    this.opened.set(name, opening);
    if (this.opened.size > PERIODS_MAX) this.opened.delete(this.opened.keys().next().value ?? '');
    return opening;
  }

  private async openNew({ context, commit, body, recipients, own }: PeriodKey): Promise<OpenedPeriod> {
    this.decapsulate ??= this.decapsulation();
    const decapsulate = await this.decapsulate;
    try {
      return await openPeriod({ suite: this.suite, context, commit, body, recipients, own, decapsulate });
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'seal-refused') throw error;
      throw new SealcamError('not-sealed-to-you', `this camera did not seal to you: ${error.message}`, {
        cause: error,
      });
    }
  }

  private async decapsulation(): Promise<Decapsulate> {
    const ofBrowser = await webXWing(this.suite, this.subtle);
    if (ofBrowser !== null) return ofBrowser(this.#seed);
    const keys = xwingKeys(this.suite, this.#seed);
    return (enc) => keys.decapsulate(enc);
  }
}
