/** The outside of a recovery file: a box under a passphrase. What the page keeps in it beside the key is its own. */
import * as v from '../../common/schema.js';
import { SealcamError } from '../../common/errors.js';
import { scrypt } from '../crypto/hashes.js';
import { secretbox } from '../crypto/tweetnacl.js';
import type { MasterKey } from './secrets.js';

/**
 * scrypt (RFC 7914) with 128 MiB, OWASP's setting for interactive use: about a second on a phone, for each guess too.
 */
export const SCRYPT_COST = { n: 2 ** 17, r: 8, p: 1 } as const;
/**
 * Limits on the cost that a file may demand, eight times ours and 1 GiB, so that a forged file cannot freeze the page.
 */
const SCRYPT_COST_MAX = 8 * SCRYPT_COST.n * SCRYPT_COST.r * SCRYPT_COST.p;
const SCRYPT_MEMORY_MAX_BYTES = 2 ** 30;

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

/** An opened box. In version 1 `contents` is the master key, in version 2 JSON that holds it. */
export interface RecoveryBox {
  readonly version: 1 | 2;
  readonly contents: Uint8Array;
}

/**
 * Opens the box of a recovery file. `onProgress` receives fractions from 0 to 1.
 * @throws SealcamError `recovery-refused`
 */
export async function openRecoveryBox(
  text: string,
  passphrase: string,
  onProgress?: (fraction: number) => void,
): Promise<RecoveryBox> {
  let file: v.InferOutput<typeof fileSchema>;
  try {
    file = v.parse(fileSchema, JSON.parse(text));
  } catch (cause) {
    throw new SealcamError('recovery-refused', 'this is not a recovery file', { cause });
  }
  if (file.nonce.length !== 24) throw new SealcamError('recovery-refused', 'the recovery file is damaged');
  const key = await scrypt(passphrase, file.kdf.salt, file.kdf, onProgress);
  const contents = secretbox.open(file.box, file.nonce, key);
  if (contents === undefined) throw new SealcamError('recovery-refused', 'the passphrase does not open this file');
  return { version: file.version, contents };
}

const masterSchema = v.object({ master: v.base64Bytes });

/** Returns the master key of an opened box. @throws SealcamError `recovery-refused` */
export function masterOf({ version, contents }: RecoveryBox): MasterKey {
  const master = version === 1 ? contents : masterIn(contents);
  if (master.length !== 32) throw new SealcamError('recovery-refused', 'the recovery file is damaged');
  return master;
}

function masterIn(contents: Uint8Array): MasterKey {
  try {
    return v.parse(masterSchema, JSON.parse(new TextDecoder().decode(contents))).master;
  } catch (cause) {
    throw new SealcamError('recovery-refused', 'the recovery file is damaged', { cause });
  }
}
