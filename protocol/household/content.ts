import { fromHex, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { HASH_BYTES } from '../objects/ids.js';
import { decodeCbor, encodeCbor, type Cbor } from '../wire/cbor.js';
import {
  array,
  bool,
  bytes,
  field,
  labelled,
  nullable,
  optional,
  struct,
  text,
  tuple,
  uint,
  versioned,
  type Codec,
  type TypeOf,
} from '../wire/codec.js';
import { latestFirst, SIGNER_BYTES, type Register, type Registers } from './registers.js';
import { MARK_ID_BYTES, QUIET, type HouseholdState, type QuietHours } from './state.js';

const id = bytes(HASH_BYTES);
const name = text(LIMITS.householdNameMaxBytes);
const minute = uint(1439);

const stamp = [uint(), bytes(SIGNER_BYTES)] as const;
const CODECS = {
  names: array(labelled(['id', 'name', 'counter', 'signer'], tuple(id, name, ...stamp)), 0, LIMITS.householdNamesMax),
  order: array(
    labelled(['device', 'place', 'counter', 'signer'], tuple(id, uint(65_535), ...stamp)),
    0,
    LIMITS.householdCamerasMax,
  ),
  zones: array(
    labelled(['device', 'zone', 'name', 'counter', 'signer'], tuple(id, text(LIMITS.zoneNameMaxBytes), name, ...stamp)),
    0,
    LIMITS.householdNamesMax,
  ),
  quiet: labelled(
    ['hours', 'counter', 'signer'],
    tuple(nullable(labelled(['fromMinute', 'toMinute'], tuple(minute, minute))), ...stamp),
  ),
  reviewed: array(
    labelled(['event', 'isReviewed', 'day', 'counter', 'signer'], tuple(bytes(MARK_ID_BYTES), bool, uint(), ...stamp)),
    0,
    LIMITS.householdMarksMax,
  ),
  ancestors: array(labelled(['hash', 'version'], tuple(bytes(HASH_BYTES), uint())), 0, LIMITS.householdAncestorsMax),
} as const;

/** The content of a settings object. Entries of a list are sorted, none twice, so that one state has one encoding. */
export const householdContent = versioned(
  1,
  struct({
    names: field(1, CODECS.names),
    order: field(2, CODECS.order),
    zones: field(3, CODECS.zones),
    quiet: optional(4, CODECS.quiet),
    reviewed: field(5, CODECS.reviewed),
    ancestors: field(6, CODECS.ancestors),
  }),
);

/** What may be in the padded body of a settings object, beside the four bytes of its length. */
export const HOUSEHOLD_CONTENT_MAX_BYTES =
  Math.floor((LIMITS.settingsBodyMaxBytes - 16) / LIMITS.sealPadBytes) * LIMITS.sealPadBytes - 4;
/** The map with its keys, the heads of its lists, and the quiet hours. */
const FRAME_BYTES = 64;
/** All that a state can hold, as a browser keeps it for itself. */
export const HOUSEHOLD_STATE_MAX_BYTES = 512 * 1024;

/**
 * Returns the bytes of a state. Where not all has room, the marks that were made first are left out, and where names alone are too
 * long, the oldest of these: a browser that knows them keeps them.
 */
export function encodeHousehold(state: HouseholdState, maxBytes: number = HOUSEHOLD_CONTENT_MAX_BYTES): Uint8Array {
  const room = new Room(maxBytes - FRAME_BYTES);
  const ancestors = [...state.ancestors].map(([hash, version]) => [unhex(hash), version] as const);
  const quiet = state.quiet.get(QUIET);
  // In this order: what comes last is left out first.
  const lists = {
    ancestors: room.fit(CODECS.ancestors, ancestors),
    order: room.fit(
      CODECS.order,
      latestFirst(state.order).map(([key, { value, ...by }]) => [unhex(key), value, ...stampOf(by)] as const),
    ),
    names: room.fit(
      CODECS.names,
      latestFirst(state.names).map(([key, { value, ...by }]) => [unhex(key), value, ...stampOf(by)] as const),
    ),
    zones: room.fit(
      CODECS.zones,
      latestFirst(state.zones).map(([key, { value, ...by }]) => {
        const slash = key.indexOf('/');
        return [unhex(key.slice(0, slash)), key.slice(slash + 1), value, ...stampOf(by)] as const;
      }),
    ),
    reviewed: room.fit(
      CODECS.reviewed,
      latestFirst(state.reviewed).map(([key, { value, ...by }]) => {
        return [unhex(key), value.isReviewed, value.day, ...stampOf(by)] as const;
      }),
    ),
  };
  const hours = quiet?.value ?? null;
  return encodeCbor(
    householdContent.toCbor({
      ...lists,
      ...(quiet === undefined
        ? {}
        : { quiet: [hours === null ? null : [hours.fromMinute, hours.toMinute], ...stampOf(quiet)] as const }),
    }) satisfies Cbor,
  );
}

/**
 * Reverses {@link encodeHousehold}.
 * @throws SealcamError `malformed`; `unsupported` for the content of a newer version, which is not merged, never overwritten
 */
export function decodeHousehold(content: Uint8Array, maxBytes: number = HOUSEHOLD_CONTENT_MAX_BYTES): HouseholdState {
  const limits = {
    maxBytes,
    maxDepth: LIMITS.cborMaxDepth,
    maxItems: LIMITS.cborMaxItems,
  };
  const raw = decodeCbor(content, limits);
  const { names, order, zones, quiet, reviewed, ancestors } = householdContent.fromCbor(raw, 'household');
  return {
    names: registersOf(names.map(([key, value, ...by]) => [toHex(key), value, ...by])),
    order: registersOf(order.map(([key, value, ...by]) => [toHex(key), value, ...by])),
    zones: registersOf(zones.map(([key, zone, value, ...by]) => [`${toHex(key)}/${zone}`, value, ...by])),
    quiet: registersOf(quiet === undefined ? [] : [quietOf(quiet)]),
    reviewed: registersOf(
      reviewed.map(([key, isReviewed, day, ...by]) => [toHex(key), { isReviewed, day }, ...by] as const),
    ),
    ancestors: sorted(ancestors.map(([hash, version]) => [toHex(hash), version] as const)),
  };
}

/** Gives each list what is left of the room. */
class Room {
  private left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  /** Returns the first items that have room, sorted. */
  fit<T extends readonly [Uint8Array, ...unknown[]]>(list: Codec<readonly T[]>, items: readonly T[]): readonly T[] {
    const taken: T[] = [];
    for (const item of items) {
      const { length } = encodeCbor(list.toCbor([item]));
      if (length > this.left) {
        this.left = 0;
        break;
      }
      this.left -= length;
      taken.push(item);
    }
    return taken.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }
}

/** Two zones of one camera differ in their second place alone. */
function nameOf([first, second]: readonly [Uint8Array, ...unknown[]]): string {
  return typeof second === 'string' ? `${toHex(first)}/${second}` : toHex(first);
}

type Stamp = readonly [counter: number, signer: Uint8Array];

function stampOf({ counter, signer }: Pick<Register<unknown>, 'counter' | 'signer'>): Stamp {
  return [counter, unhex(signer)];
}

function quietOf([hours, ...by]: TypeOf<typeof CODECS.quiet>): readonly [string, QuietHours | null, ...Stamp] {
  if (hours === null) return [QUIET, null, ...by];
  const [fromMinute, toMinute] = hours;
  return [QUIET, { fromMinute, toMinute }, ...by];
}

function registersOf<T>(entries: readonly (readonly [key: string, value: T, ...Stamp])[]): Registers<T> {
  return sorted(
    entries.map(([key, value, counter, signer]) => [key, { value, counter, signer: toHex(signer) }] as const),
  );
}

function sorted<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  for (const [i, [key]] of entries.entries()) {
    if (i > 0 && key <= (entries[i - 1]?.[0] ?? '')) {
      throw new SealcamError('malformed', 'household: a list that is not sorted, or a key twice');
    }
  }
  return new Map(entries);
}

function unhex(hex: string): Uint8Array {
  return fromHex(hex, hex.length / 2) ?? new Uint8Array(0);
}
