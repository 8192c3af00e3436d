import { EVENT_KINDS, type EventKind } from './timeline-kinds.js';

/** Which events of the timeline are shown. */
export interface EventFilter {
  /** Hex of a device id; null for all cameras. */
  readonly camera: string | null;
  readonly kind: EventKind | null;
  /** A zone's name, which only a sealed picture tells. */
  readonly zone: string | null;
  /** Whether events that somebody marked as reviewed are left out. */
  readonly isUnreviewed: boolean;
}

/** Names one event; the three together are its key. */
export interface EventName {
  /** Hex of the device id. */
  readonly device: string;
  readonly epoch: number;
  /** Hex of the event id. */
  readonly eventId: string;
}

/** What an address of the page names. Notifications open events by theirs, so its form is fixed. */
export type PageAddress =
  | {
      readonly view: 'events';
      readonly filter: EventFilter;
      /** A day as YYYY-MM-DD in the viewer's zone; null for the newest. */
      readonly day: string | null;
    }
  | { readonly view: 'cameras' }
  | { readonly view: 'settings' }
  | { readonly view: 'event'; readonly event: EventName };

export type EventsAddress = Extract<PageAddress, { readonly view: 'events' }>;

export const NO_FILTER: EventFilter = { camera: null, kind: null, zone: null, isUnreviewed: false };
export const EVENTS: EventsAddress = { view: 'events', filter: NO_FILTER, day: null };

/** What a fragment may be, so that a link of any length costs nothing. */
const FRAGMENT_MAX_LETTERS = 600;
const ZONE_MAX_LETTERS = 64;
const EVENT = /^([0-9a-f]{64})\/([1-9][0-9]{0,9})\/([0-9a-f]{32})$/;
const DEVICE = /^[0-9a-f]{64}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Reads the fragment of an address, with or without its `#`. Returns null for one that names nothing of this page; an empty
 * one is the events.
 */
export function parseAddress(fragment: string): PageAddress | null {
  const text = fragment.replace(/^#/, '');
  if (text === '') return EVENTS;
  if (text.length > FRAGMENT_MAX_LETTERS) return null;
  const parameters = new URLSearchParams(text);
  const event = parameters.get('event');
  if (event !== null) return parseEvent(event);
  if (parameters.has('cameras')) return { view: 'cameras' };
  if (parameters.has('settings')) return { view: 'settings' };
  return parameters.has('events') ? parseEvents(parameters) : null;
}

function parseEvent(text: string): PageAddress | null {
  const [, device, epoch, eventId] = EVENT.exec(text) ?? [];
  if (device === undefined || epoch === undefined || eventId === undefined) return null;
  return { view: 'event', event: { device, epoch: Number(epoch), eventId } };
}

function parseEvents(parameters: URLSearchParams): EventsAddress | null {
  const camera = parameters.get('camera');
  const named = parameters.get('kind');
  const kind = EVENT_KINDS.find((one) => one === named) ?? null;
  const zone = parameters.get('zone');
  const day = parameters.get('day');
  if (camera !== null && !DEVICE.test(camera)) return null;
  if (named !== null && kind === null) return null;
  if (zone !== null && (zone === '' || zone.length > ZONE_MAX_LETTERS)) return null;
  if (day !== null && dayStart(day) === null) return null;
  const filter = { camera, kind, zone, isUnreviewed: parameters.has('unreviewed') };
  return { view: 'events', filter, day };
}

/** Returns the fragment of an address, with its `#`. */
export function formatAddress(address: PageAddress): string {
  switch (address.view) {
    case 'cameras':
    case 'settings':
      return `#${address.view}`;
    case 'event':
      return `#event=${eventKeyOf(address.event)}`;
    case 'events': {
      const { filter, day } = address;
      const parts = [
        'events',
        filter.camera === null ? null : `camera=${filter.camera}`,
        filter.kind === null ? null : `kind=${filter.kind}`,
        filter.zone === null ? null : `zone=${encodeURIComponent(filter.zone)}`,
        filter.isUnreviewed ? 'unreviewed' : null,
        day === null ? null : `day=${day}`,
      ];
      return `#${parts.filter((part) => part !== null).join('&')}`;
    }
  }
}

/** Returns the key of an event, as the timeline has it: device/epoch/event id. */
export function eventKeyOf({ device, epoch, eventId }: EventName): string {
  return `${device}/${String(epoch)}/${eventId}`;
}

/** Returns the name in an event's key; null for what is not a key. */
export function eventNameOf(key: string): EventName | null {
  const address = parseEvent(key);
  return address?.view === 'event' ? address.event : null;
}

/** Returns the first moment of a day in the viewer's zone, UTC; null for a day that no calendar has. */
export function dayStart(day: string): number | null {
  if (!DAY.test(day)) return null;
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const start = new Date(year, month - 1, date);
  return start.getFullYear() === year && start.getMonth() === month - 1 && start.getDate() === date
    ? start.getTime()
    : null;
}

/** Returns the day of a time in the viewer's zone, as YYYY-MM-DD. */
export function dayOf(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Returns the first moment of the day after or before, in the viewer's zone. */
export function otherDay(dayStartMs: number, by: 1 | -1): number {
  const at = new Date(dayStartMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + by).getTime();
}
