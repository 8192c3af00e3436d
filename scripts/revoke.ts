import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { realClock } from '../common/adapters/real-clock.js';
import { fromBase64, fromHex, toBase64, toHex } from '../common/bytes.js';
import { asSealcamError } from '../common/errors.js';
import { openMakerList } from '../cloud/trust/maker-list.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import type { Signer } from '../protocol/crypto/suite.js';
import { revocationKind } from '../protocol/objects/revocation.js';
import { signObject } from '../protocol/objects/signed-object.js';
import { makeKey } from './qa/keys.js';

const HELP = `npm run --silent revoke -- --key FILE --list FILE [--device HEX …]

Makes and signs the maker's list of devices whose keys are revoked. The list at --list is taken over, with the devices
added and its version raised by one; without devices it is only issued anew, for clouds that ask for a current one.
A list that is not there yet begins with version 1. Then, at each cloud: sealcam-cloud revoke import FILE.

  --key FILE        the maker's key: 64 hex digits, mode 600
  --list FILE       the list, in base64; replaced whole
  --device HEX      a device to revoke; may be given several times
  --make-key FILE   makes a key and prints its public half, for revocation.makerKey
  --json            one JSON object instead of text
  --help            this text

Revoked stays revoked: a cloud that took a list keeps its devices, whatever later lists say.
Exit status: 0 done, 2 wrong usage or a key or list that cannot be used.
`;

const { values } = parseArgs({
  options: {
    key: { type: 'string' },
    list: { type: 'string' },
    device: { type: 'string', multiple: true, default: [] },
    'make-key': { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** @throws Error for a key that others could read */
function makerSigner(path: string): Signer {
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) throw new Error(`${path} has mode ${(mode & 0o777).toString(8)}, not 600`);
  const seed = fromHex(readFileSync(path, 'utf8').trim(), 32);
  if (seed === undefined) throw new Error(`${path} is no key: it holds 64 hex digits, as --make-key writes them`);
  return nodeSuite.ed25519Signer(seed);
}

function devicesOf(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => {
    const device = fromHex(text, 32);
    if (device === undefined) throw new Error(`--device ${text}: expected 64 hex digits`);
    return device;
  });
}

function revoke(keyPath: string, listPath: string): void {
  const signer = makerSigner(keyPath);
  const added = devicesOf(values.device);
  // A list of another key, or an altered one, is refused here already.
  const before = existsSync(listPath)
    ? openMakerList(nodeSuite, signer.publicKey, fromBase64(readFileSync(listPath, 'utf8').trim()) ?? new Uint8Array(0))
    : null;
  const devices = new Map(
    [...(before?.value.entries ?? []).map(({ device }) => device), ...added].map((device) => [toHex(device), device]),
  );
  const list = signObject(revocationKind, nodeSuite, signer, {
    scope: 'maker',
    listVersion: (before?.value.listVersion ?? 0) + 1,
    issuedAtMs: realClock.wallMs(),
    entries: [...devices.values()].map((device) => ({ device })),
  });
  writeFileSync(`${listPath}.new`, `${toBase64(list.bytes)}\n`);
  renameSync(`${listPath}.new`, listPath);
  const { listVersion: version, issuedAtMs, entries } = list.value;
  const issued = new Date(issuedAtMs).toISOString();
  const result = { list: listPath, version, issued, entries: entries.length, maker_key: toHex(signer.publicKey) };
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${listPath}: version ${String(version)} of ${issued}, ${String(entries.length)} devices\n`,
  );
}

try {
  const { key, list } = values;
  if (values.help) process.stdout.write(HELP);
  else if (values['make-key'] !== undefined) process.stdout.write(`${makeKey(values['make-key'])}\n`);
  else if (key === undefined || list === undefined) throw new Error('--key and --list are needed; see --help');
  else revoke(key, list);
} catch (error) {
  process.stderr.write(`revoke: ${asSealcamError(error).message}\n`);
  process.exitCode = 2;
}
