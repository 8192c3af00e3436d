import { concat, equal, fromBase64, toBase64, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { blake2b64 } from '../crypto/hashes.js';
import { verifyStrict } from '../crypto/strict.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';

/**
 * Signatures of a page's maker, in the format of minisign (https://jedisct1.github.io/minisign/, "Signature format"), so that
 * anyone can check one with a program that is not ours: Ed25519 over BLAKE2b-512 of the file (`ED`), and a second one over the
 * first and its trusted comment.
 */
export interface MakerKey {
  /** 8 bytes that tell keys apart; they prove nothing. */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A maker's secret key: anyone who holds it decides which pages browsers take. */
export interface MakerSecret {
  readonly key: MakerKey;
  readonly signer: Signer;
}

const SIGNATURE_TYPE = utf8('ED');
const KEY_TYPE = utf8('Ed');
const CHECKSUM_TYPE = utf8('B2');
const UNTRUSTED = 'untrusted comment: ';
const TRUSTED = 'trusted comment: ';
const COMMENT_MAX_CHARACTERS = 1024;

/** Reads a public key: a `.pub` file of minisign, or its second line alone. @throws SealcamError `key-file-invalid` */
export function parseMakerKey(text: string): MakerKey {
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one !== '' && !one.startsWith(UNTRUSTED.trim()));
  const bytes = fromBase64(line ?? '');
  if (bytes?.length !== 42 || !equal(bytes.subarray(0, 2), KEY_TYPE)) {
    throw new SealcamError('key-file-invalid', 'this is not a public key of minisign', { hint: KEY_HINT });
  }
  return { id: bytes.slice(2, 10), publicKey: bytes.slice(10) };
}

const KEY_HINT = 'Give the .pub file that minisign -G wrote, or its second line, which begins with RW.';

/** Returns the line that {@link parseMakerKey} reads. */
export function formatMakerKey({ id, publicKey }: MakerKey): string {
  return toBase64(concat(KEY_TYPE, id, publicKey));
}

/**
 * Reads a secret key that has no password, as `minisign -G -W` writes it.
 * @throws SealcamError `key-file-invalid` also for one with a password, which only minisign itself opens
 */
export function parseMakerSecret(suite: CryptoSuite, text: string): MakerSecret {
  const bytes = fromBase64(text.split('\n')[1]?.trim() ?? '');
  const kdf = bytes?.subarray(2, 4);
  if (bytes?.length !== 158 || kdf === undefined || !equal(bytes.subarray(0, 2), KEY_TYPE)) {
    throw new SealcamError('key-file-invalid', 'this is not a secret key of minisign', { hint: SECRET_HINT });
  }
  if (!equal(kdf, new Uint8Array(2)) || !equal(bytes.subarray(4, 6), CHECKSUM_TYPE)) {
    throw new SealcamError('key-file-invalid', 'this secret key has a password', { hint: SECRET_HINT });
  }
  // After salt and limits: id, seed, public key. Without a password minisign leaves the checksum after them empty.
  const [id, seed, publicKey] = [bytes.slice(54, 62), bytes.slice(62, 94), bytes.slice(94, 126)];
  const signer = suite.ed25519Signer(seed);
  if (!equal(signer.publicKey, publicKey)) {
    throw new SealcamError('key-file-invalid', 'this secret key is damaged', { hint: SECRET_HINT });
  }
  return { key: { id, publicKey }, signer };
}

const SECRET_HINT =
  'Give a key made by minisign -G -W. With a password: build without it and sign page-list.json by minisign -S yourself.';

/** Signs `message`. `comment` is signed too: one line, for people. */
export function signMinisign({ key, signer }: MakerSecret, message: Uint8Array, comment: string): string {
  const signature = signer.sign(blake2b64(message));
  const whole = signer.sign(concat(signature, utf8(comment)));
  return [
    `${UNTRUSTED}signature of the page's maker`,
    toBase64(concat(SIGNATURE_TYPE, key.id, signature)),
    `${TRUSTED}${comment}`,
    toBase64(whole),
    '',
  ].join('\n');
}

/**
 * Verifies a signature file and returns its trusted comment.
 * @throws SealcamError `malformed` for another format; `foreign` for another key's; `bad-signature`
 */
export function verifyMinisign(suite: CryptoSuite, key: MakerKey, message: Uint8Array, signatureFile: string): string {
  const [first = '', signed = '', commented = '', whole = ''] = signatureFile.split('\n').map((one) => one.trimEnd());
  const signature = fromBase64(signed);
  const global = fromBase64(whole);
  const isShaped = first.startsWith(UNTRUSTED) && commented.startsWith(TRUSTED);
  if (!isShaped || signature?.length !== 74 || global?.length !== 64 || commented.length > COMMENT_MAX_CHARACTERS) {
    throw new SealcamError('malformed', 'this is not a signature of minisign');
  }
  if (!equal(signature.subarray(0, 2), SIGNATURE_TYPE)) {
    throw new SealcamError('malformed', 'a signature of an old kind: sign it again with minisign 0.10 or newer');
  }
  if (!equal(signature.subarray(2, 10), key.id))
    throw new SealcamError('foreign', "signed by another key than the maker's");
  const ed25519 = signature.slice(10);
  const comment = commented.slice(TRUSTED.length);
  const isValid =
    verifyStrict(suite, key.publicKey, blake2b64(message), ed25519) &&
    verifyStrict(suite, key.publicKey, concat(ed25519, utf8(comment)), global);
  if (!isValid) throw new SealcamError('bad-signature', "the signature of the page's list is not the maker's");
  return comment;
}
