/** All that a notification says, in one place. `camera` is the name that this person gave it, or one made from its id. */
import type { RecordScene } from '../../protocol/objects/record.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
/** The latest time that JavaScript's calendar holds (ECMA-262, time values). */
const TIME_MAX_MS = 8.64e15;

const SCENES = {
  startup: (camera) => `${camera} started`,
  illumination: (camera) => `The light changed at ${camera}`,
  'ir-cut': (camera) => `${camera} switched its night view`,
  tamper: (camera) => `${camera} was touched or covered`,
  overlay: (camera) => `The overlay of ${camera} changed`,
  stall: (camera) => `The picture of ${camera} froze`,
  'clock-jump': (camera) => `The clock of ${camera} was set`,
  'rate-limit': (camera) => `Too many events at ${camera}`,
} as const satisfies Record<RecordScene['class'], (camera: string) => string>;

export const NOTICE_WORDS = {
  motion: (camera: string): string => `Motion at ${camera}`,
  snapshot: (camera: string): string => `A picture of ${camera}`,
  scene: (camera: string, scene: RecordScene['class'] | null): string =>
    scene === null ? `Something changed at ${camera}` : SCENES[scene](camera),
  loss: (camera: string): string => `${camera} lost some of its records`,
  lossBody: 'It has signed for the loss. Its history shows where.',
  look: (camera: string, who: string | null): string =>
    who === null ? `You are looking through ${camera}` : `${who} is looking through ${camera}`,
  members: (camera: string, names: readonly string[]): string =>
    `${names.join(', ')} ${names.length === 1 ? 'was' : 'were'} added at ${camera}`,
  household: (camera: string): string => `${camera} has taken a new claim`,
  summary: (camera: string, count: number): string => `${camera}: ${String(count)} new`,
  summaryBody: 'It was out of reach. Open the page to see what came.',
  silent: (camera: string): string => `${camera} is silent`,
  silentBody: (since: string | null): string =>
    since === null ? 'The cloud hears nothing of it.' : `The cloud has heard nothing of it since ${since}.`,
  something: (camera: string | null): string => `Something new at ${camera ?? 'one of your cameras'}`,
  somethingBody: 'Open the page to see it.',
  unknownTime: 'The camera had no clock then.',
  member: (number: string): string => `The browser ${number}`,
  owner: 'The browser with the root key',
} as const;

/** Time of day, with the date where it is not of today. */
export function noticeTime(atMs: number, nowMs: number): string | null {
  if (Math.abs(atMs) > TIME_MAX_MS) return null;
  const isToday = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  return (isToday ? clock : dayAndClock).format(atMs);
}

/** The name of a camera that this person has not named. */
export function unnamedCamera(device: string): string {
  return `Camera ${device.slice(0, 6)}`;
}
