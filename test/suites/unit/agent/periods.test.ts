import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import type { Transition } from '../../../../agent/capture/event-tracker.js';
import { takeSnapshot } from '../../../../agent/record/snapshot.js';
import type { Frame } from '../../../../hal/camera.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';
import { buildScript } from '../../../../hal/mock/scenarios.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { isZero } from '../../../../common/bytes.js';
import { isVersionTwo } from '../../../../protocol/wire/codec.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { gate, PeriodWorld, letPromisesRun, wrapHere } from '../../../support/worlds/period-world.js';
import { RECORDER_SETTINGS } from '../../../support/worlds/recorder-world.js';

const HOUR_MS = 3_600_000;
const place = () => ({ eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'thumbnail' as const });

const failing = (): Promise<Uint8Array> => Promise.reject(new SealcamError('period-unavailable', 'the process failed'));

describe('a period', () => {
  it('is used only when its key record is in the outbox, before the first object; the owner opens all', async () => {
    const world = new PeriodWorld();
    expect(world.sealer.isReady(world.claim)).toBe(false);
    await world.start();
    await world.event(3000);
    await world.event(4000);
    expect(world.records().map(({ value }) => value.kind)).toEqual(['accept', 'key', 'motion', 'motion']);
    expect(world.records().every(({ value }) => isVersionTwo(value))).toBe(true);
    expect(await world.openedPictures()).toEqual([3000, 4000]);
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it('is wiped as soon as it is wrapped: the key of the job is zero then', async () => {
    const world = new PeriodWorld();
    let key: Uint8Array = new Uint8Array(0);
    world.wrap = (job) => {
      key = job.key;
      return wrapHere(job);
    };
    await world.start();
    expect(isZero(key)).toBe(true);
    // The control: it was not while it was wrapped.
    expect(isZero(world.jobs[0]?.key ?? new Uint8Array(0))).toBe(false);
  });

  it('is new after each start of the program', async () => {
    const world = new PeriodWorld();
    await world.start();
    await world.event();
    world.close();
    world.open();
    expect(world.sealer.isReady(world.claim)).toBe(false);
    await world.start();
    await world.event();
    const [first, second] = world.keyRecords().map(({ value }) => value.key?.periodId);
    expect(first).not.toEqual(second);
    expect(await world.openedPictures()).toHaveLength(2);
  });

  it('ends with its claim: what was sealed in it and not appended is discarded, and its chain is wiped', async () => {
    const world = new PeriodWorld();
    await world.start();
    const period = await world.keeper.ready(world.claim);
    const id = realRandom.bytes(16);
    const media = await world.sealer.seal(world.claim, id, 'thumbnail', { detail: {}, jpeg: realRandom.bytes(10) });
    const next = world.camera.claimV2(2, world.claim.hash);
    world.outbox.beginEpoch(next, world.time(), world.camera.kemKeys);
    world.keeper.ownerChanged();
    const content = { kind: 'motion', time: world.time(), event: { id, phase: 'start', revision: 0 } } as const;
    expect(world.outbox.append(content, [media], world.claim.hash)).toBeNull();
    expect(codeOf(() => period?.seal(place(), new Uint8Array(9)))).toBe('internal');
    // Also where somebody forgets which claim it was sealed for: the period is not of this epoch.
    expect(codeOf(() => world.outbox.append(content, [media]))).toBe('period-unavailable');
    await letPromisesRun();
    expect(world.keyRecords().map(({ value }) => value.epoch)).toEqual([1, 2]);
    // The control: a period of the claim in force may be used.
    const good = await world.sealer.seal(next, id, 'thumbnail', { detail: {}, jpeg: realRandom.bytes(10) });
    expect(codeOf(() => world.outbox.append(content, [good], next.hash))).toBe('accepted');
  });

  it('ends with the ownership', async () => {
    const world = new PeriodWorld();
    await world.start();
    const period = await world.keeper.ready(world.claim);
    world.outbox.endEpoch('release', world.time());
    world.keeper.ownerChanged();
    expect(codeOf(() => period?.seal(place(), new Uint8Array(9)))).toBe('internal');
    expect(await world.keeper.ready(world.claim)).toBeNull();
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it.each([
    ['at 3,500 objects', 3500, 0],
    ['at 23 hours', 1, 23 * HOUR_MS],
    ['not before: the control', 3499, 22 * HOUR_MS],
  ])('is replaced %s, while it is still in use', async (name, objects, afterMs) => {
    const world = new PeriodWorld();
    await world.start();
    const period = await world.keeper.ready(world.claim);
    for (let i = 0; i < objects; i++) period?.seal(place(), new Uint8Array(4));
    world.clock.advance(afterMs);
    await letPromisesRun();
    expect(world.sealer.isReady(world.claim)).toBe(true);
    await letPromisesRun();
    expect(world.keyRecords()).toHaveLength(name.startsWith('not') ? 1 : 2);
    expect((await world.keeper.ready(world.claim))?.taken).toBe(name.startsWith('not') ? objects : 0);
  });

  it('is not used for longer than a day, nor when it is used up, if no other can be made', async () => {
    const world = new PeriodWorld();
    await world.start();
    world.wrap = failing;
    world.clock.advance(23 * HOUR_MS);
    // Still good for an hour.
    expect(world.sealer.isReady(world.claim)).toBe(true);
    await letPromisesRun();
    world.clock.advance(HOUR_MS);
    expect(world.sealer.isReady(world.claim)).toBe(false);
    expect(world.counters.get('periods.failed')).toBeGreaterThan(0);
  });
});

describe('the first period after a start', () => {
  it.each([
    ['begins when the camera is armed', 3000, true, 1],
    ['begins without that after ten seconds', 10_000, false, 1],
    ['not before: the control', 9999, false, 0],
    ['is the only one where both come', 10_000, true, 1],
  ])('%s', async (_, afterMs, isArmed, begun) => {
    const world = new PeriodWorld();
    world.keeper.start();
    await letPromisesRun();
    expect(world.jobs).toEqual([]);
    if (isArmed) world.keeper.armed();
    await letPromisesRun();
    world.clock.advance(afterMs);
    await letPromisesRun();
    expect(world.counters.get('periods.begun')).toBe(begun);
  });

  it('begins at once when something happens before', async () => {
    const world = new PeriodWorld();
    world.keeper.start();
    expect(await world.keeper.ready(world.claim)).not.toBeNull();
  });
});

describe('a camera that sees nothing for two days', () => {
  it('has a period when something happens', async () => {
    const world = new PeriodWorld();
    await world.start();
    for (let hour = 0; hour < 48; hour++) {
      world.clock.advance(HOUR_MS);
      await letPromisesRun();
    }
    expect(world.counters.get('periods.begun')).toBe(3);
    expect(world.sealer.isReady(world.claim)).toBe(true);
  });
});

describe('a process that cannot wrap', () => {
  it('is tried again, ever more rarely, and counted; meanwhile nothing is sealed', async () => {
    const world = new PeriodWorld({ wrap: failing });
    const attempts: number[] = [];
    await world.start();
    for (let minute = 0; minute < 60; minute++) {
      for (let s = 0; s < 60; s++) {
        world.clock.advance(1000);
        await Promise.resolve();
      }
      await letPromisesRun();
      attempts.push(world.jobs.length);
    }
    expect(attempts[0]).toBeGreaterThan(1);
    // Every five minutes at the end.
    expect((attempts.at(-1) ?? 0) - (attempts.at(-31) ?? 0)).toBeLessThan(8);
    expect(world.counters.get('periods.failed')).toBe(world.jobs.length);
    expect(world.sealer.isReady(world.claim)).toBe(false);
    expect(world.keyRecords()).toEqual([]);
    // The control: once it works, what waited is sealed.
    const waiting = world.event();
    world.wrap = wrapHere;
    world.clock.advance(5 * 60_000);
    await waiting;
    expect(await world.openedPictures()).toEqual([1000]);
  });

  it('answers what is no key record: nothing is sealed under it', async () => {
    const world = new PeriodWorld({ wrap: () => Promise.resolve(new Uint8Array(50)) });
    await world.start();
    expect(world.counters.get('periods.failed')).toBe(1);
    expect(world.keyRecords()).toEqual([]);
  });

  it('leaves a camera without its KEM keys waiting: it seals to nobody', async () => {
    const world = new PeriodWorld();
    const database = (await import('../../../support/outbox-store.js')).storeOf(world.outbox).queries.device.database;
    database.exec('UPDATE epoch SET kem_keys = NULL');
    await world.start();
    expect([world.jobs.length, world.counters.get('periods.failed')]).toEqual([0, 1]);
  });
});

describe('the first seconds after a boot', () => {
  const frames = async (): Promise<Frame> => {
    const { jpeg } = await new SceneRenderer(buildScript('porch', 'walk', 11)).render(0);
    return { index: 1, monotonicMs: 1000, jpeg };
  };
  const span = { onsetFrame: 1, onsetMs: 900, startFrame: 1, startMs: 1000 };
  const start = (frame: Frame): Transition<Frame> => ({
    type: 'start',
    span,
    sighting: { frame, index: 1, timeMs: 1000, area: 0.1, box: null, zones: [] },
  });
  const end = (): Transition<Frame> => ({
    type: 'end',
    span,
    sighting: null,
    reason: 'motion-ended',
    endFrame: 2,
    endMs: 2000,
    peakArea: 0.1,
  });

  it('are recorded once there is a period: events wait in memory', async () => {
    const { wrap, open } = gate();
    const world = new PeriodWorld({ wrap });
    const recorder = world.recorder();
    world.keeper.ownerChanged();
    recorder.recordTransition(start(await frames()));
    recorder.recordTransition(end());
    await letPromisesRun();
    expect(world.records().map(({ value }) => value.kind)).toEqual(['accept']);
    open();
    await recorder.idle();
    expect(world.records().map(({ value }) => value.kind)).toEqual(['accept', 'key', 'motion', 'motion']);
    expect(world.outbox.flushLosses(world.time())).toBeNull();
  });

  it.each([
    ['number', 100, 100],
    ['bytes', 40, 400_000],
  ])('wait within a bound by %s; what is beyond it is signed as failed', async (_, events, padding) => {
    const { wrap, open } = gate();
    const world = new PeriodWorld({ wrap });
    const recorder = world.recorder();
    world.keeper.ownerChanged();
    const { jpeg, ...rest } = await frames();
    const large = new Uint8Array(jpeg.length + padding);
    large.set(jpeg);
    for (let i = 0; i < events; i++) recorder.recordTransition(start({ ...rest, jpeg: large }));
    await letPromisesRun();
    open();
    await recorder.idle();
    const motions = world.records().filter(({ value }) => value.kind === 'motion').length;
    expect(motions).toBeGreaterThan(5);
    expect(motions).toBeLessThanOrEqual(32);
    const failed = world.outbox.flushLosses(world.time())?.value.loss;
    expect(failed).toEqual([{ reason: 'failed', count: events - motions }]);
  });

  it('that end with a stop are counted as failed', async () => {
    const { wrap } = gate();
    const world = new PeriodWorld({ wrap });
    const recorder = world.recorder();
    world.keeper.ownerChanged();
    recorder.recordTransition(start(await frames()));
    recorder.abandon();
    world.keeper.stop();
    await recorder.idle();
    expect(world.outbox.flushLosses(world.time())?.value.loss).toEqual([{ reason: 'failed', count: 1 }]);
  });

  it('see another claim: what waited is not sealed to it, and is counted', async () => {
    const { wrap, open } = gate();
    const world = new PeriodWorld({ wrap });
    const recorder = world.recorder();
    world.keeper.ownerChanged();
    recorder.recordTransition(start(await frames()));
    await letPromisesRun();
    world.outbox.beginEpoch(world.camera.claimV2(2, world.claim.hash), world.time(), world.camera.kemKeys);
    world.keeper.ownerChanged();
    open();
    await recorder.idle();
    await letPromisesRun();
    expect(world.records().filter(({ value }) => value.kind === 'motion')).toEqual([]);
    expect(world.outbox.flushLosses(world.time())?.value.loss).toEqual([{ reason: 'claim-changed', count: 1 }]);
    // The key record that was on its way is of the new claim.
    expect(world.keyRecords().map(({ value }) => value.epoch)).toEqual([2]);
  });

  it('refuse an order to take a picture, rather than let it wait', async () => {
    const { wrap, open } = gate();
    const world = new PeriodWorld({ wrap });
    const frame = await frames();
    const { outbox, sealer } = world;
    const deps = { outbox, sealer, random: realRandom, timeOf: () => world.time(), messageTargetBytes: () => null };
    const take = (): Promise<string> => asyncCodeOf(() => takeSnapshot(deps, frame, RECORDER_SETTINGS.thumbnail));
    world.keeper.ownerChanged();
    expect(await take()).toBe('period-unavailable');
    open();
    await letPromisesRun();
    expect(await take()).toBe('accepted');
    expect(nodeSuite.name).toBe('node');
  });
});

describe('an epoch of version 1', () => {
  it('has no periods and suite 1, also after the camera knows version 2', async () => {
    const world = new PeriodWorld();
    const claim = world.camera.claim(2, world.claim.hash);
    world.outbox.beginEpoch(claim, world.time());
    await world.start();
    const id = realRandom.bytes(16);
    const media = await world.sealer.seal(claim, id, 'detail', { detail: {}, jpeg: null });
    const event = { id, phase: 'start', revision: 0 } as const;
    const record = world.outbox.append({ kind: 'motion', time: world.time(), event }, [media], claim.hash);
    expect(media.periodId).toBeUndefined();
    expect(record !== null && isVersionTwo(record.value)).toBe(false);
    expect(world.jobs).toEqual([]);
    // The tombstone of the epoch before has that epoch's version.
    const tombstone = world.records().find(({ value }) => value.kind === 'tombstone');
    expect(tombstone?.value).toMatchObject({ epoch: 1, version: 2 });
  });
});
