import { concat, copyOf, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { verifyStrict } from '../crypto/strict.js';
import type { CryptoSuite, Signer } from '../crypto/suite.js';
import { decodeCbor, encodeCbor, type Cbor } from './cbor.js';

/** COSE_Sign1 (RFC 9052 §4.2) with the one protected header that this protocol allows. Not yet verified. */
export interface Sign1 {
  /** 32-byte public key of the claimed signer. */
  readonly kid: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** A private copy of the whole object. */
  readonly bytes: Uint8Array;
  /** The bytes that the signature and the object's hash cover. */
  readonly sigStructure: Uint8Array;
}

/** CBOR tag 18, the first byte of every COSE_Sign1. */
const TAG_SIGN1 = 0xd2;
/** Ed25519 as a fully specified algorithm; RFC 9864. */
const ALG_ED25519 = -19;
const HEADER_ALG = 1;
const HEADER_KID = 4;

function protectedHeader(kid: Uint8Array): Uint8Array {
  return encodeCbor(
    new Map<number, Cbor>([
      [HEADER_ALG, ALG_ED25519],
      [HEADER_KID, kid],
    ]),
  );
}

/**
 * Sig_structure, RFC 9052 §4.4. The domain is its external_aad, so a signature of one kind is never valid for another.
 */
function sigStructureOf(header: Uint8Array, domain: string, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', header, utf8(domain), payload]);
}

/** Signs a payload. Returns the bytes of the COSE_Sign1. */
export function signSign1(domain: string, signer: Signer, payload: Uint8Array): Uint8Array {
  const header = protectedHeader(signer.publicKey);
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
  const parts = decodeCbor(bytes.subarray(1), { maxBytes, maxDepth: 3, maxItems: 8 });
  if (!Array.isArray(parts) || parts.length !== 4) throw new SealcamError('malformed', 'not a COSE_Sign1');
  const [header, unprotected, payload, signature] = parts as readonly unknown[];
  if (!(header instanceof Uint8Array) || !(payload instanceof Uint8Array)) {
    throw new SealcamError('malformed', 'not a COSE_Sign1 with an attached payload');
  }
  if (!(unprotected instanceof Map) || unprotected.size > 0) {
    throw new SealcamError('malformed', 'the unprotected header is not empty');
  }
  if (!(signature instanceof Uint8Array) || signature.length !== 64) {
    throw new SealcamError('malformed', 'the signature is not 64 bytes');
  }
  return { bytes, kid: kidOf(header), payload, signature, sigStructure: sigStructureOf(header, domain, payload) };
}

function kidOf(header: Uint8Array): Uint8Array {
  const map = decodeCbor(header, { maxBytes: 64, maxDepth: 2, maxItems: 8 });
  if (!(map instanceof Map) || map.size !== 2 || map.get(HEADER_ALG) !== ALG_ED25519) {
    throw new SealcamError('malformed', 'the protected header is not {1: -19, 4: kid}');
  }
  const kid: unknown = map.get(HEADER_KID);
  if (!(kid instanceof Uint8Array) || kid.length !== 32) {
    throw new SealcamError('malformed', 'the kid is not a raw 32-byte key');
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
