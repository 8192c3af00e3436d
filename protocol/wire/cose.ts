import { concat, copyOf, equal, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { Lru } from '../../common/lru.js';
import { verifyStrict } from '../crypto/strict.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';
import { byteStringHead, decodeCbor, decodeCborInPlace, encodeCbor } from './cbor.js';

/** COSE_Sign1 (RFC 9052 §4.2) with the one protected header that this protocol allows. Not yet verified. */
export interface Sign1 {
  /** 32-byte public key of the claimed signer. */
  readonly kid: Uint8Array;
  /** A view of `bytes`. */
  readonly payload: Uint8Array;
  /** A view of `bytes`. */
  readonly signature: Uint8Array;
  /** A private copy of the whole object. */
  readonly bytes: Uint8Array;
  /** The bytes that the signature and the object's hash cover. */
  readonly sigStructure: Uint8Array;
}

/** CBOR tag 18, the first byte of every COSE_Sign1. */
const TAG_SIGN1 = 0xd2;
const KID_BYTES = 32;
const SIGNATURE_BYTES = 64;
/**
 * Everything before the kid in the one protected header {1: -19, 4: kid}: a map of two, alg = -19 (Ed25519 as a fully specified
 * algorithm, RFC 9864), kid = 32 bytes.
 */
const HEADER_START = Uint8Array.of(0xa2, 0x01, 0x32, 0x04, 0x58, KID_BYTES);
/** An array of four: its context, "Signature1" as text, and the head of a protected header. */
const SIG_STRUCTURE_START = concat(
  Uint8Array.of(0x84),
  encodeCbor('Signature1'),
  byteStringHead(HEADER_START.length + KID_BYTES),
);

/**
 * Sig_structure, RFC 9052 §4.4, for a header of 38 bytes. The domain is its external_aad, so a signature of one kind is never
 * valid for another.
 */
function sigStructureOf(header: Uint8Array, domain: string, payload: Uint8Array): Uint8Array {
  return concat(SIG_STRUCTURE_START, header, externalAad(domain), byteStringHead(payload.length), payload);
}

/** Domains are few, and each record needs one. */
const aads = new Lru<string, Uint8Array>(32);

function externalAad(domain: string): Uint8Array {
  const known = aads.get(domain);
  if (known !== undefined) return known;
  const aad = encodeCbor(utf8(domain));
  aads.set(domain, aad);
  return aad;
}

/** Signs a payload. Returns the bytes of the COSE_Sign1. */
export function signSign1(domain: string, signer: Signer, payload: Uint8Array): Uint8Array {
  const header = concat(HEADER_START, signer.publicKey);
  const signature = signer.sign(sigStructureOf(header, domain, payload));
  return concat(Uint8Array.of(TAG_SIGN1), encodeCbor([header, new Map(), payload, signature]));
}

/**
 * Parses the structure without verifying anything. The bytes are copied first, so that the caller's buffer cannot
 * change them after verification.
 *
 * @throws SealcamError `malformed`
 */
export function parseSign1(untrusted: Uint8Array, domain: string, maxBytes: number): Sign1 {
  if (untrusted.length > maxBytes) {
    throw new SealcamError('malformed', `${String(untrusted.length)} bytes, at most ${String(maxBytes)}`);
  }
  const bytes = copyOf(untrusted);
  if (bytes[0] !== TAG_SIGN1) throw new SealcamError('malformed', 'not a COSE_Sign1');
  const parts = decodeCborInPlace(bytes.subarray(1), { maxBytes, maxDepth: 3, maxItems: 8 });
  if (!Array.isArray(parts) || parts.length !== 4) throw new SealcamError('malformed', 'not a COSE_Sign1');
  const [header, unprotected, payload, signature] = parts as readonly unknown[];
  if (!(header instanceof Uint8Array) || !(payload instanceof Uint8Array)) {
    throw new SealcamError('malformed', 'not a COSE_Sign1 with an attached payload');
  }
  if (!(unprotected instanceof Map) || unprotected.size > 0) {
    throw new SealcamError('malformed', 'the unprotected header is not empty');
  }
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) {
    throw new SealcamError('malformed', 'the signature is not 64 bytes');
  }
  const kid = kidOf(header);
  return { bytes, kid, payload, signature, sigStructure: sigStructureOf(header, domain, payload) };
}

/** The encoding is deterministic, so the header has one spelling. */
function kidOf(header: Uint8Array): Uint8Array {
  const start = header.subarray(0, HEADER_START.length);
  const kid = header.slice(HEADER_START.length);
  if (!equal(start, HEADER_START) || kid.length !== KID_BYTES) {
    throw new SealcamError('malformed', 'the protected header is not {1: -19, 4: kid} with a raw 32-byte key');
  }
  return kid;
}

/** Verifies the signature under the object's own kid. @throws SealcamError `bad-signature` */
export function verifySign1(suite: CryptoSuite, object: Sign1): void {
  if (!verifyStrict(suite, object.kid, object.sigStructure, object.signature)) {
    throw new SealcamError('bad-signature', 'the signature does not verify');
  }
}

/** Decodes the map that every payload is. @throws SealcamError `malformed` */
export function decodePayload(payload: Uint8Array): ReadonlyMap<unknown, unknown> {
  const map = decodeCbor(payload, {
    maxBytes: LIMITS.revocationMaxBytes,
    maxDepth: LIMITS.cborMaxDepth,
    maxItems: LIMITS.cborMaxItems,
  });
  if (!(map instanceof Map)) throw new SealcamError('malformed', 'the payload is not a map');
  return map;
}
