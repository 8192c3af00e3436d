import sharp from 'sharp';
import { realClock } from '../../../common/adapters/real-clock.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import type { SceneScript } from '../../../hal/mock/script.js';
import { Site, type PlannedEvent } from './site.js';

const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;
/** As the camera makes them where nobody changed its settings. */
const THUMBNAIL = { width: 320, quality: 75 };
/** Moments of the scene from which the pictures of a camera are. */
const MOMENTS_MS = [1500, 2500, 3500, 4500, 5500];
/** Hours of a day with something, the same each day. */
const HOURS = [6, 7, 7, 8, 9, 12, 12, 13, 16, 17, 17, 17, 18, 19, 21, 22];

export interface TimelineSiteSettings {
  readonly folder: string;
  /** Days with events, today the last. */
  readonly days: number;
}

const PLACES: readonly { readonly name: string; readonly script: SceneScript; readonly every: number }[] = [
  { name: 'Front door', script: scriptOf('porch', 11), every: 1 },
  { name: 'Driveway', script: scriptOf('driveway', 23), every: 2 },
  { name: 'Garden', script: scriptOf('garden', 37), every: 3 },
];

/** The cameras' names, in the order of the site's devices. */
export const TIMELINE_NAMES: readonly string[] = PLACES.map(({ name }) => name);

/**
 * A cloud with days of events of three cameras, whose pictures show scenes: motion in two zones, snapshots, changes of light,
 * and one event whose picture is lost.
 */
export async function openTimelineSite({ folder, days }: TimelineSiteSettings): Promise<Site> {
  const pictures = await Promise.all(PLACES.map(({ script }) => picturesOf(script)));
  const nowMs = realClock.wallMs();
  const midnight = new Date(nowMs).setUTCHours(0, 0, 0, 0);
  const plan = (camera: number): readonly PlannedEvent[] => {
    const { every = 1 } = PLACES[camera] ?? {};
    const events: PlannedEvent[] = [];
    const first = pictures[camera]?.[0];
    for (let day = days - 1; day >= 0; day--) {
      for (const [n, hour] of HOURS.entries()) {
        const atMs = midnight - day * DAY_MS + (hour * 60 + n * 3 + camera * 7) * MINUTE_MS;
        if (n % every !== 0 || atMs > nowMs - 3 * MINUTE_MS) continue;
        const picture = pictures[camera]?.[(n + day) % MOMENTS_MS.length];
        const kind = n % 8 === 5 ? 'snapshot' : n % 11 === 7 ? 'scene' : 'motion';
        events.push({
          atMs,
          kind,
          ...(picture === undefined ? {} : { picture }),
          ...(kind === 'motion' ? { zones: [n % 2 === 0 ? 'path' : 'door'] } : {}),
          isPictureLost: camera === 0 && day === 0 && n === 2,
        });
      }
    }
    // Whatever the hour, something happened today.
    events.push({ atMs: nowMs - 2 * MINUTE_MS, ...(first === undefined ? {} : { picture: first }) });
    return events;
  };
  return Site.open({ folder, cameras: PLACES.length, events: plan, progress: () => undefined });
}

function scriptOf(scene: SceneScript['scene'], seed: number): SceneScript {
  return {
    scene,
    seed,
    noise: 2,
    repeatMs: null,
    happenings: [{ kind: 'person', fromMs: 500, toMs: 6500, path: 'cross', look: seed, size: 1.3 }],
  };
}

async function picturesOf(script: SceneScript): Promise<readonly Uint8Array[]> {
  const renderer = new SceneRenderer(script);
  const pictures: Uint8Array[] = [];
  for (const atMs of MOMENTS_MS) {
    const { jpeg } = await renderer.render(atMs);
    const { width, quality } = THUMBNAIL;
    pictures.push(new Uint8Array(await sharp(jpeg).resize({ width }).jpeg({ quality }).toBuffer()));
  }
  return pictures;
}
