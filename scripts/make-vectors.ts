/**
 * `npm run vectors`: writes test/vectors/*.json, the golden vectors: every signed kind, seals and messages, good and bad,
 * with the keys they were made from. The files are checked in and change only with a decision record; tests only compare.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeSuite } from '../protocol/crypto/node.js';
import { runCommand } from './command.js';
import { badVectors } from './vectors/bad.js';
import { badVectorsV2 } from './vectors/bad-v2.js';
import { clipVectors } from './vectors/clips.js';
import { evidenceVectors } from './vectors/evidence.js';
import { inForceVectors } from './vectors/in-force.js';
import { identifiers, keyring, keyringV2, toJson } from './vectors/keyring.js';
import { liveVectors } from './vectors/live.js';
import { messageVectors } from './vectors/messages.js';
import { messageVectorsV2 } from './vectors/messages-v2.js';
import { orderVectorsV2 } from './vectors/orders-v2.js';
import { seal2Vectors } from './vectors/seal2.js';
import { sealVectors } from './vectors/seals.js';
import { settingsVectors } from './vectors/settings.js';
import { signedVectors } from './vectors/signed.js';
import { signedVectorsV2 } from './vectors/signed-v2.js';
import { verifyVectors } from './vectors/verify.js';
import { verifyVectorsV2 } from './vectors/verify-v2.js';

const HELP = `npm run vectors [-- FOLDER]

Writes the golden vectors of the protocol into FOLDER (test/vectors).

  --help    print this text

Exit status: 0 written, 2 wrong usage.
`;

await runCommand({
  name: 'vectors',
  help: HELP,
  options: {},
  positionalsMax: 1,
  readOptions: (_, [folder = 'test/vectors']) => folder,
  main: (folder) => {
    mkdirSync(folder, { recursive: true });
    const files = {
      keys: { ...toJsonObject(keyring(nodeSuite)), ...toJsonObject(identifiers(nodeSuite)) },
      signed: signedVectors(nodeSuite),
      bad: badVectors(nodeSuite),
      seal: sealVectors(nodeSuite),
      seal2: seal2Vectors(nodeSuite),
      messages: messageVectors(nodeSuite),
      verify: verifyVectors(nodeSuite),
      evidence: evidenceVectors(nodeSuite),
      clips: clipVectors(nodeSuite),
      'in-force': inForceVectors(nodeSuite),
      live: liveVectors(nodeSuite),
      settings: settingsVectors(nodeSuite),
      'keys-v2': keyringV2(nodeSuite),
      'signed-v2': signedVectorsV2(nodeSuite),
      'bad-v2': badVectorsV2(nodeSuite),
      'messages-v2': messageVectorsV2(nodeSuite),
      'verify-v2': verifyVectorsV2(nodeSuite),
      'orders-v2': orderVectorsV2(nodeSuite),
    };
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, `${name}.json`);
      writeFileSync(path, `${JSON.stringify(toJson(content), null, 1)}\n`);
      process.stdout.write(`wrote ${path}\n`);
    }
    return 0;
  },
});

function toJsonObject(value: unknown): Record<string, unknown> {
  return toJson(value) as Record<string, unknown>;
}
