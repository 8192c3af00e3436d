/** The owner's key for commands that open pictures: from a recovery file with its passphrase, or from a file with the key. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { Reader } from '../../protocol/evidence/household-keys.js';
import { masterOf, openRecoveryBox } from '../../protocol/owner/recovery-box.js';
import { ownerSecrets, type MasterKey } from '../../protocol/owner/secrets.js';

export interface OwnerKeyOptions {
  /** A recovery file, which the owner's page saved. */
  readonly recovery?: string | undefined;
  /** File with the passphrase in its first line; without it, it is asked for at the terminal. */
  readonly passphraseFile?: string | undefined;
  /** File with the master key itself: 32 bytes, or as hex. */
  readonly key?: string | undefined;
}

const KEY_BYTES = 32;

/** Returns the reader that the options name. @throws SealcamError `usage-invalid`, `recovery-refused`, `key-file-invalid` */
export async function readerOf(options: OwnerKeyOptions): Promise<Reader> {
  const { recovery, key } = options;
  if ((recovery === undefined) === (key === undefined)) {
    throw new SealcamError('usage-invalid', 'give either --recovery or --key', {
      hint: '--recovery FILE is the recovery file that the page saved; --key FILE holds the master key, 32 bytes or hex.',
    });
  }
  const master = recovery === undefined ? masterFrom('--key', key ?? '') : await recovered(recovery, options);
  return new Reader(nodeSuite, ownerSecrets(nodeSuite, master));
}

/** Reads a file that an option names. @throws SealcamError `usage-invalid` */
export function readNamed(option: string, path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new SealcamError('usage-invalid', `${option}: ${path} cannot be read`, {
      cause,
      hint: 'Check the path, and whether this user may read the file.',
    });
  }
}

/** Reads a file that holds the master key itself. @throws SealcamError `usage-invalid`, `key-file-invalid` */
export function masterFrom(option: string, path: string): MasterKey {
  const bytes = readNamed(option, path);
  const text = new TextDecoder().decode(bytes).trim();
  const master = bytes.length === KEY_BYTES ? bytes : fromHex(text, KEY_BYTES);
  if (master !== undefined) return master;
  throw new SealcamError('key-file-invalid', `${option}: ${path} holds neither 32 bytes nor 64 hex digits`, {
    hint: 'It is the master key. Most owners have a recovery file instead: give it with --recovery.',
  });
}

async function recovered(path: string, { passphraseFile }: OwnerKeyOptions): Promise<MasterKey> {
  const text = new TextDecoder().decode(readNamed('--recovery', path));
  const passphrase = passphraseFile === undefined ? await ask() : firstLine(passphraseFile);
  process.stderr.write('opening the recovery file\n');
  return masterOf(await openRecoveryBox(text, passphrase));
}

function firstLine(path: string): string {
  return new TextDecoder().decode(readNamed('--passphrase-file', path)).split(/\r?\n/)[0] ?? '';
}

/** Asks for the passphrase without showing it. */
async function ask(): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new SealcamError('usage-invalid', 'the recovery file needs its passphrase', {
      hint: 'Run the command at a terminal, or put the passphrase into a file and name it with --passphrase-file.',
    });
  }
  process.stderr.write('Passphrase of the recovery file: ');
  const unseen = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
