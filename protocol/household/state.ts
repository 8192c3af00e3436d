import { toHex, utf8 } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { highestCounter, holdsAll, mergeRegisters, type Register, type Registers } from './registers.js';

/** When nobody of the household is woken: minutes of the day by each browser's own clock; the end is excluded. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** Whether somebody reviewed an event, and on which day (UTC, days since 1970) that was said. */
export interface Mark {
  readonly isReviewed: boolean;
  readonly day: number;
}

/** What the browsers of a household share. Every part merges by itself. */
export interface HouseholdState {
  /** By hex of the device id or of a member's key. An empty one: it has no name. */
  readonly names: Registers<string>;
  /** By hex of the device id: where it stands among the cameras. */
  readonly order: Registers<number>;
  /** By hex of the device id / the zone's name in the order. */
  readonly zones: Registers<string>;
  /** One register, under the key {@link QUIET}; null: no hour is quiet. */
  readonly quiet: Registers<QuietHours | null>;
  /** By {@link markId}. */
  readonly reviewed: Registers<Mark>;
  /** By hex of the hash: the version of each settings object that went into this. */
  readonly ancestors: ReadonlyMap<string, number>;
}

export const QUIET = 'quiet';

/** Bytes of the name of a mark: the beginning of a hash. */
export const MARK_ID_BYTES = 8;

/** Returns the name of an event's mark, hex. `eventKey` is device/epoch/event id, the ids in hex. */
export function markId(suite: CryptoSuite, eventKey: string): string {
  return toHex(suite.sha256(utf8(eventKey)).subarray(0, MARK_ID_BYTES));
}

export const EMPTY_STATE: HouseholdState = {
  names: new Map(),
  order: new Map(),
  zones: new Map(),
  quiet: new Map(),
  reviewed: new Map(),
  ancestors: new Map(),
};

/** Merges two states. Nothing that only one of them knows is lost, up to the limits. */
export function mergeStates(a: HouseholdState, b: HouseholdState): HouseholdState {
  return {
    names: mergeRegisters(a.names, b.names, LIMITS.householdNamesMax),
    order: mergeRegisters(a.order, b.order, LIMITS.householdCamerasMax),
    zones: mergeRegisters(a.zones, b.zones, LIMITS.householdNamesMax),
    quiet: mergeRegisters(a.quiet, b.quiet, 1),
    reviewed: mergeRegisters(a.reviewed, b.reviewed, LIMITS.householdMarksMax),
    ancestors: newestAncestors(new Map([...a.ancestors, ...b.ancestors])),
  };
}

/** Returns whether merging `other` into `known` would change nothing but its ancestors. */
export function hasAllOf(known: HouseholdState, other: HouseholdState): boolean {
  return (
    holdsAll(known.names, other.names) &&
    holdsAll(known.order, other.order) &&
    holdsAll(known.zones, other.zones) &&
    holdsAll(known.quiet, other.quiet) &&
    holdsAll(known.reviewed, other.reviewed)
  );
}

/** Adds settings objects to those that a state was made from. */
export function withAncestors(
  state: HouseholdState,
  added: readonly (readonly [hash: string, version: number])[],
): HouseholdState {
  return { ...state, ancestors: newestAncestors(new Map([...state.ancestors, ...added])) };
}

/** Returns the stamp of the next write of this signer: above everything that is known. */
export function nextStamp(state: HouseholdState, signer: string): Omit<Register<unknown>, 'value'> {
  const { names, order, zones, quiet, reviewed } = state;
  const counter = Math.max(...[names, order, zones, quiet, reviewed].map(highestCounter));
  return { counter: Math.min(counter + 1, Number.MAX_SAFE_INTEGER), signer };
}

/** Removes marks that were made before this day: no browser shows their events any longer. */
export function withoutOldMarks(state: HouseholdState, beforeDay: number): HouseholdState {
  const reviewed = new Map([...state.reviewed].filter(([, { value }]) => value.day >= beforeDay));
  return reviewed.size === state.reviewed.size ? state : { ...state, reviewed };
}

function newestAncestors(ancestors: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (ancestors.size <= LIMITS.householdAncestorsMax) return ancestors;
  const newestFirst = [...ancestors].sort(([hashA, a], [hashB, b]) => b - a || (hashA < hashB ? 1 : -1));
  return new Map(newestFirst.slice(0, LIMITS.householdAncestorsMax));
}
