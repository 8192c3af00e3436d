import { concat, toBase64, utf8 } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { parseMakerSecret, type MakerSecret } from '../../protocol/page/minisign.js';

/** Returns the secret key file of a page's maker, as `minisign -G -W` writes one (minisign 0.11), always the same for a seed. */
export function makerSecretFile(seed: number): string {
  const raw = new Uint8Array(32).fill(seed);
  const key = concat(new Uint8Array(8).fill(seed), raw, nodeSuite.ed25519Signer(raw).publicKey);
  const bytes = concat(utf8('Ed'), new Uint8Array(2), utf8('B2'), new Uint8Array(48), key, new Uint8Array(32));
  return `untrusted comment: minisign secret key\n${toBase64(bytes)}\n`;
}

export function makerSecret(seed: number): MakerSecret {
  return parseMakerSecret(nodeSuite, makerSecretFile(seed));
}
