import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import {
  decodeHousehold,
  encodeHousehold,
  HOUSEHOLD_CONTENT_MAX_BYTES,
} from '../../../../protocol/household/content.js';
import { keptName, letterCount } from '../../../../protocol/household/names.js';
import { isLater, mergeRegisters, type Register, type Registers } from '../../../../protocol/household/registers.js';
import {
  EMPTY_STATE,
  mergeStates,
  nextStamp,
  QUIET,
  withAncestors,
  withoutOldMarks,
  type HouseholdState,
} from '../../../../protocol/household/state.js';

const hexOf = (index: number, length: number): string => index.toString(16).padStart(length, '0');
const id = (index: number): string => hexOf(index, 64);

/** Few keys, counters and signers, so that registers meet in every way. */
function registers<T>(value: fc.Arbitrary<T>, key: (index: number) => string): fc.Arbitrary<Registers<T>> {
  const stamped = fc.record({ value, counter: fc.nat(4), signer: fc.constantFrom('aaaaaaaa', 'bbbbbbbb') });
  return fc.array(fc.tuple(fc.nat(5), stamped), { maxLength: 8 }).map((entries) => {
    return new Map(entries.map(([index, register]) => [key(index), register] as const));
  });
}
const texts = fc.constantFrom('', 'door', 'garden', '🚪');
const states: fc.Arbitrary<HouseholdState> = fc.record({
  names: registers(texts, id),
  order: registers(fc.nat(3), id),
  zones: registers(texts, (index) => `${id(index)}/zone`),
  quiet: registers(fc.option(fc.record({ fromMinute: fc.nat(1439), toMinute: fc.nat(1439) })), () => QUIET),
  reviewed: registers(fc.record({ isReviewed: fc.boolean(), day: fc.nat(3) }), (index) => hexOf(index, 16)),
  ancestors: fc.array(fc.nat(5)).map((list) => new Map(list.map((index) => [id(index), index] as const))),
});
const few = registers(texts, id);

describe('merging what two browsers know', () => {
  it('gives the same in either order, and nothing new from the same again', () => {
    fc.assert(
      fc.property(states, states, (a, b) => {
        const merged = mergeStates(a, b);
        expect(mergeStates(b, a)).toEqual(merged);
        expect(mergeStates(merged, a)).toEqual(merged);
        expect(mergeStates(merged, merged)).toEqual(merged);
        expect(mergeStates(merged, EMPTY_STATE)).toEqual(merged);
      }),
    );
  });

  it('gives the same whichever two of three merge first', () => {
    fc.assert(
      fc.property(states, states, states, (a, b, c) => {
        expect(mergeStates(mergeStates(a, b), c)).toEqual(mergeStates(a, mergeStates(b, c)));
      }),
    );
  });

  it('keeps these laws where not all has room', () => {
    fc.assert(
      fc.property(few, few, few, fc.integer({ min: 1, max: 4 }), (a, b, c, max) => {
        const of = (x: Registers<string>, y: Registers<string>): Registers<string> => mergeRegisters(x, y, max);
        expect(of(a, b)).toEqual(of(b, a));
        expect(of(of(a, b), c)).toEqual(of(a, of(b, c)));
        expect(of(of(a, b), of(a, b))).toEqual(of(a, b));
        expect(of(a, b).size).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('loses nothing: of each key the later write stays', () => {
    fc.assert(
      fc.property(few, few, (a, b) => {
        const merged = mergeRegisters(a, b, 100);
        for (const [key, register] of [...a, ...b]) {
          const kept = merged.get(key);
          expect(kept !== undefined && !isLater(register, kept)).toBe(true);
        }
      }),
    );
  });

  it('lets the write win that knew of the other, whatever a clock says', () => {
    const write = (state: HouseholdState, signer: string, value: string): HouseholdState => ({
      ...state,
      names: new Map([...state.names, [id(1), { value, ...nextStamp(state, signer) }]]),
    });
    const first = write(EMPTY_STATE, 'ffffffff', 'first');
    const second = write(first, '00000000', 'second');
    expect(mergeStates(first, second).names.get(id(1))?.value).toBe('second');
    expect(mergeStates(second, first).names.get(id(1))?.value).toBe('second');
  });
});

describe('the bytes of a state', () => {
  it('decode to the same state, and are the same for the same state', () => {
    fc.assert(
      fc.property(states, (state) => {
        const bytes = encodeHousehold(state);
        expect(decodeHousehold(bytes)).toEqual(state);
        expect(encodeHousehold(decodeHousehold(bytes))).toEqual(bytes);
      }),
    );
  });

  const full = (value: string, marks: number): HouseholdState => {
    const register = <T>(of: T, counter: number): Register<T> => ({ value: of, counter, signer: 'abcdef01' });
    const list = <T>(count: number, entry: (index: number) => readonly [string, T]) =>
      new Map(Array.from({ length: count }, (_, i) => entry(i)));
    return withAncestors(
      {
        ...EMPTY_STATE,
        names: list(LIMITS.householdNamesMax, (i) => [id(i), register(value, i)]),
        reviewed: list(marks, (i) => [hexOf(i, 16), register({ isReviewed: true, day: 20_000 + i }, 1000 + i)]),
      },
      Array.from({ length: 100 }, (_, i) => [id(i), i] as const),
    );
  };

  it('leave out the marks that were made first, and no name, where not all has room', () => {
    const state = full('n'.repeat(60), LIMITS.householdMarksMax);
    const bytes = encodeHousehold(state);
    expect(bytes.length).toBeLessThanOrEqual(HOUSEHOLD_CONTENT_MAX_BYTES);
    const kept = decodeHousehold(bytes);
    expect(kept.names).toEqual(state.names);
    const days = [...kept.reviewed.values()].map(({ value }) => value.day);
    expect(days.length).toBeGreaterThan(100);
    expect(days.length).toBeLessThan(LIMITS.householdMarksMax);
    expect(Math.min(...days)).toBe(20_000 + LIMITS.householdMarksMax - days.length);
    // What was left out is still there where it is known.
    expect(mergeStates(state, kept)).toEqual(state);
    // Of a household with short names every mark goes along.
    expect(decodeHousehold(encodeHousehold(full('n', LIMITS.householdMarksMax))).reviewed.size).toBe(
      LIMITS.householdMarksMax,
    );
  });

  it('leave out the oldest names where these alone are too long', () => {
    const state = full('n'.repeat(LIMITS.householdNameMaxBytes), 10);
    const { names, reviewed } = decodeHousehold(encodeHousehold(state));
    expect(reviewed.size).toBe(0);
    expect(names.has(id(LIMITS.householdNamesMax - 1))).toBe(true);
    expect(names.has(id(0))).toBe(false);
  });

  it('name the newest of those that a state was made from', () => {
    const { ancestors } = full('', 0);
    expect(ancestors.size).toBe(LIMITS.householdAncestorsMax);
    expect([Math.min(...ancestors.values()), Math.max(...ancestors.values())]).toEqual([36, 99]);
  });

  it('lose the marks of events that no browser shows any longer', () => {
    const state = full('', 10);
    expect([...withoutOldMarks(state, 20_007).reviewed.values()].map(({ value }) => value.day)).toEqual([
      20_007, 20_008, 20_009,
    ]);
    expect(withoutOldMarks(state, 20_000)).toBe(state);
  });
});

describe('a name', () => {
  it.each([
    ['Front door', 'Front door'],
    ['  a\nb\u0000 \ufeff', 'ab'],
    ['a\u0308', 'ä'],
    ['x'.repeat(100), 'x'.repeat(64)],
    ['é'.repeat(64), 'é'.repeat(64)],
    // A family is one letter of 18 bytes; a flag one of 8.
    ['👨‍👩‍👧'.repeat(20), '👨‍👩‍👧'.repeat(14)],
    ['🇩🇪'.repeat(64), '🇩🇪'.repeat(32)],
    ['', ''],
  ])('%j is kept as %j', (typed, kept) => {
    expect(keptName(typed)).toBe(kept);
    expect(keptName(kept)).toBe(kept);
  });

  it('has at most 64 letters and 256 bytes, and no letter is cut in two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (typed) => {
        const kept = keptName(typed);
        expect(letterCount(kept)).toBeLessThanOrEqual(LIMITS.householdNameMaxLetters);
        expect(utf8(kept).length).toBeLessThanOrEqual(LIMITS.householdNameMaxBytes);
        expect(/\p{Surrogate}/u.test(kept)).toBe(false);
      }),
    );
  });
});
