import { cpus } from 'node:os';
import { Remote } from '../common/remote.js';
import type { Household } from './household.js';
import type { Truth } from './oracle.js';
import type { StoreSetup } from './store-setup.js';
import type { StrangerProcedures, StrangerReport } from './stranger-process.js';

/** Up to this number every stranger tries each picture and segment; above it, the strangers take turns. */
const TRIES_MAX = 150_000;
/** The same for key records: each try is a decapsulation, which takes 3 ms. */
const KEY_TRIES_MAX = 20_000;
/** Sealed objects of each camera, about: pictures and segments, and key records. */
const OBJECTS_EACH = 18;
const KEYS_EACH = 2;

/** Everybody's keys, tried on everything that a stopped cloud holds. */
export class Strangers {
  /** Processes that try keys, while they run. */
  private readonly helpers = new Set<Remote<StrangerProcedures>>();

  async tryKeys(store: StoreSetup, truth: Truth, households: readonly Household[]): Promise<StrangerReport> {
    const keys = households.map(({ account, keys: { recipient, kemSeed } }) => ({
      account,
      keys: { recipient, kemSeed },
    }));
    const devices = [...truth].map(([device, account]) => ({ device, account }));
    const turns = (triesMax: number, each: number): number =>
      Math.max(1, Math.min(keys.length - 1, Math.floor(triesMax / (devices.length * each))));
    const strangers = { pictures: turns(TRIES_MAX, OBJECTS_EACH), keys: turns(KEY_TRIES_MAX, KEYS_EACH) };
    const of = Math.min(4, cpus().length);
    const reports = await Promise.all(
      Array.from({ length: of }, async (_, part) => {
        const process = new Remote<StrangerProcedures>(
          new URL('./stranger-process.js', import.meta.url),
          `strangers ${String(part + 1)}`,
        );
        this.helpers.add(process);
        const report = await process.call('tryKeys', { store, devices, part, of, keys, strangers });
        await process.kill();
        this.helpers.delete(process);
        return report;
      }),
    );
    return reports.reduce((a, b) => ({
      objects: a.objects + b.objects,
      tries: a.tries + b.tries,
      keyObjects: a.keyObjects + b.keyObjects,
      keyTries: a.keyTries + b.keyTries,
      ownRefused: a.ownRefused + b.ownRefused,
      opened: [...a.opened, ...b.opened],
      ownPictures: [...a.ownPictures, ...b.ownPictures],
      ownSegments: [...a.ownSegments, ...b.ownSegments],
    }));
  }

  async kill(): Promise<void> {
    await Promise.all([...this.helpers].map((helper) => helper.kill()));
  }
}
