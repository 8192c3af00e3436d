import { describe, expect, it } from 'vitest';
import { Clips } from '../../../../agent/clip/clips.js';
import { loadAgentConfig, type Config } from '../../../../agent/config/keys.js';
import { clipsOf } from '../../../../agent/main/clips.js';
import { forbiddenBy } from '../../../../agent/main/forbidden.js';
import { brightest, LEFT, striped } from '../../../support/pictures.js';
import { FilmingWorld, jpegOf } from '../../../support/worlds/filming-world.js';
import { letPromisesRun } from '../../../support/worlds/period-world.js';

/** Filmed before something came into force, and while it was. */
const BEFORE = jpegOf(2000, 160, 0x77);
const DURING = jpegOf(2000, 160, 0x33);

/** Every day but for the minutes from `from` to `to`. */
function without(from: number, to: number): Config['motion.schedule'] {
  const days = [0, 1, 2, 3, 4, 5, 6];
  return [
    { days, fromMinute: 0, toMinute: from },
    { days, fromMinute: to, toMinute: 24 * 60 },
  ];
}

const midnight = Date.UTC(2026, 10, 21);
const at = (hour: number, minute: number, second = 0): number => midnight + ((hour * 60 + minute) * 60 + second) * 1000;

/** The clips of a camera whose settings, privacy and clock a test changes, as the agent makes them. */
class Filming {
  readonly world: FilmingWorld;
  private readonly isDeaf: boolean;
  private config: Config;
  isPrivate = false;
  /** Wall clock at monotonic 0; null while it was never set. */
  private wallStartMs: number | null = at(12, 0);

  /** The control, `isDeaf`, hears of nothing that comes into force. */
  constructor(codec: 'jpeg' | 'h264' = 'jpeg', isDeaf = false) {
    this.isDeaf = isDeaf;
    this.config = loadAgentConfig({ file: null, environment: { SEALCAM_CLIP_CODEC: codec } });
    const timeOf: ConstructorParameters<typeof Clips>[0]['timeOf'] = (monotonicMs) => {
      const { wallStartMs, world } = this;
      return world.camera.time(monotonicMs, wallStartMs === null ? null : wallStartMs + monotonicMs);
    };
    this.world = new FilmingWorld({ timeOf }, (deps) => {
      if (isDeaf) return new Clips(deps);
      const [config, isPrivate] = [() => this.config, () => this.isPrivate];
      const clips = clipsOf({ ...deps, config, isPrivate, forbidden: forbiddenBy(config, isPrivate, timeOf) });
      if (clips === null) throw new Error('no clips');
      return clips;
    });
  }

  /** The settings file was changed, and is read again: as Agent.reconfigure does it. */
  reload(change: Partial<Config>): void {
    this.config = { ...this.config, ...change };
    if (change['privacy.masks'] !== undefined && !this.isDeaf) this.world.clips.wipe();
  }

  /** The owner ordered it: as the agent does it, the camera closes and opens. */
  async order(isPrivate: boolean): Promise<void> {
    this.isPrivate = isPrivate;
    if (this.isDeaf) return;
    if (isPrivate) this.world.clips.privacyOrdered();
    else await this.world.open();
  }

  /** Sets the clock, to null where it loses its time. */
  setClock(wallMs: number | null): void {
    this.wallStartMs = wallMs === null ? null : wallMs - this.world.clock.monotonicMs();
  }
}

/** An encoder gives what it took in before. */
const late = (filming: Filming): Promise<void> => filming.world.film(250, { bytes: DURING });

/** Each brings something into force for a while. Begins and ends at a time that is allowed. */
const WAYS: Readonly<Record<string, { codec?: 'h264'; happens: (filming: Filming) => Promise<void> }>> = {
  'privacy that the owner orders': {
    happens: async (filming) => {
      await filming.order(true);
      await filming.world.film(1000, { bytes: DURING });
      await filming.order(false);
    },
  },
  'a schedule in settings that are read again': {
    happens: async (filming) => {
      filming.reload({ 'motion.schedule': without(12 * 60, 13 * 60) });
      await filming.world.film(1000, { bytes: DURING });
      filming.reload({ 'motion.schedule': [] });
      await late(filming);
    },
  },
  'the time of the schedule, by the clock': {
    happens: async (filming) => {
      filming.setClock(at(12, 0, 59));
      filming.reload({ 'motion.schedule': without(12 * 60 + 1, 12 * 60 + 2) });
      await filming.world.film(750, { bytes: BEFORE });
      await filming.world.film(60_000, { bytes: DURING });
      await late(filming);
    },
  },
  'a clock that is set forward, and back': {
    happens: async (filming) => {
      filming.reload({ 'motion.schedule': without(13 * 60, 14 * 60) });
      filming.setClock(at(13, 0));
      await filming.world.film(1000, { bytes: DURING });
      filming.setClock(at(12, 0));
      await late(filming);
    },
  },
  'a clock that is set for the first time, and once more': {
    happens: async (filming) => {
      filming.setClock(null);
      filming.reload({ 'motion.schedule': without(13 * 60, 14 * 60) });
      await filming.world.film(250, { bytes: BEFORE });
      filming.setClock(at(13, 0));
      await filming.world.film(1000, { bytes: DURING });
      filming.setClock(at(14, 0));
      await late(filming);
    },
  },
  'masks in settings that are read again, where an encoder sees what they hide': {
    codec: 'h264',
    happens: async (filming) => {
      filming.reload({ 'privacy.masks': [LEFT] });
      await filming.world.film(1000, { bytes: DURING });
      filming.reload({ 'privacy.masks': [] });
      await late(filming);
    },
  },
};

function shows({ records }: FilmingWorld, secret: Uint8Array): boolean {
  return Buffer.concat(records.flatMap(({ contents }) => contents)).includes(Buffer.from(secret.subarray(20)));
}

describe.each(Object.entries(WAYS))('%s', (_, { codec, happens }) => {
  async function filmed(isDeaf: boolean): Promise<FilmingWorld> {
    const filming = new Filming(codec, isDeaf);
    const { world } = filming;
    await world.open();
    await world.film(6000, { bytes: BEFORE });
    await happens(filming);
    await world.film(1250);
    world.start();
    await letPromisesRun();
    return world;
  }

  it('empties the ring: an event later shows nothing of before, and nothing of meanwhile', async () => {
    const world = await filmed(false);
    expect(world.records.map(({ phase }) => phase)).toEqual(['start']);
    expect(world.records[0]?.durationMs).toBeLessThanOrEqual(1250);
    expect([shows(world, BEFORE), shows(world, DURING)]).toEqual([false, false]);
  });

  it('is a control: clips that do not hear of it show more', async () => {
    const world = await filmed(true);
    expect(world.records[0]?.durationMs).toBeGreaterThan(1250);
    expect(shows(world, DURING)).toBe(true);
  });

  it('ends the running clip there, and its event has no other', async () => {
    const filming = new Filming(codec);
    const { world } = filming;
    await world.open();
    await world.film(6000);
    const event = world.start();
    await happens(filming);
    expect(world.clipsOf(event).map(({ phases }) => phases.at(-1))).toEqual(['end']);
    await world.film(12_000);
    expect(world.clipsOf(event)).toHaveLength(1);
    expect(shows(world, DURING)).toBe(false);
  });
});

describe('what is in force at a start', () => {
  it.each([
    [
      'privacy',
      (filming: Filming) => {
        filming.isPrivate = true;
      },
    ],
    [
      'off-schedule',
      (filming: Filming) => {
        filming.reload({ 'motion.schedule': without(12 * 60, 13 * 60) });
      },
    ],
    [
      'masked',
      (filming: Filming) => {
        filming.reload({ 'privacy.masks': [LEFT] });
      },
    ],
    ['filming', () => undefined],
  ] as const)('keeps nothing, and events have no clip; and the control: %s', async (state, begin) => {
    const filming = new Filming('h264');
    const { world } = filming;
    begin(filming);
    await world.open();
    await world.film(6000, { bytes: DURING });
    world.start();
    await letPromisesRun();
    const isFilming = state === 'filming';
    const { state: now, heldBytes } = world.clips.status();
    expect([now, heldBytes > 0, shows(world, DURING)]).toEqual([state, isFilming, isFilming]);
  });
});

describe('privacy that is over before the camera has closed', () => {
  it.each([
    ['nothing', (filming: Filming) => filming.order(true)],
    [
      'more, where the ring alone is emptied: the control',
      (filming: Filming) => {
        filming.world.clips.wipe();
      },
    ],
  ] as const)('shows %s of what the camera gave meanwhile', async (shown, order) => {
    const filming = new Filming();
    const { world } = filming;
    await world.open();
    await world.film(2000);
    await order(filming);
    await world.film(1000, { bytes: DURING });
    if (shown === 'nothing') filming.isPrivate = false;
    world.start();
    await world.film(1000, { bytes: DURING });
    world.clips.stop();
    expect(shows(world, DURING)).toBe(shown !== 'nothing');
  });
});

describe('the time of a schedule', () => {
  it('ends the running clip within a second, also where no picture comes that shows it', async () => {
    const filming = new Filming();
    const { world } = filming;
    await world.open();
    await world.film(6000);
    const event = world.start();
    await world.film(1000);
    filming.reload({ 'motion.schedule': without(12 * 60, 13 * 60) });
    await world.clock.run(1000, 250);
    expect(world.clipsOf(event)[0]?.phases.at(-1)).toBe('end');
    expect(world.clips.status().state).toBe('off-schedule');
  });

  it.each([true, false])(
    'counts for what the ring holds by the clock of now: set %s, from one time that is allowed to another',
    async (isSet) => {
      const filming = new Filming();
      const { world } = filming;
      filming.reload({ 'motion.schedule': without(13 * 60, 14 * 60) });
      await world.open();
      await world.film(6000, { bytes: BEFORE });
      const event = world.start();
      // By this clock, all that is in the ring was filmed before the schedule allowed it.
      if (isSet) filming.setClock(at(14, 0));
      await world.film(1000);
      const next = world.start();
      await letPromisesRun();
      const [clip] = world.clipsOf(next);
      expect(Buffer.from(clip?.file ?? []).includes(Buffer.from(BEFORE.subarray(20)))).toBe(!isSet);
      // What comes now is allowed: the clip that runs goes on.
      expect(world.clips.status().runningMs).toHaveLength(2);
      expect(world.clipsOf(event)).toHaveLength(1);
    },
  );
});

describe('masks in settings that are read again', () => {
  it('are named once where an encoder sees what they hide', async () => {
    const filming = new Filming('h264');
    const { world } = filming;
    await world.open();
    await world.film(2000);
    filming.reload({ 'privacy.masks': [LEFT] });
    await world.film(3000);
    world.start();
    await letPromisesRun();
    expect([world.records.length, world.clips.status().state]).toEqual([0, 'masked']);
    expect(world.clips.status().fault).toMatchObject({ code: 'video-unsupported' });
    expect(world.log.filter(({ code }) => code === 'video-unsupported')).toMatchObject([
      { hint: expect.stringContaining('jpeg') as string },
    ]);
    filming.reload({ 'privacy.masks': [] });
    await world.film(2000);
    expect([world.clips.status().state, world.clips.status().fault]).toEqual(['filming', null]);
  });

  it.each([true, false])('make every later picture of a clip of frames black under them: %s', async (areThere) => {
    const filming = new Filming();
    const { world } = filming;
    const bytes = await striped(160, 90);
    await world.open();
    await world.film(2000, { bytes });
    if (areThere) filming.reload({ 'privacy.masks': [LEFT] });
    for (let i = 0; i < 8; i++) {
      await world.film(250, { bytes });
      // Masking takes its time, and this clock must not run away from it. The first half second is not kept.
      if (areThere && i > 1) await expect.poll(() => world.clips.status().heldMs).toBe(250 * (i - 1));
    }
    const event = world.start();
    await letPromisesRun();
    const file = Buffer.from(world.clipsOf(event)[0]?.file ?? []);
    const pictures = picturesIn(file);
    expect(pictures.length).toBeGreaterThan(3);
    for (const picture of pictures) {
      const [left, right] = await brightest(picture);
      expect([left < 16, right > 240]).toEqual([areThere, true]);
    }
  });
});

/** Returns the JPEG files in a clip. */
function picturesIn(file: Buffer): readonly Buffer[] {
  const starts: number[] = [];
  const mark = Buffer.from([0xff, 0xd8, 0xff]);
  for (let i = file.indexOf(mark); i >= 0; i = file.indexOf(mark, i + 1)) starts.push(i);
  return starts.map((start, i) => file.subarray(start, starts[i + 1] ?? file.length));
}
