import type { EventName } from './page-address.js';
import { eventKeyOf } from './page-address.js';
import type { OwnerSession } from './owner-session.js';
import type { CameraView, SessionView } from './session-view.js';
import type { TimelineEvent } from './timeline.js';

type Session = Pick<OwnerSession, 'view' | 'loadOlder'>;

/** Pages that one search loads before it asks whether to go on: about 20,000 records of each camera. */
export const REACH_PAGES_MAX = 200;
/** An event lasts minutes; a page holds a hundred records. */
const EVENT_PAGES_MAX = 10;

/** How a search through older records ended. */
export type Reach =
  /** Everything that was asked for is here. */
  | 'here'
  /** The cloud has nothing older, or names no such camera. */
  | 'nothing-older'
  | 'offline'
  /** The signal fired, or it was far enough for one search. */
  | 'stopped';

/** Loads older records of a camera, or of all, until everything from a time on is here. */
export async function loadBackTo(
  session: Session,
  device: string | null,
  fromMs: number,
  signal: AbortSignal,
): Promise<Reach> {
  const behind = ({ cameras }: SessionView): CameraView[] =>
    cameras.filter((camera) => isOf(camera, device) && camera.hasOlder && (camera.loadedFromMs ?? Infinity) > fromMs);
  const reach = await loadWhile(session, (view) => behind(view).map((camera) => camera.device), signal);
  return reach === 'nothing-older' ? 'here' : reach;
}

/** Loads older records of an event's camera until the event is here. */
export async function reachEvent(session: Session, name: EventName, signal: AbortSignal): Promise<Reach> {
  const key = eventKeyOf(name);
  const isHere = (): boolean => session.view().events.some((event) => event.key === key);
  const reach = await loadWhile(
    session,
    ({ cameras }) =>
      isHere() ? [] : cameras.filter((camera) => isSame(camera, name) && camera.hasOlder).map(deviceOf),
    signal,
  );
  return isHere() ? 'here' : reach;
}

/**
 * Loads older records until the beginning of an event is here, and returns the event with all of them: its first records may
 * lie in a page that was not loaded.
 */
export async function loadWholeEvent(
  session: Session,
  { key, device, epoch }: Pick<TimelineEvent, 'key' | 'device' | 'epoch'>,
): Promise<TimelineEvent | null> {
  for (let pages = 0; ; pages++) {
    const { events, cameras } = session.view();
    const event = events.find((one) => one.key === key) ?? null;
    const camera = cameras.find((one) => one.device === device && one.epoch === epoch);
    const isWhole = event === null || event.records[0]?.record.value.event?.revision === 0;
    if (isWhole || camera?.hasOlder !== true || pages >= EVENT_PAGES_MAX) return event;
    await session.loadOlder();
  }
}

/** Loads pages of the cameras that `wanted` names until it names none. */
async function loadWhile(
  session: Session,
  wanted: (view: SessionView) => readonly string[],
  signal: AbortSignal,
): Promise<Reach> {
  for (let pages = 0; pages < REACH_PAGES_MAX; pages++) {
    const devices = new Set(wanted(session.view()));
    if (devices.size === 0) return 'nothing-older';
    try {
      await Promise.all([...devices].map((device) => session.loadOlder(device)));
    } catch {
      return 'offline';
    }
    if (signal.aborted) return 'stopped';
  }
  return 'stopped';
}

function isOf(camera: CameraView, device: string | null): boolean {
  return device === null || camera.device === device;
}

function isSame(camera: CameraView, { device, epoch }: EventName): boolean {
  return camera.device === device && camera.epoch === epoch;
}

function deviceOf({ device }: CameraView): string {
  return device;
}
