/** The content of in-force.json: what cameras seal into their answers to orders of version 2, good and bad. */
import { concat } from '../../common/bytes.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { NO_EVENT } from '../../protocol/objects/ids.js';
import { encodeContent } from '../../protocol/seal/content.js';
import { encodeInForce, type InForce } from '../../protocol/seal/in-force.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { NAMES, signerOf } from './keyring.js';
import { objectVector, seal2Vectors } from './seal2.js';
import type { ObjectVector } from './seal2-shapes.js';
import { VectorWorld } from './signed.js';

export interface GoodInForce {
  readonly name: string;
  readonly value: InForce;
  /** Its encoding, and that sealed in a period of seal2.json. */
  readonly object: ObjectVector;
}

interface BadInForce {
  readonly name: string;
  readonly content: Uint8Array;
  readonly expect: ErrorCode;
  /** The rule that it breaks. */
  readonly why: string;
}

export interface InForceVectors {
  readonly good: readonly GoodInForce[];
  readonly bad: readonly BadInForce[];
}

const TAKEN_MS = 1_767_323_045_000;
const CORNERS = [
  [0, 0],
  [65_535, 0],
  [0, 65_535],
] as const;

/** Returns the content of in-force.json. */
export function inForceVectors(suite: CryptoSuite): InForceVectors {
  const world = new VectorWorld(suite);
  const [period] = seal2Vectors(suite).periods;
  if (period === undefined) throw new Error('no period');
  const [owner, phone] = [signerOf(suite, NAMES.owner).publicKey, signerOf(suite, NAMES.ownerNext).publicKey];
  const good = (name: string, index: number, value: InForce): GoodInForce => {
    const place = { eventId: NO_EVENT, mediaId: world.id(`in force: ${name}`), role: 'detail' } as const;
    return { name, value, object: objectVector(suite, name, period, index, place, encodeInForce(value)) };
  };
  const door = { name: 'door', corners: CORNERS };
  return {
    good: [
      good('all-ordered', 5, {
        zones: [[door], [owner, 2, TAKEN_MS + 1000, TAKEN_MS]],
        sensitivity: [70, [phone, 3, 12, TAKEN_MS + 60_000]],
        masks: [[{ name: '', corners: CORNERS }], [phone, 3, 13, TAKEN_MS + 61_000]],
        schedules: [[{ days: 31, fromMinute: 480, toMinute: 1020 }], [owner, 3, 14, TAKEN_MS + 62_000]],
      }),
      good('as-configured', 6, { zones: [[], null], sensitivity: [50, null], masks: [[door], null] }),
      good('clock-never-set', 7, { zones: [[], [owner, 1, 1, null]], sensitivity: [0, null] }),
      good('nothing', 8, {}),
      good('longest', 9, longest(owner)),
    ],
    bad: badContents(owner),
  };
}

/** Every list full, every number and name of the greatest length. */
function longest(signer: Uint8Array): InForce {
  const change = [signer, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
  const corners = Array.from({ length: 16 }, () => [65_535, 65_535] as const);
  const zones = Array.from({ length: LIMITS.commandZonesMax }, () => ({ name: 'z'.repeat(32), corners }));
  const schedule = { days: 127, fromMinute: 1439, toMinute: 1439 };
  const schedules = Array.from({ length: LIMITS.commandSchedulesMax }, () => schedule);
  return {
    zones: [zones, change],
    sensitivity: [100, change],
    masks: [zones, change],
    schedules: [schedules, change],
  };
}

const map = (...entries: readonly (readonly [number, Cbor])[]): ReadonlyMap<number, Cbor> => new Map(entries);

function badContents(signer: Uint8Array): readonly BadInForce[] {
  const content = (...entries: readonly (readonly [number, Cbor])[]): Uint8Array => encodeCbor(map([0, 1], ...entries));
  const malformed = (name: string, why: string, bytes: Uint8Array): BadInForce => ({
    name,
    content: bytes,
    expect: 'malformed',
    why,
  });
  const unsupported = (name: string, why: string, value: Cbor): BadInForce => ({
    name,
    content: encodeCbor(value),
    expect: 'unsupported',
    why,
  });
  const zone = (name: Cbor, corners: Cbor): Cbor => map([0, name], [1, corners]);
  const schedule = (days: number, from: number, to: number): Cbor => map([0, days], [1, from], [2, to]);
  const sensitivity = (value: Cbor, ...change: readonly Cbor[]): Uint8Array => content([2, [value, ...change]]);
  const good = sensitivity(50, null);
  const full = (count: number, item: Cbor): Cbor => [new Array<Cbor>(count).fill(item), null];
  return [
    unsupported('version-2', 'a newer version, whatever follows', map([0, 2], [1, 'new'], [9, true])),
    malformed('no-version', 'key 0 is the version', encodeCbor(map([2, [50, null]]))),
    malformed('version-text', 'key 0 is the version', encodeCbor(map([0, '1'], [2, [50, null]]))),
    malformed('unknown-key', 'no other keys', content([2, [50, null]], [5, [[], null]])),
    malformed('not-a-map', 'a map', encodeCbor([1, [50, null]])),
    malformed('content-of-a-picture', 'a map', encodeContent({ detail: { reason: 'motion' }, jpeg: null })),
    malformed('nothing-at-all', 'a map', new Uint8Array(0)),
    malformed('trailing', 'nothing follows', concat(good, Uint8Array.of(0))),
    malformed('cut', 'all of it', good.slice(0, -1)),
    malformed('long-head', 'shortest heads', concat(Uint8Array.of(0xb8, 0x02), good.slice(1))),
    malformed(
      'keys-unsorted',
      'sorted keys',
      // {2: [50, null], 0: 1}
      Uint8Array.of(0xa2, 0x02, 0x82, 0x18, 0x32, 0xf6, 0x00, 0x01),
    ),
    malformed('longer-than-a-unit', 'at most 4,092 bytes', encodeCbor(map([0, 2], [1, new Uint8Array(4086)]))),
    unsupported('a-unit-of-version-2', 'a newer version', map([0, 2], [1, new Uint8Array(4085)])),
    malformed('value-alone', 'a value and its change', sensitivity(50)),
    malformed('setting-of-three', 'a value and its change', sensitivity(50, null, null)),
    malformed('setting-not-an-array', 'a value and its change', content([2, 50])),
    malformed('change-of-three', 'signer, epoch, counter, time', sensitivity(50, [signer, 1, 1])),
    malformed('change-of-five', 'signer, epoch, counter, time', sensitivity(50, [signer, 1, 1, null, 0])),
    malformed('signer-short', '32 bytes', sensitivity(50, [signer.slice(1), 1, 1, null])),
    malformed('epoch-0', 'epochs count from 1', sensitivity(50, [signer, 0, 1, null])),
    malformed('counter-negative', 'a counter is not negative', sensitivity(50, [signer, 1, -1, null])),
    malformed('time-negative', 'a time is not negative', sensitivity(50, [signer, 1, 1, -1])),
    malformed('time-missing', 'a time or null', sensitivity(50, [signer, 1, 1, false])),
    malformed('sensitivity-101', '0 to 100', sensitivity(101, null)),
    malformed('sensitivity-null', '0 to 100', sensitivity(null, null)),
    malformed('two-corners', 'at least three', content([1, [[zone('door', CORNERS.slice(1))], null]])),
    malformed('corner-outside', 'at most 65,535', content([1, [[zone('door', [...CORNERS, [0, 65_536]])], null]])),
    malformed('name-of-33-bytes', 'at most 32', content([3, [[zone('z'.repeat(33), CORNERS)], null]])),
    malformed('nine-zones', 'at most 8', content([1, full(9, zone('door', CORNERS))])),
    malformed('nine-masks', 'at most 8', content([3, full(9, zone('door', CORNERS))])),
    malformed('schedule-without-days', 'at least one day', content([4, [[schedule(0, 0, 60)], null]])),
    malformed('schedule-of-eight-days', 'seven days', content([4, [[schedule(128, 0, 60)], null]])),
    malformed('minute-1440', 'at most 1,439', content([4, [[schedule(1, 0, 1440)], null]])),
    malformed('seventeen-schedules', 'at most 16', content([4, full(17, schedule(1, 0, 60))])),
  ];
}
