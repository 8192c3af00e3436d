/** `npm run provision`: gives a camera its identity on the production line. */
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realRandom } from '../common/adapters/real-random.js';
import { fromHex, toHex } from '../common/bytes.js';
import { asSealcamError } from '../common/errors.js';
import { loadIdentity } from '../agent/main/identity.js';
import { claimSheet } from '../agent/console/claim-sheet.js';
import type { DeviceSecrets } from '../hal/key-store.js';
import { FileKeyStore } from '../hal/linux/key-store.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import { claimLink, formatClaimCode } from '../protocol/objects/claim-code.js';
import { printResult, runCommand, TOOL_MISSING_STATUS, USAGE_STATUS } from './command.js';
import { writeLabel } from './qa/label.js';

const HELP = `npm run --silent provision -- --data FOLDER [options]

Gives one camera its identity on the production line: makes the key files of its data folder and prints the label.

  --data FOLDER     the camera's data folder; keys that exist are kept, never overwritten
  --import FILE     use JSON {"seed": 64 hex digits, "claimSecret": 32 hex digits} instead of new keys
  --page URL        the owner's page that the label's QR code opens; default https://app.example/
  --label FILE      write the label as PNG, 62 × 29 mm at 300 dpi
  --owner UID:GID   change the files' owner (needs root), to the agent's user on the camera
  --json            print one JSON object instead of text
  --help            print this text

Anyone who has the label can claim the camera while its claim window is open: put it on the camera and nowhere else.
Exit status: 0 done, 2 wrong usage or keys that cannot be used, 4 the folder cannot be written.
`;

interface Options {
  readonly data: string;
  readonly import: string | undefined;
  readonly page: string;
  readonly label: string | undefined;
  readonly owner: string | undefined;
  readonly json: boolean;
}

await runCommand({
  name: 'provision',
  help: HELP,
  options: {
    data: { type: 'string' },
    import: { type: 'string' },
    page: { type: 'string', default: 'https://app.example/' },
    label: { type: 'string' },
    owner: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  readOptions: ({ data, import: identity, page, label, owner, json }): Options => {
    if (data === undefined) throw new Error('--data is required');
    return { data, import: identity, page, label, owner, json };
  },
  main: provision,
  statusOf: (error) => (asSealcamError(error).code === 'key-store-unavailable' ? TOOL_MISSING_STATUS : USAGE_STATUS),
});

async function provision({ data, import: identity, page, label, owner, json }: Options): Promise<number> {
  const isNew = !existsSync(join(data, 'device.seed'));
  const secrets = keysIn(data, identity);
  const { device, claimSecret } = loadIdentity({ keyStore: { load: () => secrets } }, nodeSuite, realRandom);
  const code = { device, secret: claimSecret };
  const text = formatClaimCode(nodeSuite, code);
  const link = claimLink(page, text);
  if (label !== undefined) await writeLabel(label, { device: toHex(device), code: text, link });
  if (owner !== undefined) changeOwner(owner, data);
  printResult(
    json,
    { device: toHex(device), claim_code: text, claim_link: link, data, is_new: isNew, label: label ?? null },
    `Camera ${toHex(device)}, ${isNew ? 'new' : 'existing'} keys in ${data}\n${claimSheet(nodeSuite, code, page)}`,
  );
  return 0;
}

function keysIn(folder: string, identity: string | undefined): DeviceSecrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const imported = identity === undefined ? null : readSecrets(identity);
  const store = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const fresh = { seed: realRandom.bytes(32), claimSecret: realRandom.bytes(16) };
  const loaded = store.load(() => imported ?? fresh);
  if (imported !== null && toHex(loaded.seed) !== toHex(imported.seed)) {
    throw new Error(`${folder} already has the keys of another camera than ${identity ?? ''}`);
  }
  return loaded;
}

/** @throws Error that names the fields of the file */
function readSecrets(path: string): DeviceSecrets {
  const fields = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
  const seed = fromHex(String(fields['seed']), 32);
  const claimSecret = fromHex(String(fields['claimSecret']), 16);
  if (seed === undefined || claimSecret === undefined) {
    throw new Error(`${path} must hold "seed" with 64 and "claimSecret" with 32 hex digits`);
  }
  return { seed, claimSecret };
}

function changeOwner(owner: string, folder: string): void {
  const [uid, gid] = owner.split(':').map(Number);
  if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new Error('--owner is UID:GID, both numbers');
  }
  for (const name of ['.', 'device.seed', 'claim.secret']) chownSync(join(folder, name), uid, gid);
}
