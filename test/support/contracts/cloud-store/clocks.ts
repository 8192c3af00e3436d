import { describe, expect, it } from 'vitest';
import { CAMERAS_TO_CONTRADICT, LISTEN_MS } from '../../../../cloud/trust/deletion-clock.js';
import { asyncCodeOf } from '../../codes.js';
import { ClockWorld, DAY_MS, HOUR_MS, PERIOD_MS } from '../../worlds/clock-world.js';
import type { OpenStore } from './world.js';

const BACK = -400 * DAY_MS;
const AHEAD = 60 * DAY_MS;

/** How the clock of the trial is set: while the process runs, or between two runs of it. */
const SETTINGS = [
  {
    name: 'while the process runs',
    witness: 'the monotonic clock of this process',
    set: (world: ClockWorld, errorMs: number): void => {
      world.setClock(errorMs);
    },
  },
  {
    name: 'over restarts of the process',
    witness: 'the newest time stored',
    set: (world: ClockWorld, errorMs: number): Promise<void> => world.restart(errorMs),
  },
] as const;

/** What the clock trial sees. */
interface Seen {
  /** Records deleted while the clock was wrong. */
  readonly whileWrong: number;
  /** Records that are gone at the end although they are not due, and such as are due and still there. */
  readonly lost: number;
  readonly overdue: number;
  readonly alarms: readonly string[];
}

/**
 * The clock trial: 20 records that are due soon, 20 young ones, then 20 received while the clock is 400 days back and 20
 * while it is 60 days ahead, half of each from a camera under network time and half from one without. Two cameras
 * without a clock are claimed on those days. Then the clock is right, and the first 20 are due.
 */
async function clockTrial(world: ClockWorld, set: (typeof SETTINGS)[number]['set']): Promise<Seen> {
  const cameras = [await world.camera('ntp'), await world.camera('unset')] as const;
  const receive = async (): Promise<readonly number[]> => {
    const seqs = await world.receive(cameras[0], 10);
    await world.receive(cameras[1], 10);
    return seqs;
  };
  const due = [...(await receive())];
  await world.live(PERIOD_MS - DAY_MS);
  const kept = [...(await receive())];
  const newcomers: Awaited<ReturnType<ClockWorld['camera']>>[] = [];
  let whileWrong = await world.deleteDue();
  for (const errorMs of [BACK, AHEAD]) {
    await set(world, errorMs);
    whileWrong += await world.deleteDue();
    kept.push(...(await receive()));
    const newcomer = await world.camera('unset');
    await world.receive(newcomer, 10);
    newcomers.push(newcomer);
    whileWrong += await world.live(DAY_MS);
  }
  await set(world, 0);
  await world.deleteDue();
  const left = [await world.seqsOf(cameras[0]), await world.seqsOf(cameras[1])];
  const count = (seqs: readonly number[], isLeft: boolean): number =>
    left.reduce((sum, stored) => sum + seqs.filter((seq) => stored.includes(seq) === isLeft).length, 0);
  let ofNewcomers = 0;
  for (const camera of newcomers) ofNewcomers += 10 - (await world.seqsOf(camera)).length;
  return {
    whileWrong,
    lost: count(kept, false) + ofNewcomers,
    overdue: count(due, true),
    alarms: await world.alarms(),
  };
}

/** Deletion by age, under clocks that are wrong. */
export function clocksContract(open: OpenStore): void {
  describe('clock trial: 400 days back, 60 days ahead, then right', () => {
    for (const { name, witness, set } of SETTINGS) {
      it(`${name}: deletes no record that is not due, raises alarms, and deletes what is due`, async () => {
        const world = await ClockWorld.start(await open());
        const { alarms, ...seen } = await clockTrial(world, set);
        expect(seen).toEqual({ whileWrong: 0, lost: 0, overdue: 0 });
        expect(alarms).toHaveLength(2);
        expect(alarms[0]).toContain(`400 days behind ${witness}`);
        expect(alarms[1]).toContain(`60 days ahead of ${witness}`);
        expect(world.deletionClock.reason).toBeNull();
        await world.store.close();
      });

      it(`${name}, without the guard (control): records are lost`, async () => {
        const world = await ClockWorld.start(await open(), 0, { isGuarded: false });
        const { whileWrong, lost } = await clockTrial(world, set);
        expect(whileWrong).toBeGreaterThan(0);
        // All of the camera without network time but the newest: those of the wrong clock, and the young ones.
        expect(lost).toBeGreaterThanOrEqual(19);
        await world.store.close();
      });

      it(`${name}: everything of those days is deleted when it is due, and no row stays`, async () => {
        const world = await ClockWorld.start(await open());
        const cameras = [await world.camera('ntp'), await world.camera('unset')];
        for (const errorMs of [0, BACK, AHEAD, 0]) {
          await set(world, errorMs);
          for (const camera of cameras) await world.receive(camera, 5);
          await world.deleteDue();
        }
        for (const camera of cameras) expect(await world.seqsOf(camera)).toHaveLength(20);
        world.pass(PERIOD_MS - DAY_MS);
        expect(await world.deleteDue()).toBe(0);
        world.pass(2 * DAY_MS);
        await world.deleteDue();
        for (const camera of cameras) expect(await world.seqsOf(camera)).toEqual([20]);
        await world.store.close();
      });
    }
  });

  it('keeps what a new cloud received while its clock was 400 days back, by the signed times of the records', async () => {
    const world = await ClockWorld.start(await open(), BACK);
    const camera = await world.camera('ntp');
    await world.receive(camera, 19);
    await world.restart(0);
    expect(await world.deleteDue()).toBe(0);
    expect(world.deletionClock.reason).toContain('400 days ahead of the newest time stored');
    // The camera goes on and confirms the clock; then deletion goes on, and takes none of them.
    await world.receive(camera, 1);
    world.pass(LISTEN_MS);
    await world.receive(camera, 1);
    await world.deleteDue();
    expect(world.deletionClock.reason).toBeNull();
    expect(await world.seqsOf(camera)).toHaveLength(21);
    world.pass(PERIOD_MS + HOUR_MS);
    await world.receive(camera, 1);
    await world.deleteDue();
    expect(await world.seqsOf(camera)).toEqual([22]);
    await world.store.close();
  });

  it('keeps what it received before a jump, by the monotonic clock, also of a camera without a clock', async () => {
    const world = await ClockWorld.start(await open(), BACK);
    const camera = await world.camera('unset');
    const witness = await world.camera('ntp');
    await world.receive(camera, 10);
    world.setClock(0);
    await world.receive(witness, 1);
    world.pass(LISTEN_MS);
    await world.receive(witness, 1);
    expect(await world.deleteDue()).toBe(0);
    expect(world.deletionClock.reason).toBeNull();
    expect(await world.seqsOf(camera)).toHaveLength(10);
    world.pass(PERIOD_MS + HOUR_MS);
    await world.deleteDue();
    expect(await world.seqsOf(camera)).toEqual([10]);
    await world.store.close();
  });

  it('takes a clock that no camera confirms as right once a whole period has passed: no stop is for ever', async () => {
    const world = await ClockWorld.start(await open(), BACK);
    const camera = await world.camera('unset');
    await world.receive(camera, 5);
    await world.restart(0);
    await world.deleteDue();
    world.pass(PERIOD_MS - DAY_MS);
    expect(await world.deleteDue()).toBe(0);
    expect(await world.seqsOf(camera)).toHaveLength(5);
    world.pass(2 * DAY_MS);
    expect(await world.deleteDue()).toBe(4);
    expect(world.deletionClock.reason).toBeNull();
    await world.store.close();
  });

  it('goes on after a newest time that was too late once most cameras confirm the clock', async () => {
    const world = await ClockWorld.start(await open(), AHEAD);
    const camera = await world.camera('ntp');
    await world.receive(camera, 5);
    await world.restart(0);
    expect(world.deletionClock.reason).toContain('60 days behind the newest time stored');
    world.pass(LISTEN_MS);
    await world.receive(camera, 5);
    await world.deleteDue();
    expect(world.deletionClock.reason).toBeNull();
    expect(await world.store.records.bounds(camera.world.deviceId, 1)).toMatchObject({
      lastReceivedAtMs: expect.closeTo(world.trueMs, -6) as number,
    });
    world.pass(PERIOD_MS + HOUR_MS);
    await world.deleteDue();
    expect(await world.seqsOf(camera)).toEqual([10]);
    await world.store.close();
  });

  it('accepts a night without the cloud, but asks cameras after two months without it', async () => {
    const world = await ClockWorld.start(await open());
    const camera = await world.camera();
    world.trueMs += 9 * HOUR_MS;
    await world.restart();
    expect(world.deletionClock.reason).toBeNull();
    await world.receive(camera, 3);
    world.trueMs += 2 * PERIOD_MS;
    await world.restart();
    expect(await world.deleteDue()).toBe(0);
    world.pass(LISTEN_MS);
    await world.receive(camera, 1);
    expect(await world.deleteDue()).toBe(3);
    await world.store.close();
  });

  it('holds a record whose own signed time is young, and what follows it in its epoch, but no other camera', async () => {
    const world = await ClockWorld.start(await open());
    const [future, other] = [await world.camera('ntp'), await world.camera('ntp')];
    future.errorMs = 20 * DAY_MS;
    for (const camera of [future, other]) await world.receive(camera, 1);
    future.errorMs = 0;
    for (const camera of [future, other]) await world.receive(camera, 2);
    world.pass(PERIOD_MS + HOUR_MS);
    // The second time the store knows already which record stays.
    for (let i = 0; i < 2; i++) await world.deleteDue();
    expect(await world.seqsOf(future)).toEqual([1, 2, 3]);
    expect(await world.seqsOf(other)).toEqual([3]);
    world.pass(20 * DAY_MS);
    await world.deleteDue();
    expect(await world.seqsOf(future)).toEqual([3]);
    await world.store.close();
  });

  it('gives no weight to a signed time that lies in the future: such a record is due by its receipt', async () => {
    const world = await ClockWorld.start(await open());
    const camera = await world.camera('ntp', Number.MAX_SAFE_INTEGER - world.trueMs - 400 * DAY_MS);
    await world.receive(camera, 3);
    world.pass(PERIOD_MS + HOUR_MS);
    await world.deleteDue();
    expect(await world.seqsOf(camera)).toEqual([3]);
    await world.store.close();
  });

  it(`lets ${String(CAMERAS_TO_CONTRADICT)} cameras put a clock in doubt that nothing else contradicts, and goes by their time`, async () => {
    const world = await ClockWorld.start(await open(), BACK);
    const cameras = [await world.camera(), await world.camera(), await world.camera('unset')];
    expect(world.deletionClock.reason).toBeNull();
    await world.deleteDue();
    cameras.push(await world.camera());
    await world.deleteDue();
    expect(world.deletionClock.reason).toMatch(/this clock says 2025-\S+, 3 of 3 cameras say about 2026-11-21T/);
    expect(Math.abs(world.deletionClock.receiveTimeMs() - world.trueMs)).toBeLessThan(HOUR_MS);
    await world.store.close();
  });

  it('keeps the newest time, which only rises', async () => {
    const store = await open();
    expect(await store.times.newest()).toBeNull();
    await store.times.raise(2000);
    await store.times.raise(1000);
    expect(await store.times.newest()).toBe(2000);
    await store.times.raise(3000);
    expect(await store.times.newest()).toBe(3000);
    await store.close();
    expect(await asyncCodeOf(() => store.times.newest())).toBe('store-unavailable');
  });
}
