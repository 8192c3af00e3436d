import * as v from '../../common/schema.js';
import { toBase64, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { scrypt } from '../../protocol/crypto/hashes.js';
import { secretbox } from '../../protocol/crypto/tweetnacl.js';
import type { MasterKey } from './owner-keys.js';
import type { KnownEpoch } from './storage.js';

/**
 * scrypt (RFC 7914) with 128 MiB, OWASP's setting for interactive use: about a second on a phone, for each guess too.
 */
const SCRYPT_COST = { n: 2 ** 17, r: 8, p: 1 } as const;
/**
 * Limits on the cost that a file may demand, eight times ours and 1 GiB, so that a forged file cannot freeze the page.
 */
const SCRYPT_COST_MAX = 8 * SCRYPT_COST.n * SCRYPT_COST.r * SCRYPT_COST.p;
const SCRYPT_MEMORY_MAX_BYTES = 2 ** 30;
/** Shortest passphrase, in characters. */
const PASSPHRASE_MIN = 10;
/** Fewest different characters of a passphrase; "1212121212" has two. */
const DIFFERENT_MIN = 6;
/** Fewest digits of a passphrase without a letter: a telephone number is shorter. */
const DIGITS_MIN = 20;
/** What guessing begins with, letters only and lower case. */
const GUESSED_FIRST = /passwor[dt]|qwert[yz]|letmein|iloveyou|sealcam/;

const fileSchema = v.object({
  sealcam: v.literal('recovery-file'),
  version: v.picklist([1, 2]),
  kdf: v.pipe(
    v.object({
      name: v.literal('scrypt'),
      // A power of two (RFC 7914 §2).
      n: v.pipe(
        v.int(2),
        v.check((n) => Number.isInteger(Math.log2(n))),
      ),
      r: v.int(1, 16),
      p: v.int(1, 4),
      salt: v.base64Bytes,
    }),
    v.check(({ n, r, p }) => n * r * p <= SCRYPT_COST_MAX && 128 * n * r <= SCRYPT_MEMORY_MAX_BYTES),
  ),
  nonce: v.base64Bytes,
  box: v.base64Bytes,
});

/** What a recovery file holds. */
export interface Recovery {
  readonly master: MasterKey;
  /** UTC; null for a file of version 1, which holds the key alone. */
  readonly savedAtMs: number | null;
  /** Claims, accepts and heads: what the cloud must still show. The newest of them, if there are many. */
  readonly epochs: readonly KnownEpoch[];
}

const EPOCHS_MAX = 256;
const contentsSchema = v.object({
  master: v.base64Bytes,
  savedAtMs: v.int(),
  epochs: v.pipe(
    v.array(
      v.object({
        device: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        epoch: v.int(1),
        claim: v.base64Bytes,
        accept: v.optional(v.base64Bytes),
        head: v.object({ seq: v.int(0), hash: v.base64Bytes }),
      }),
    ),
    v.maxLength(EPOCHS_MAX),
  ),
});

/**
 * Returns the text of a recovery file: the master key in a secretbox, encrypted under the passphrase, with the verified
 * heads of all cameras, so that a restored browser notices what the cloud no longer shows. `onProgress` receives fractions
 * from 0 to 1.
 *
 * @throws SealcamError `recovery-refused` if the passphrase is short or easily guessed
 */
export async function makeRecoveryFile(
  { master, savedAtMs, epochs }: Recovery & { readonly savedAtMs: number },
  passphrase: string,
  random: Random,
  onProgress?: (fraction: number) => void,
): Promise<string> {
  const weakness = passphraseWeakness(passphrase);
  if (weakness !== null) {
    throw new SealcamError('recovery-refused', `the passphrase ${weakness}`, {
      hint: 'Four or five unrelated words make a good one.',
    });
  }
  const salt = random.bytes(16);
  const nonce = random.bytes(24);
  const key = await scrypt(passphrase, salt, SCRYPT_COST, onProgress);
  const contents: v.InferInput<typeof contentsSchema> = {
    master: toBase64(master),
    savedAtMs,
    epochs: epochs.slice(-EPOCHS_MAX).flatMap(({ device, epoch, claim, accept, head }) => {
      if (head === null) return [];
      const known = { seq: head.seq, hash: toBase64(head.hash) };
      const answer = accept === undefined ? {} : { accept: toBase64(accept) };
      return [{ device, epoch, claim: toBase64(claim), head: known, ...answer }];
    }),
  };
  const file = {
    sealcam: 'recovery-file',
    version: 2,
    kdf: { name: 'scrypt', ...SCRYPT_COST, salt: toBase64(salt) },
    nonce: toBase64(nonce),
    box: toBase64(secretbox.seal(utf8(JSON.stringify(contents)), nonce, key)),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * Returns what is wrong with a passphrase, or null. It finds what is guessed first, not every weak one: scrypt slows the
 * rest of the guessing.
 */
export function passphraseWeakness(passphrase: string): string | null {
  const characters = Array.from(passphrase.normalize('NFC').toLowerCase());
  if (characters.length < PASSPHRASE_MIN) return `needs at least ${String(PASSPHRASE_MIN)} characters`;
  if (new Set(characters).size < DIFFERENT_MIN) return 'repeats a few characters';
  const steps = characters
    .slice(1)
    .map((character, i) => character.charCodeAt(0) - (characters[i] ?? '').charCodeAt(0));
  if (steps.filter((step) => Math.abs(step) === 1).length > steps.length / 2) return 'follows the alphabet or counts';
  const letters = characters.filter((character) => /\p{L}/u.test(character)).join('');
  if (letters === '' && characters.length < DIGITS_MIN) return 'has no letters';
  const rest = letters.replace(GUESSED_FIRST, '');
  if (rest.length < DIFFERENT_MIN && rest.length < letters.length) return 'is one of those guessed first';
  return null;
}

/** Opens a recovery file. @throws SealcamError `recovery-refused` */
export async function openRecoveryFile(
  text: string,
  passphrase: string,
  onProgress?: (fraction: number) => void,
): Promise<Recovery> {
  let file: v.InferOutput<typeof fileSchema>;
  try {
    file = v.parse(fileSchema, JSON.parse(text));
  } catch (cause) {
    throw new SealcamError('recovery-refused', 'this is not a recovery file', { cause });
  }
  if (file.nonce.length !== 24) throw new SealcamError('recovery-refused', 'the recovery file is damaged');
  const key = await scrypt(passphrase, file.kdf.salt, file.kdf, onProgress);
  const opened = secretbox.open(file.box, file.nonce, key);
  if (opened === undefined) throw new SealcamError('recovery-refused', 'the passphrase does not open this file');
  const recovery = file.version === 1 ? { master: opened, savedAtMs: null, epochs: [] } : parseContents(opened);
  if (recovery.master.length !== 32) throw new SealcamError('recovery-refused', 'the recovery file is damaged');
  return recovery;
}

function parseContents(opened: Uint8Array): Recovery {
  try {
    const { master, savedAtMs, epochs } = v.parse(contentsSchema, JSON.parse(new TextDecoder().decode(opened)));
    const known = epochs.map(({ accept, ...epoch }): KnownEpoch => {
      return { ...epoch, isAccepted: true, ...(accept === undefined ? {} : { accept }) };
    });
    return { master, savedAtMs, epochs: known };
  } catch (cause) {
    throw new SealcamError('recovery-refused', 'the recovery file is damaged', { cause });
  }
}
