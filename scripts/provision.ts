import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realRandom } from '../common/adapters/real-random.js';
import { fromHex, toHex } from '../common/bytes.js';
import { asSealcamError } from '../common/errors.js';
import { loadIdentity } from '../agent/main/identity.js';
import { claimSheet } from '../agent/console/claim-sheet.js';
import type { DeviceSecrets } from '../hal/key-store.js';
import { FileKeyStore } from '../hal/linux/key-store.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import { claimLink, formatClaimCode } from '../protocol/objects/claim-code.js';
import { writeLabel } from './qa/label.js';

const HELP = `npm run --silent provision -- --data FOLDER [options]

Gives one camera its identity on the production line: makes the key files that go into its data folder, prints the label.

  --data FOLDER     the camera's data folder; keys that are there are kept, never overwritten
  --import FILE     JSON {"seed": 64 hex digits, "claimSecret": 32 hex digits} instead of fresh ones
  --page URL        the owner's page that the label's QR code leads to; default https://app.example/
  --label FILE      writes the label as PNG, 62 × 29 mm at 300 dpi
  --owner UID:GID   who the files shall belong to (needs root); as the agent's user on the camera
  --json            one JSON object instead of text
  --help            this text

Who has the label can claim the camera while its claim window is open: it goes on the camera and nowhere else.
Exit status: 0 done, 2 wrong usage or keys that cannot be used, 4 the folder cannot be written.
`;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    import: { type: 'string' },
    page: { type: 'string', default: 'https://app.example/' },
    label: { type: 'string' },
    owner: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** @throws Error that says what the file should hold */
function readSecrets(path: string): DeviceSecrets {
  const { seed, claimSecret } = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
  const secrets = { seed: fromHex(String(seed), 32), claimSecret: fromHex(String(claimSecret), 16) };
  if (secrets.seed === undefined || secrets.claimSecret === undefined) {
    throw new Error(`${path} must hold "seed" with 64 and "claimSecret" with 32 hex digits`);
  }
  return { seed: secrets.seed, claimSecret: secrets.claimSecret };
}

function keysIn(folder: string): DeviceSecrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const imported = values.import === undefined ? null : readSecrets(values.import);
  const store = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const fresh = { seed: realRandom.bytes(32), claimSecret: realRandom.bytes(16) };
  const loaded = store.load(() => imported ?? fresh);
  if (imported !== null && toHex(loaded.seed) !== toHex(imported.seed)) {
    throw new Error(`${folder} has keys already, of another camera than ${values.import ?? ''}`);
  }
  return loaded;
}

function giveTo(owner: string, folder: string): void {
  const [uid, gid] = owner.split(':').map(Number);
  if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new Error('--owner is UID:GID, both numbers');
  }
  for (const name of ['.', 'device.seed', 'claim.secret']) chownSync(join(folder, name), uid, gid);
}

async function provision(folder: string): Promise<void> {
  const isNew = !existsSync(join(folder, 'device.seed'));
  const secrets = keysIn(folder);
  const { device, claimSecret } = loadIdentity({ keyStore: { load: () => secrets } }, nodeSuite, realRandom);
  const code = { device, secret: claimSecret };
  const text = formatClaimCode(nodeSuite, code);
  const link = claimLink(values.page, text);
  if (values.label !== undefined) await writeLabel(values.label, { device: toHex(device), code: text, link });
  if (values.owner !== undefined) giveTo(values.owner, folder);
  if (values.json) {
    const { label = null } = values;
    const result = { device: toHex(device), claim_code: text, claim_link: link, data: folder, is_new: isNew, label };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  process.stdout.write(`Camera ${toHex(device)}, ${isNew ? 'new keys' : 'the keys that were there'} in ${folder}\n`);
  process.stdout.write(claimSheet(nodeSuite, code, values.page));
}

if (values.help || values.data === undefined) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    await provision(values.data);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    process.stderr.write(`provision: ${message}\n`);
    process.exitCode = code === 'key-store-unavailable' ? 4 : 2;
  }
}
