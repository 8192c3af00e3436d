import * as v from '../../common/schema.js';
import { toBase64, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { scrypt } from '../../protocol/crypto/hashes.js';
import { secretbox } from '../../protocol/crypto/tweetnacl.js';
import { masterOf, openRecoveryBox, SCRYPT_COST } from '../../protocol/owner/recovery-box.js';
import type { MasterKey } from '../../protocol/owner/secrets.js';
import type { KnownEpoch } from './storage.js';

/** Shortest passphrase, in characters. */
const PASSPHRASE_MIN = 10;
/** Fewest different characters of a passphrase; "1212121212" has two. */
const DIFFERENT_MIN = 6;
/** Fewest digits of a passphrase without a letter: a telephone number is shorter. */
const DIGITS_MIN = 20;
/** What guessing begins with, letters only and lower case. */
const GUESSED_FIRST = /passwor[dt]|qwert[yz]|letmein|iloveyou|sealcam/;

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
  // Before the wait, after which a root key that was open may be forgotten.
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
  const salt = random.bytes(16);
  const nonce = random.bytes(24);
  const key = await scrypt(passphrase, salt, SCRYPT_COST, onProgress);
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
  const box = await openRecoveryBox(text, passphrase, onProgress);
  // The key alone is checked in both versions.
  const master = masterOf(box);
  return box.version === 1 ? { master, savedAtMs: null, epochs: [] } : parseContents(box.contents);
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
