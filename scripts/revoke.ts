/** `npm run revoke`: signs the maker's list of revoked devices. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { realClock } from '../common/adapters/real-clock.js';
import { fromBase64, fromHex, toBase64, toHex } from '../common/bytes.js';
import { openMakerList } from '../cloud/trust/maker-list.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import type { Signer } from '../protocol/crypto/suite.js';
import { revocationKind } from '../protocol/objects/revocation.js';
import { signObject } from '../protocol/objects/signed-object.js';
import { printResult, runCommand, USAGE_STATUS } from './command.js';
import { makeKey } from './qa/keys.js';

const HELP = `npm run --silent revoke -- --key FILE --list FILE [--device HEX …]

Signs the maker's list of devices whose keys are revoked. The new list holds the devices of the old one at --list and those
given here, and its version is one higher. Without --device it is only issued again, for clouds that require a current list.
Where there is no list yet, version 1 is made. Then run at each cloud: sealcam-cloud revoke import FILE.

  --key FILE        the maker's key: 64 hex digits, mode 600
  --list FILE       the list, in base64; replaced atomically
  --device HEX      a device to revoke; may be repeated
  --make-key FILE   make a key and print its public half, for revocation.makerKey
  --json            print one JSON object instead of text
  --help            print this text

A revocation is final: a cloud that imported a list keeps its devices revoked, whatever later lists contain.
Exit status: 0 done, 2 wrong usage or a key or list that cannot be used.
`;

interface RevokeOptions {
  readonly keyPath: string;
  readonly listPath: string;
  readonly devices: readonly Uint8Array[];
  readonly json: boolean;
}

await runCommand({
  name: 'revoke',
  help: HELP,
  options: {
    key: { type: 'string' },
    list: { type: 'string' },
    device: { type: 'string', multiple: true, default: [] },
    'make-key': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  readOptions: ({ key, list, device, 'make-key': keyToMake, json }): RevokeOptions | string => {
    if (keyToMake !== undefined) return keyToMake;
    if (key === undefined || list === undefined) throw new Error('--key and --list are required');
    return { keyPath: key, listPath: list, devices: device.map(deviceOf), json };
  },
  main: (options) => {
    if (typeof options === 'string') process.stdout.write(`${makeKey(options)}\n`);
    else revoke(options);
    return 0;
  },
  statusOf: () => USAGE_STATUS,
});

function deviceOf(text: string): Uint8Array {
  const device = fromHex(text, 32);
  if (device === undefined) throw new Error(`--device ${text}: expected 64 hex digits`);
  return device;
}

function revoke({ keyPath, listPath, devices: added, json }: RevokeOptions): void {
  const signer = makerSigner(keyPath);
  // Throws for a list that was altered or signed by another key.
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
  printResult(
    json,
    { list: listPath, version, issued, entries: entries.length, maker_key: toHex(signer.publicKey) },
    `${listPath}: version ${String(version)} of ${issued}, ${String(entries.length)} devices`,
  );
}

/** @throws Error for a key that other users of the machine could read */
function makerSigner(path: string): Signer {
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) throw new Error(`${path} has mode ${(mode & 0o777).toString(8)}, not 600`);
  const seed = fromHex(readFileSync(path, 'utf8').trim(), 32);
  if (seed === undefined) throw new Error(`${path} is not a key: expected 64 hex digits, as --make-key writes them`);
  return nodeSuite.ed25519Signer(seed);
}
