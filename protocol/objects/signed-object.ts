import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';
import { encodeCbor } from '../wire/cbor.js';
import type { Codec } from '../wire/codec.js';
import { decodePayload, parseSign1, signSign1, verifySign1, type Sign1 } from '../wire/cose.js';

/** One kind of signed object: its domain, its payload, and what its signer's key must have to do with its content. */
export interface SignedKind<T> {
  readonly domain: string;
  readonly maxBytes: number;
  readonly codec: Codec<T>;
  /** First what its signer has to do with the content (`foreign`), then rules between fields (`malformed`). */
  check(value: T, kid: Uint8Array, suite: CryptoSuite): void;
}

declare const verifiedMark: unique symbol;

/**
 * Content whose signature, encoding and signer were checked. Only {@link openSigned} and {@link signObject} make one,
 * so a function that takes a Verified cannot be handed unchecked bytes.
 */
export interface Verified<T> {
  readonly value: T;
  readonly kid: Uint8Array;
  /** SHA-256 of the Sig_structure: independent of the signature's own bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly [verifiedMark]: true;
}

export const PROTOCOL_VERSION = 1;

function opened<T>({ codec, domain }: SignedKind<T>, suite: CryptoSuite, object: Sign1): Verified<T> {
  const value = codec.fromCbor(decodePayload(object.payload), domain.split('/')[1] ?? 'payload');
  const { kid, bytes } = object;
  return { value, kid, hash: suite.sha256(object.sigStructure), bytes } as Verified<T>;
}

export function signObject<T>(kind: SignedKind<T>, suite: CryptoSuite, signer: Signer, value: T): Verified<T> {
  kind.check(value, signer.publicKey, suite);
  const bytes = signSign1(kind.domain, signer, encodeCbor(kind.codec.toCbor(value)));
  if (bytes.length > kind.maxBytes)
    throw new SealcamError('too-large', `${kind.domain}: ${String(bytes.length)} bytes`);
  const object = parseSign1(bytes, kind.domain, kind.maxBytes);
  // What was signed, read back: the caller's own arrays may change later, a Verified may not.
  return opened(kind, suite, object);
}

/**
 * The only way from bytes to content: size, shape, strict signature, then encoding and fields.
 *
 * @throws SealcamError `malformed`, `bad-signature`, `unsupported` (signed, but by a newer version) or `foreign`
 */
export function openSigned<T>(kind: SignedKind<T>, suite: CryptoSuite, untrusted: Uint8Array): Verified<T> {
  const object = parseSign1(untrusted, kind.domain, kind.maxBytes);
  verifySign1(suite, object);
  const signed = opened(kind, suite, object);
  kind.check(signed.value, object.kid, suite);
  return signed;
}

/** An object that its signer signed, whatever is wrong inside: enough to name it in a reject, never to believe it. */
export interface SignedButFaulty {
  readonly kid: Uint8Array;
  readonly hash: Uint8Array;
  readonly fields: ReadonlyMap<unknown, unknown>;
}

/** Undefined unless the signature verifies and the payload is a map in the deterministic encoding. */
export function signedButFaulty<T>(
  kind: SignedKind<T>,
  suite: CryptoSuite,
  untrusted: Uint8Array,
): SignedButFaulty | undefined {
  try {
    const object = parseSign1(untrusted, kind.domain, kind.maxBytes);
    verifySign1(suite, object);
    return { kid: object.kid, hash: suite.sha256(object.sigStructure), fields: decodePayload(object.payload) };
  } catch {
    return undefined;
  }
}
