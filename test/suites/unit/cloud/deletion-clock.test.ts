import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { CameraTimes } from '../../../../cloud/trust/camera-times.js';
import { LISTEN_MS } from '../../../../cloud/trust/deletion-clock.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { ClockWorld, DAY_MS, HOUR_MS, PERIOD_MS } from '../../../support/worlds/clock-world.js';

const store = () => openSqliteStore(join(tempFolder(), 'cloud.db'));

describe('the clock of deletions', () => {
  it('raises one alarm for one disagreement, logs the remedy once, and says when deletion goes on', async () => {
    const world = await ClockWorld.start(store());
    world.setClock(60 * DAY_MS);
    for (let i = 0; i < 3; i++) await world.deleteDue();
    expect(world.counters.get('alarms.clock')).toBe(1);
    expect(world.counters.get('alarms')).toBe(1);
    expect(await world.alarms()).toHaveLength(1);
    const errors = world.log.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ alarm: 'clock', verdict: 'clock-doubt' });
    expect(errors[0]?.msg).toMatch(/nothing is deleted by its age until they agree again.*time service/);
    world.setClock(0);
    await world.deleteDue();
    expect(world.deletionClock.reason).toBeNull();
    expect(world.log.at(-1)).toMatchObject({ level: 'info', msg: 'the clocks agree; deleting by age goes on' });
    // The control for the count: another disagreement is another alarm.
    world.setClock(-60 * DAY_MS);
    await world.deleteDue();
    expect(world.counters.get('alarms.clock')).toBe(2);
  });

  it('stamps by the wall clock while it agrees; in doubt, by the latest time that can be true', async () => {
    const world = await ClockWorld.start(store());
    const stamp = (): number => Math.round((world.deletionClock.receiveTimeMs() - world.trueMs) / DAY_MS);
    world.setClock(HOUR_MS);
    expect(world.deletionClock.receiveTimeMs()).toBe(world.trueMs + HOUR_MS);
    // Also before the cloud compared the clocks.
    world.setClock(-400 * DAY_MS);
    expect(stamp()).toBe(0);
    world.setClock(60 * DAY_MS);
    expect(stamp()).toBe(60);
    await world.deleteDue();
    expect(stamp()).toBe(60);
  });

  it('is not stopped for ever by cameras that all lie: after a whole period its own clocks decide', async () => {
    const world = await ClockWorld.start(store());
    const cameras = [await world.camera(), await world.camera('ntp', 90 * DAY_MS), await world.camera('unset')];
    for (let i = 0; i < 3; i++) cameras.push(await world.camera('ntp', 90 * DAY_MS));
    const speak = async (): Promise<number> => {
      for (const camera of cameras) await world.receive(camera, 1);
      return world.deleteDue();
    };
    await speak();
    expect(world.deletionClock.reason).toContain('4 of 5 cameras');
    world.pass(PERIOD_MS - DAY_MS);
    expect(await speak()).toBe(0);
    expect(world.deletionClock.reason).not.toBeNull();
    world.pass(2 * DAY_MS);
    expect(await speak()).toBeGreaterThan(0);
    expect(world.deletionClock.reason).toBeNull();
    world.pass(HOUR_MS);
    await speak();
    expect(world.deletionClock.reason).toBeNull();
  });

  it('hears of a later time that another worker stored', async () => {
    const world = await ClockWorld.start(store());
    await world.store.times.raise(world.trueMs + 10 * DAY_MS);
    await world.deleteDue();
    expect(world.deletionClock.reason).toContain('10 days behind the newest time stored');
  });

  it('hears a camera whose backlog comes first, and does not take it for a clock that is behind', async () => {
    const world = await ClockWorld.start(store());
    for (let i = 0; i < 3; i++) {
      const late = await world.camera('ntp', -10 * DAY_MS);
      await world.receive(late, 1);
    }
    await world.deleteDue();
    expect(world.deletionClock.reason).toBeNull();
    // The control: cameras that still say so after two health cadences are believed.
    world.pass(LISTEN_MS);
    await world.deleteDue();
    expect(world.deletionClock.reason).toContain('3 of 3 cameras');
  });

  it('goes by the earlier time where most cameras are behind within the tolerance', async () => {
    const world = await ClockWorld.start(store());
    const camera = await world.camera('unset');
    await world.receive(camera, 2);
    world.setClock(20 * HOUR_MS);
    world.pass(PERIOD_MS - 10 * HOUR_MS);
    const witnesses = [await world.camera(), await world.camera(), await world.camera()];
    expect(await world.deleteDue()).toBe(0);
    expect(world.deletionClock.reason).toBeNull();
    // The control: without them the clock counts, a few hours too early.
    world.pass(HOUR_MS + 1);
    expect(witnesses).toHaveLength(3);
    expect(await world.deleteDue()).toBe(1);
  });
});

describe('times of cameras', () => {
  it('counts the newest time of each camera, and forgets a camera that is silent', () => {
    const times = new CameraTimes(nodeSuite, realRandom.bytes(16));
    const [one, other] = [realRandom.bytes(32), realRandom.bytes(32)];
    times.observe(one, 5000, 0);
    times.observe(one, 1000, 10);
    times.observe(other, 4000, 10);
    expect(times.opinionOn(5000, 0, 500)).toEqual({ cameras: 2, agreeing: 1, later: 0, earlier: 1, medianMs: 3990 });
    expect(times.opinionOn(5000, 2 * HOUR_MS, 500)).toMatchObject({ cameras: 0, medianMs: null });
  });
});
