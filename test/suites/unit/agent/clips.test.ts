import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { LIMITS } from '../../../../common/limits.js';
import { waitingMaxBytes } from '../../../../agent/clip/clip-writer.js';
import { DELTA, KEY } from '../../../support/h264-units.js';
import { FilmingWorld, jpegOf } from '../../../support/worlds/filming-world.js';
import { letPromisesRun } from '../../../support/worlds/period-world.js';

async function filming(change = {}): Promise<FilmingWorld> {
  const world = new FilmingWorld(change);
  await world.open();
  return world;
}

describe('clips of events', () => {
  it('begin with what the ring holds, leave at once, and go on for 5 s after the last motion', async () => {
    const world = await filming();
    await world.film(8000);
    const event = world.start();
    await letPromisesRun();
    expect(world.records.map(({ phase }) => phase)).toEqual(['start']);
    const preroll = world.records[0]?.durationMs ?? 0;
    expect(preroll).toBeGreaterThanOrEqual(4500);
    expect(preroll).toBeLessThanOrEqual(5250);
    await world.film(3000);
    world.end(event);
    await world.film(8000);
    const [clip, ...others] = world.clipsOf(event);
    expect(others).toEqual([]);
    expect(clip?.phases.at(-1)).toBe('end');
    expect(clip?.durationMs).toBeGreaterThanOrEqual(preroll + 8000);
    expect(clip?.durationMs).toBeLessThanOrEqual(preroll + 8500);
    // Segments are numbered in a row, and no record is later than 4 s after the one before.
    expect(world.records.flatMap(({ indexes }) => indexes)).toEqual(
      Array.from({ length: world.records.flatMap(({ indexes }) => indexes).length }, (_, i) => i),
    );
    const times = world.records.map(({ atMs }) => atMs);
    expect(Math.max(...times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0)))).toBeLessThanOrEqual(4000);
  });

  it('are at least 10 s long where the ring held nothing, and 60 s at most', async () => {
    const world = await filming();
    await world.film(250);
    const short = world.start();
    world.end(short);
    await world.film(12_000);
    expect(world.clipsOf(short)[0]?.durationMs).toBe(10_250);
    const long = world.start();
    await world.film(90_000);
    const [clip, ...others] = world.clipsOf(long);
    expect([clip?.phases.at(-1), others]).toEqual(['end', []]);
    expect(clip?.durationMs).toBe(59_250);
  });

  it('of an event that starts meanwhile have their own pre-roll, and the clip before ends once it is long enough', async () => {
    const world = await filming();
    await world.film(8000);
    const first = world.start();
    await world.film(1000);
    world.end(first);
    await world.film(1500);
    const second = world.start();
    await world.film(2000);
    world.end(second);
    await world.film(12_000);
    const [one] = world.clipsOf(first);
    const [two] = world.clipsOf(second);
    expect([one?.phases.at(-1), two?.phases.at(-1)]).toEqual(['end', 'end']);
    expect(one?.durationMs).toBeGreaterThanOrEqual(10_000);
    expect(one?.durationMs).toBeLessThanOrEqual(10_500);
    // 5 s before, 2 s of motion, 5 s after.
    expect(two?.durationMs).toBeGreaterThanOrEqual(11_500);
  });

  it('end where the video changes its size, and go on under another number', async () => {
    const world = await filming();
    await world.film(6000);
    const event = world.start();
    await world.film(3000);
    await world.film(3000, { bytes: jpegOf(2000, 320) });
    world.end(event);
    await world.film(12_000, { bytes: jpegOf(2000, 320) });
    const clips = world.clipsOf(event);
    expect(clips.map(({ number, phases }) => [number, phases[0], phases.at(-1)])).toEqual([
      [0, 'start', 'end'],
      [1, 'start', 'end'],
    ]);
    expect(world.counters.get('video.video-changed')).toBe(1);
  });

  it('need a claim of version 2: without an owner, or under version 1, not even the ring is filled', async () => {
    const world = new FilmingWorld();
    world.claim = world.camera.claim();
    world.clips.ownerChanged();
    await world.open();
    await world.film(6000);
    world.start();
    await world.film(12_000);
    expect([world.records.length, world.clips.status().heldMs, world.clips.status().state]).toEqual([
      0,
      0,
      'version-1',
    ]);
    world.claim = null;
    world.clips.ownerChanged();
    await world.film(3000);
    expect([world.clips.status().heldBytes, world.clips.status().state]).toEqual([0, 'no-owner']);
    world.claim = world.camera.claimV2();
    world.clips.ownerChanged();
    await world.film(3000);
    expect([world.records.length, world.clips.status().state]).toEqual([0, 'filming']);
    expect(world.clips.status().heldBytes).toBeGreaterThan(0);
  });

  it('come after the record of their event', async () => {
    const world = await filming();
    let recorded = (): void => undefined;
    world.eventsRecorded = new Promise((resolve) => (recorded = resolve));
    await world.film(6000);
    world.start();
    await world.film(1000);
    expect(world.records).toEqual([]);
    recorded();
    await letPromisesRun();
    expect(world.records.map(({ phase }) => phase)).toEqual(['start']);
  });
});

describe('clips without a key to seal with', () => {
  it('wait for it, whole', async () => {
    const world = await filming();
    world.hasPeriod = false;
    await world.film(6000);
    const event = world.start();
    world.end(event);
    await world.film(8000);
    expect(world.records).toEqual([]);
    await world.ready(true);
    expect(world.clipsOf(event)[0]?.durationMs).toBeGreaterThanOrEqual(10_000);
    expect([world.losses, world.clips.status().waitingBytes]).toEqual([[], 0]);
  });

  it('are lost where they would take more memory than is allowed, and each is counted', async () => {
    const limits = { prerollMs: 5000, maxBytes: 200_000 };
    const world = await filming({ limits });
    world.hasPeriod = false;
    const bytes = jpegOf(60_000);
    await world.film(3000, { bytes });
    const event = world.start();
    let most = 0;
    for (let i = 0; i < 40; i++) {
      await world.film(250, { bytes });
      most = Math.max(most, world.clips.status().waitingBytes);
    }
    expect(most).toBeGreaterThan(limits.maxBytes);
    expect(most).toBeLessThanOrEqual(waitingMaxBytes(limits.maxBytes));
    expect([world.losses, world.counters.get('clips.lost')]).toEqual([[1], 1]);
    await world.ready(true);
    world.end(event);
    await world.film(8000, { bytes });
    expect(world.records).toEqual([]);
    // The next event has one again.
    const next = world.start();
    await world.film(1000, { bytes });
    expect(world.clipsOf(next)).toHaveLength(1);
  });

  it('are lost and counted where the disk takes no record', async () => {
    const world = await filming();
    await world.film(6000);
    world.failure = new SealcamError('store-full', 'no room');
    const event = world.start();
    await world.film(3000);
    expect([world.losses, world.counters.get('clips.store-full'), world.clips.status().lastLoss]).toEqual([
      [1],
      1,
      'no room',
    ]);
    world.failure = null;
    world.end(event);
    await world.film(12_000);
    expect(world.records).toEqual([]);
  });
});

/** Returns a unit of H.264 of this size. */
function h264Unit(unit: Uint8Array, bytes: number): Uint8Array {
  return concat(unit, new Uint8Array(bytes - unit.length).fill(0x55));
}

/** Bytes of a unit that nothing else has. */
const SECRET = jpegOf(2000, 160, 0x77);

function shows(world: FilmingWorld, secret: Uint8Array): boolean {
  const film = Buffer.concat(world.records.flatMap(({ contents }) => contents));
  return film.includes(Buffer.from(secret.subarray(20)));
}

/** What a wipe is called for, with the control that does without it. */
const WIPES: Readonly<Record<string, (world: FilmingWorld) => Promise<void>>> = {
  'privacy, for a while': async (world) => {
    world.forbidden = 'privacy';
    world.clips.wipe();
    world.clips.cameraClosed();
    world.forbidden = null;
    await world.open();
  },
  'masks that changed': (world) => {
    world.clips.wipe();
    return letPromisesRun();
  },
  'a release and a new claim': (world) => {
    world.clips.ownershipEnding();
    world.claim = null;
    world.clips.ownerChanged();
    world.claim = world.camera.claimV2(2, new Uint8Array(32));
    world.clips.ownerChanged();
    return letPromisesRun();
  },
  'another claim of the same owner': (world) => {
    world.clips.ownershipEnding();
    world.claim = world.camera.claimV2(2, new Uint8Array(32));
    world.clips.ownerChanged();
    return letPromisesRun();
  },
  'a time outside the schedule': async (world) => {
    world.forbidden = 'off-schedule';
    await world.film(250);
    world.forbidden = null;
  },
};

describe.each(Object.entries(WIPES))('after %s', (_, happens) => {
  it('nothing that was filmed before is in a clip, and an event 1 s later has at most 1 s of pre-roll', async () => {
    const world = await filming();
    await world.film(6000, { bytes: SECRET });
    await happens(world);
    await world.film(1000);
    world.start();
    await letPromisesRun();
    const [start] = world.records;
    expect(start?.durationMs).toBeLessThanOrEqual(1000);
    expect(shows(world, SECRET)).toBe(false);
  });

  it('a running clip ends there', async () => {
    const world = await filming();
    await world.film(6000);
    const event = world.start();
    await world.film(2000);
    const before = world.clock.monotonicMs();
    const { hash } = world.claim ?? {};
    await happens(world);
    const [clip] = world.clipsOf(event);
    expect(clip?.phases.at(-1)).toBe('end');
    expect(Math.max(...world.records.map(({ atMs }) => atMs))).toBeLessThanOrEqual(before);
    expect(new Set(world.records.map(({ claim }) => claim))).toEqual(new Set([toHex(hash ?? new Uint8Array(0))]));
    await world.film(12_000, { bytes: SECRET });
    expect(world.clipsOf(event)).toHaveLength(1);
    expect(shows(world, SECRET)).toBe(false);
  });

  it('is a control: without any of it the pre-roll is whole, and shows what was filmed before', async () => {
    const world = await filming();
    await world.film(6000, { bytes: SECRET });
    await world.film(1000);
    world.start();
    await letPromisesRun();
    expect(world.records[0]?.durationMs).toBeGreaterThanOrEqual(4500);
    expect(shows(world, SECRET)).toBe(true);
  });
});

describe('bad video', () => {
  it('is begun again with a growing delay, counted, and logged once', async () => {
    const world = await filming();
    await world.film(6000);
    const event = world.start();
    await world.film(2000);
    for (let i = 0; i < 4; i++) {
      world.feed.fail(new SealcamError('video-ended', 'the encoder died'));
      await letPromisesRun();
      await world.clock.run(60_000, 500);
    }
    expect(world.clips.status().fault?.code).toBe('video-ended');
    expect(world.counters.get('video.video-ended')).toBe(4);
    expect(world.opened).toBe(5);
    expect(world.log.filter(({ code }) => code === 'video-ended')).toHaveLength(1);
    const [clip] = world.clipsOf(event);
    expect(clip?.phases.at(-1)).toBe('end');
    await world.film(3000);
    const next = world.start();
    await letPromisesRun();
    expect(world.clipsOf(next)).toHaveLength(1);
    expect(world.clips.status().fault).toBeNull();
  });

  it('that falls silent ends the clip, which goes on under another number', async () => {
    const world = await filming();
    await world.film(6000);
    const event = world.start();
    await world.film(2000);
    await world.clock.run(6000, 500);
    expect(world.clipsOf(event)[0]?.phases.at(-1)).toBe('end');
    await world.film(3000);
    expect(world.clipsOf(event).map(({ number }) => number)).toEqual([0, 1]);
  });

  it('whose times jump ends the clip, and no segment is longer than 2 s', async () => {
    const world = await filming();
    await world.film(6000);
    const event = world.start();
    await world.film(2000);
    await world.film(250, { monotonicMs: 1000 });
    await world.film(250, { monotonicMs: 1250 });
    expect(world.clipsOf(event)[0]?.phases.at(-1)).toBe('end');
    await world.film(2000);
    world.end(event);
    await world.film(12_000);
    for (const { durationMs, indexes } of world.records) {
      expect(durationMs).toBeLessThanOrEqual(2000 * Math.max(1, indexes.length));
    }
  });

  it('of 1 unit a second is a clip', async () => {
    const world = await filming();
    await world.film(7000, {}, 1000);
    const event = world.start();
    world.end(event);
    await world.film(7000, {}, 1000);
    const [clip] = world.clipsOf(event);
    expect(clip?.phases.at(-1)).toBe('end');
    expect(clip?.durationMs).toBeGreaterThanOrEqual(10_000);
  });

  it('of 4K at 30 is a clip within the memory that is allowed; with key units that no segment holds it is named once', async () => {
    const limits = { prerollMs: 5000, maxBytes: 4 * 1024 ** 2 };
    const world = new FilmingWorld({ limits });
    world.info = { codec: 'h264', width: 3840, height: 2160, framesPerSecond: 30, keyIntervalMs: 1000 };
    await world.open();
    let most = 0;
    /** At 20 Mbit/s, in groups of a second. */
    const film = async (seconds: number, keyBytes: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await world.film(33, { bytes: h264Unit(KEY, keyBytes) }, 33);
        await world.film(29 * 33, { bytes: h264Unit(DELTA, 72_000), isKey: false }, 33);
        most = Math.max(most, world.clips.status().heldBytes);
      }
    };
    await film(4, 400_000);
    const event = world.start();
    world.end(event);
    await film(12, 400_000);
    const [clip] = world.clipsOf(event);
    expect(clip?.phases.at(-1)).toBe('end');
    expect(clip?.durationMs).toBeGreaterThanOrEqual(9500);
    expect(
      Math.max(...world.records.flatMap(({ contents }) => contents.map(({ length }) => length))),
    ).toBeLessThanOrEqual(LIMITS.segmentMaxBytes);
    expect(most).toBeLessThanOrEqual(limits.maxBytes);
    await film(1, 600_000);
    world.start();
    await film(3, 600_000);
    expect(world.counters.get('video.video-unsupported')).toBe(1);
    expect(world.log.filter(({ code }) => code === 'video-unsupported')).toHaveLength(1);
  });

  it('whose pictures are too large for a segment is counted and logged once; events have no clip', async () => {
    const world = await filming();
    const bytes = jpegOf(600_000);
    for (let i = 0; i < 3; i++) {
      await world.film(3000, { bytes });
      const event = world.start();
      world.end(event);
      await world.film(6000, { bytes });
    }
    expect(world.records).toEqual([]);
    expect(world.counters.get('video.video-unsupported')).toBe(3);
    expect(world.log.filter(({ code }) => code === 'video-unsupported')).toHaveLength(1);
    expect(world.clips.status().fault?.code).toBe('video-unsupported');
  });
});
