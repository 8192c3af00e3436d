import { SealcamError } from '../../common/errors.js';
import type { DeviceSecrets, KeyStore } from '../key-store.js';

/** A key store in memory. */
export class MockKeyStore implements KeyStore {
  private secrets: DeviceSecrets | null = null;

  load(makeSecrets: () => DeviceSecrets): DeviceSecrets {
    this.secrets ??= makeSecrets();
    if (this.secrets.seed.length !== 32 || this.secrets.claimSecret.length !== 16) {
      throw new SealcamError('key-file-invalid', 'the secrets have a wrong length');
    }
    return this.secrets;
  }
}
