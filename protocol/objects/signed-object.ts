/**
 * Signing and opening, the same for every kind of object. {@link openSigned} is the only way from bytes to content: it
 * checks size, shape, signature, encoding, fields and signer, in this order.
 */
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';
import { encodeCbor } from '../wire/cbor.js';
import { eitherVersion, isVersionTwo, type Codec, type VersionTwo } from '../wire/codec.js';
import { decodePayload, parseSign1, signSign1, verifySign1, type Sign1 } from '../wire/cose.js';

/** One kind of signed object: its domain, its payload, and the rules that tie its signer to its content. */
export interface SignedKind<T> {
  /** Separates signatures of this kind from all others, e.g. `sealcam/record/v1`. */
  readonly domain: string;
  readonly maxBytes: number;
  readonly codec: Codec<T>;
  /** Checks the signer against the content (`foreign`), then rules between fields (`malformed`). */
  check(value: T, kid: Uint8Array, suite: CryptoSuite): void;
}

declare const verifiedMark: unique symbol;

/**
 * Content whose signature, encoding and signer were checked. Only {@link openSigned} and {@link signObject} make one,
 * so a function that takes a Verified cannot receive unchecked content.
 */
export interface Verified<T> {
  readonly value: T;
  /** The signer's public key, 32 bytes. */
  readonly kid: Uint8Array;
  /** SHA-256 of the Sig_structure (32 bytes): independent of the signature's own bytes. */
  readonly hash: Uint8Array;
  /** The whole signed object. */
  readonly bytes: Uint8Array;
  readonly [verifiedMark]: true;
}

export const PROTOCOL_VERSION = 1;
/** Every version that this code reads and writes; a cloud announces its own to a camera. */
export const PROTOCOL_VERSIONS = [1, 2] as const;
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** Returns the version of a decoded value: those of version 2 say so. */
export function versionOf(value: object): ProtocolVersion {
  return isVersionTwo(value) ? 2 : 1;
}

/** Makes one kind of the two versions of a kind: opens either, and signs a value as the version that it says. */
export function kindOfVersions<A, B extends VersionTwo>(one: SignedKind<A>, two: SignedKind<B>): SignedKind<A | B> {
  return {
    domain: one.domain,
    maxBytes: one.maxBytes,
    codec: eitherVersion(one.codec, two.codec),
    check(value, kid, suite) {
      if (isVersionTwo(value)) two.check(value, kid, suite);
      else one.check(value, kid, suite);
    },
  };
}

/**
 * Checks that an object has the version of its epoch, which the epoch's claim decides for all of it.
 * @throws SealcamError `malformed` if it has the other one
 */
export function checkVersionOfEpoch(object: object, claim: object): void {
  if (versionOf(object) === versionOf(claim)) return;
  const [found, wanted] = [versionOf(object), versionOf(claim)].map(String);
  throw new SealcamError('malformed', `an object of version ${found ?? ''} in an epoch of version ${wanted ?? ''}`);
}

function opened<T>({ codec, domain }: SignedKind<T>, suite: CryptoSuite, object: Sign1): Verified<T> {
  const value = codec.fromCbor(decodePayload(object.payload), domain.split('/')[1] ?? 'payload');
  const { kid, bytes } = object;
  return { value, kid, hash: suite.sha256(object.sigStructure), bytes } as Verified<T>;
}

/**
 * Signs a value that is only sent: it is not read back. Returns the signed object.
 * @throws SealcamError `foreign`, `malformed` as on opening; `too-large`
 */
export function signBytes<T>(kind: SignedKind<T>, suite: CryptoSuite, signer: Signer, value: T): Uint8Array {
  kind.check(value, signer.publicKey, suite);
  const bytes = signSign1(kind.domain, signer, encodeCbor(kind.codec.toCbor(value)));
  if (bytes.length > kind.maxBytes)
    throw new SealcamError('too-large', `${kind.domain}: ${String(bytes.length)} bytes`);
  return bytes;
}

/**
 * Signs a value, as {@link signBytes} does, and returns what was signed.
 * @throws SealcamError `foreign`, `malformed` as on opening; `too-large`
 */
export function signObject<T>(kind: SignedKind<T>, suite: CryptoSuite, signer: Signer, value: T): Verified<T> {
  const object = parseSign1(signBytes(kind, suite, signer, value), kind.domain, kind.maxBytes);
  // Read back from the bytes: the caller may change its own arrays later, but a Verified must not change.
  return opened(kind, suite, object);
}

/**
 * Opens a signed object of this kind.
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

/** An object with a valid signature whose content was not checked: enough to name it in a reject, not to trust it. */
export interface SignedButFaulty {
  readonly kid: Uint8Array;
  readonly hash: Uint8Array;
  readonly fields: ReadonlyMap<unknown, unknown>;
}

/**
 * Reads an object that {@link openSigned} refuses. Returns undefined unless the signature verifies and the payload is a
 * map.
 */
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
