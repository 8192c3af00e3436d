import { z } from '../../common/schema.js';
import { fromBase64, toBase64 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { scrypt } from '../../protocol/crypto/hashes.js';
import { secretbox } from '../../protocol/crypto/tweetnacl.js';
import type { MasterKey } from './owner-keys.js';

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
export const PASSPHRASE_MIN = 10;

const bytes = z.string().transform((text, context) => {
  const decoded = fromBase64(text);
  if (decoded !== undefined) return decoded;
  context.addIssue('not base64');
  return z.NEVER;
});
const fileSchema = z.object({
  sealcam: z.literal('recovery-file'),
  version: z.literal(1),
  kdf: z
    .object({
      name: z.literal('scrypt'),
      // A power of two (RFC 7914 §2).
      n: z
        .int()
        .min(2)
        .refine((n) => Number.isInteger(Math.log2(n))),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(4),
      salt: bytes,
    })
    .refine(({ n, r, p }) => n * r * p <= SCRYPT_COST_MAX && 128 * n * r <= SCRYPT_MEMORY_MAX_BYTES),
  nonce: bytes,
  box: bytes,
});

/**
 * Returns the text of a recovery file: the master key in a secretbox, encrypted under the passphrase. `onProgress`
 * receives fractions from 0 to 1.
 *
 * @throws SealcamError `recovery-refused` if the passphrase is too short
 */
export async function makeRecoveryFile(
  master: MasterKey,
  passphrase: string,
  random: Random,
  onProgress?: (fraction: number) => void,
): Promise<string> {
  if (passphrase.length < PASSPHRASE_MIN) {
    throw new SealcamError('recovery-refused', `the passphrase needs at least ${String(PASSPHRASE_MIN)} characters`, {
      hint: 'Four or five unrelated words make a good one.',
    });
  }
  const salt = random.bytes(16);
  const nonce = random.bytes(24);
  const key = await scrypt(passphrase, salt, SCRYPT_COST, onProgress);
  const file = {
    sealcam: 'recovery-file',
    version: 1,
    kdf: { name: 'scrypt', ...SCRYPT_COST, salt: toBase64(salt) },
    nonce: toBase64(nonce),
    box: toBase64(secretbox.seal(master, nonce, key)),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Opens a recovery file and returns the master key. @throws SealcamError `recovery-refused` */
export async function openRecoveryFile(
  text: string,
  passphrase: string,
  onProgress?: (fraction: number) => void,
): Promise<MasterKey> {
  let file: z.output<typeof fileSchema>;
  try {
    file = fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SealcamError('recovery-refused', 'this is not a recovery file', { cause });
  }
  if (file.nonce.length !== 24) throw new SealcamError('recovery-refused', 'the recovery file is damaged');
  const key = await scrypt(passphrase, file.kdf.salt, file.kdf, onProgress);
  const master = secretbox.open(file.box, file.nonce, key);
  if (master?.length !== 32) throw new SealcamError('recovery-refused', 'the passphrase does not open this file');
  return master;
}
