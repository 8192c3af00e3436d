/**
 * What a camera has in force: the content of the detail that it seals into its answers to orders for zones, sensitivity, masks
 * and schedules. With it every browser of the household knows what another one ordered.
 */
import { LIMITS } from '../../common/limits.js';
import { scheduleList, zoneList } from '../objects/command.js';
import { KEY_BYTES } from '../objects/ids.js';
import { decodeCbor, encodeCbor, type Cbor } from '../wire/cbor.js';
import {
  bytes,
  epochNumber,
  labelled,
  nullable,
  optional,
  struct,
  tuple,
  uint,
  versioned,
  type Codec,
  type TypeOf,
} from '../wire/codec.js';

/**
 * The order that set something: the Ed25519 key of the browser that gave it, the epoch in which it was given and its counter there,
 * and when the camera took it, UTC by its own clock; null where that was not set, or is not known any more.
 */
const change = labelled(
  ['signer', 'epoch', 'counter', 'wallMs'],
  tuple(bytes(KEY_BYTES), epochNumber, uint(), nullable(uint())),
);
export type Change = TypeOf<typeof change>;

/** One setting, whole. Without a change no order set it: the camera's own configuration does. */
function setting<T>(value: Codec<T>) {
  return labelled(['value', 'change'], tuple(value, nullable(change)));
}

/** A setting that is missing is one that this camera does not have. */
export const inForce = versioned(
  1,
  struct({
    zones: optional(1, setting(zoneList)),
    sensitivity: optional(2, setting(uint(100))),
    masks: optional(3, setting(zoneList)),
    schedules: optional(4, setting(scheduleList)),
  }),
);
export type InForce = TypeOf<typeof inForce>;

/** One unit of padding: an object of one size says nothing of what is in it. */
const MAX_BYTES = LIMITS.sealPadBytes - 4;

/** Returns the content of the detail. */
export function encodeInForce(value: InForce): Uint8Array {
  return encodeCbor(inForce.toCbor(value) satisfies Cbor);
}

/** Reverses {@link encodeInForce}. @throws SealcamError `malformed`, `unsupported` */
export function decodeInForce(content: Uint8Array): InForce {
  const limits = { maxBytes: MAX_BYTES, maxDepth: LIMITS.cborMaxDepth, maxItems: LIMITS.cborMaxItems };
  const raw = decodeCbor(content, limits);
  return inForce.fromCbor(raw, 'in-force');
}
