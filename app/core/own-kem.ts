import { fromBase64, toBase64, toHex } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { KEM_KEY_BYTES } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { loadPeriodOpener } from './load-period-opener.js';
import type { OwnerKeys } from './owner-keys.js';
import type { HistoryStorage } from './storage.js';

const SETTING = 'kem-key';

/**
 * This person's X-Wing public key, by whose hash claims of version 2 name them. Making it needs a library that the first paint
 * does without, so it is made once, and kept beside the seed's master key.
 */
export class OwnKem {
  private readonly suite: CryptoSuite;
  private readonly keys: Pick<OwnerKeys, 'account' | 'kemSeed'>;
  private readonly storage: HistoryStorage;
  private loading: Promise<Uint8Array> | null = null;

  constructor(suite: CryptoSuite, keys: Pick<OwnerKeys, 'account' | 'kemSeed'>, storage: HistoryStorage) {
    this.suite = suite;
    this.keys = keys;
    this.storage = storage;
  }

  /** Returns the key, 1,216 bytes. @throws SealcamError `cloud-unreachable` where the library could not be loaded */
  async publicKey(): Promise<Uint8Array> {
    this.loading ??= this.load();
    try {
      return await this.loading;
    } catch (error) {
      this.loading = null;
      throw error;
    }
  }

  /** Returns the hash of the key. @throws SealcamError as {@link publicKey} */
  async hash(): Promise<Uint8Array> {
    return kemHash(this.suite, await this.publicKey());
  }

  private async load(): Promise<Uint8Array> {
    const { account, kemSeed } = this.keys;
    // Another person's page may have used this storage before.
    const [whose, text = ''] = ((await this.storage.setting(SETTING)) ?? '').split(' ');
    const kept = whose === toHex(account) ? fromBase64(text) : undefined;
    if (kept?.length === KEM_KEY_BYTES) return kept;
    const { xwingPublicKey } = await loadPeriodOpener();
    const made = xwingPublicKey(this.suite, kemSeed);
    await this.storage.saveSetting(SETTING, `${toHex(account)} ${toBase64(made)}`);
    return made;
  }
}
