import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  dayOf,
  dayStart,
  eventKeyOf,
  eventNameOf,
  EVENTS,
  formatAddress,
  NO_FILTER,
  otherDay,
  parseAddress,
  type PageAddress,
} from '../../../../app/core/page-address.js';
import { EVENT_KINDS } from '../../../../app/core/timeline-kinds.js';

const DEVICE = 'ab'.repeat(32);
const EVENT = { device: DEVICE, epoch: 3, eventId: 'cd'.repeat(16) };

const filters = fc.record({
  camera: fc.constantFrom(null, DEVICE),
  kind: fc.constantFrom(null, ...EVENT_KINDS),
  zone: fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: null }),
  isUnreviewed: fc.boolean(),
});
const addresses: fc.Arbitrary<PageAddress> = fc.oneof(
  fc.constantFrom<PageAddress>({ view: 'cameras' }, { view: 'settings' }, { view: 'event', event: EVENT }),
  fc.record({ view: fc.constant('events' as const), filter: filters, day: fc.constantFrom(null, '2026-02-28') }),
);

it('reads back every address that it writes', () => {
  fc.assert(
    fc.property(addresses, (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
  );
});

it('has fixed forms, which notifications and people write', () => {
  expect(formatAddress({ view: 'event', event: EVENT })).toBe(`#event=${DEVICE}/3/${EVENT.eventId}`);
  expect(parseAddress('#event=' + encodeURIComponent(eventKeyOf(EVENT)))).toEqual({ view: 'event', event: EVENT });
  expect(formatAddress(EVENTS)).toBe('#events');
  expect(parseAddress('')).toEqual(EVENTS);
  expect(parseAddress('#events&unreviewed')).toEqual({
    ...EVENTS,
    filter: { ...NO_FILTER, isUnreviewed: true },
  });
});

it.each([
  '#nothing',
  '#event=',
  `#event=${DEVICE}/0/${EVENT.eventId}`,
  `#event=${DEVICE}/3/${EVENT.eventId}0`,
  `#event=${DEVICE.toUpperCase()}/3/${EVENT.eventId}`,
  '#events&camera=ab',
  '#events&kind=constructor',
  '#events&kind=health',
  '#events&day=2026-02-30',
  '#events&zone=',
  `#events&zone=${'z'.repeat(1000)}`,
])('takes %s for nothing of this page', (fragment) => {
  expect(parseAddress(fragment)).toBeNull();
});

it('reads the name in a key, and nothing in what is not one', () => {
  expect(eventNameOf(eventKeyOf(EVENT))).toEqual(EVENT);
  expect(eventNameOf('a/b/c')).toBeNull();
});

it('counts days by the calendar of the viewer', () => {
  const start = dayStart('2026-03-29') ?? 0;
  expect(dayOf(start)).toBe('2026-03-29');
  expect(dayOf(otherDay(start, 1))).toBe('2026-03-30');
  expect(dayOf(otherDay(start, -1))).toBe('2026-03-28');
  expect(dayOf(otherDay(start, 1) - 1)).toBe('2026-03-29');
});
