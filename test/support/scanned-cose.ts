/** COSE_Sign1 as protocol/wire read it with the decoder of scanned-cbor.ts: the second opinion of `npm run fuzz`. */
import { utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Sign1 } from '../../protocol/wire/cose.js';
import { decodeInThreePasses, encodeByLibrary } from './scanned-cbor.js';

const TAG_SIGN1 = 0xd2;
const ALG_ED25519 = -19;
const HEADER_ALG = 1;
const HEADER_KID = 4;

function refuse(why: string): never {
  throw new SealcamError('malformed', why);
}

/** Parses the structure without verifying anything. @throws SealcamError `malformed` */
export function parseInThreePasses(bytes: Uint8Array, domain: string, maxBytes: number): Sign1 {
  if (bytes.length > maxBytes) refuse('too many bytes');
  if (bytes[0] !== TAG_SIGN1) refuse('not a COSE_Sign1');
  const parts = decodeInThreePasses(bytes.subarray(1), { maxBytes, maxDepth: 3, maxItems: 8 });
  if (!Array.isArray(parts) || parts.length !== 4) return refuse('not a COSE_Sign1');
  const [header, unprotected, payload, signature] = parts as readonly unknown[];
  if (!(header instanceof Uint8Array) || !(payload instanceof Uint8Array)) return refuse('no attached payload');
  if (!(unprotected instanceof Map) || unprotected.size > 0) refuse('the unprotected header is not empty');
  if (!(signature instanceof Uint8Array) || signature.length !== 64) return refuse('the signature is not 64 bytes');
  const sigStructure = encodeByLibrary(['Signature1', header, utf8(domain), payload]);
  return { bytes, kid: kidOf(header), payload, signature, sigStructure };
}

function kidOf(header: Uint8Array): Uint8Array {
  const map = decodeInThreePasses(header, { maxBytes: 64, maxDepth: 2, maxItems: 8 });
  if (!(map instanceof Map) || map.size !== 2 || map.get(HEADER_ALG) !== ALG_ED25519) return refuse('not the header');
  const kid: unknown = map.get(HEADER_KID);
  return kid instanceof Uint8Array && kid.length === 32 ? kid : refuse('the kid is not a raw 32-byte key');
}
