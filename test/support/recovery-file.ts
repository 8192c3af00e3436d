import { realRandom } from '../../common/adapters/real-random.js';
import { toBase64 } from '../../common/bytes.js';
import { scrypt } from '../../protocol/crypto/hashes.js';
import { secretbox } from '../../protocol/crypto/tweetnacl.js';

/** Returns a recovery file of version 1, which holds the key alone, with a derivation that costs nothing. */
export async function cheapRecoveryFile(master: Uint8Array, passphrase: string): Promise<string> {
  const salt = realRandom.bytes(16);
  const nonce = realRandom.bytes(24);
  const cost = { n: 16, r: 1, p: 1 };
  const box = secretbox.seal(master, nonce, await scrypt(passphrase, salt, cost));
  const kdf = { name: 'scrypt', ...cost, salt: toBase64(salt) };
  return JSON.stringify({ sealcam: 'recovery-file', version: 1, kdf, nonce: toBase64(nonce), box: toBase64(box) });
}
