/**
 * Messages of a look on the topic `…/live`: one encrypted piece of what the camera sees now, QoS 0. The session's key is the
 * seal's; here are its envelope, its nonce and what it authenticates. A message that is lost stays lost.
 */
import { concat, copyOf, u32be } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { ID_BYTES } from '../objects/ids.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { bytes, bytesBetween, labelled, tuple, uint } from '../wire/codec.js';

export interface LiveMessage {
  /** 16 bytes, of the order to look. */
  readonly session: Uint8Array;
  /** 0, 1, 2 … of the messages sent in the session, also after a reconnect: never twice under one key. */
  readonly n: number;
  /** The sum of {@link LIVE_FLAGS}. */
  readonly flags: number;
  readonly ciphertext: Uint8Array;
}

/** `continued`: the unit goes on in the next message. */
export const LIVE_FLAGS = { keyUnit: 1, initialisation: 2, end: 4, continued: 8 } as const;
const FLAGS_MAX = 15;
const LIVE = 1;
/** A ciphertext is never shorter than its tag. */
const TAG_BYTES = 16;

const parts = labelled(
  ['session', 'n', 'flags', 'ciphertext'],
  tuple(bytes(ID_BYTES), uint(), uint(FLAGS_MAX), bytesBetween(TAG_BYTES, LIMITS.liveMaxBytes)),
);

/** The parts after the type; docs/protocol-v2.cddl is generated from them. */
export const LIVE_SCHEMAS = { live: parts.schema } as const;
export const LIVE_TYPES = { live: LIVE } as const;

/** Encodes a live message. @throws SealcamError `malformed` for a value out of range */
export function encodeLive({ session, n, flags, ciphertext }: LiveMessage): Uint8Array {
  parts.toCbor([session, n, flags, ciphertext]);
  return encodeCbor([LIVE, session, n, flags, ciphertext]);
}

/** Decodes a live message. @throws SealcamError `malformed` or `unsupported` */
export function decodeLive(payload: Uint8Array): LiveMessage {
  const raw = decodeCbor(copyOf(payload), { maxBytes: LIMITS.messageMaxBytes, maxDepth: 1, maxItems: 6 });
  if (!Array.isArray(raw)) throw new SealcamError('malformed', 'a message is an array');
  const [type, ...rest] = raw as readonly unknown[];
  if (typeof type !== 'number') throw new SealcamError('malformed', 'a message starts with its type');
  if (type !== LIVE) throw new SealcamError('unsupported', `live message of type ${String(type)}`);
  const [session, n, flags, ciphertext] = parts.fromCbor(rest, 'live');
  return { session, n, flags, ciphertext };
}

/** Returns the nonce of a message: n as 12 bytes, big-endian. */
export function liveNonce(n: number): Uint8Array {
  return concat(u32be(0), u32be(Math.floor(n / 2 ** 32)), u32be(n % 2 ** 32));
}

/** Returns what a message's ciphertext authenticates beside itself: CBOR [session, n, flags]. */
export function liveAad({ session, n, flags }: Omit<LiveMessage, 'ciphertext'>): Uint8Array {
  return encodeCbor([session, n, flags]);
}
