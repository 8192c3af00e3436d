import { toHex } from '../../common/bytes.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { claimLink, formatClaimCode } from '../../protocol/objects/claim-code.js';
import { makeDataFolder } from '../main/adapters/data-folder.js';
import { loadIdentity } from '../main/identity.js';
import type { ConfigSource } from '../../common/config/load.js';
import { loadAgentConfig } from '../config/keys.js';
import { keyStoreOf } from '../main/drivers.js';
import { claimSheet } from '../console/claim-sheet.js';
import type { Output } from './output.js';

/** Runs `sealcam keygen`: creates the camera's identity, or shows the existing one. Returns the exit status. */
export function keygenCommand(source: ConfigSource, output: Output): number {
  const config = loadAgentConfig(source);
  const folder = config['data.folder'];
  makeDataFolder(folder);
  const { device, claimSecret, signer } = loadIdentity({ keyStore: keyStoreOf(config) }, nodeSuite, realRandom);
  const code = { device, secret: claimSecret };
  const text = formatClaimCode(nodeSuite, code);
  const pageUrl = config['claim.pageUrl'];
  output.printLine(`Camera      ${toHex(device)}\nPublic key  ${toHex(signer.publicKey)}\nKeys in     ${folder}`);
  output.printLine(claimSheet(nodeSuite, code, pageUrl));
  output.emit({
    device: toHex(device),
    public_key: toHex(signer.publicKey),
    claim_code: text,
    claim_link: claimLink(pageUrl, text),
    folder,
  });
  return 0;
}
