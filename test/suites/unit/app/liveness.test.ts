import { describe, expect, it } from 'vitest';
import { Liveness, SILENCE_MAX_MS } from '../../../../app/core/liveness.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { quietCloud, runPromises } from '../../../support/worlds/quiet-cloud.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** Returns the error's message once there is one; null until then. */
function outcome(work: Promise<unknown>): () => string | null {
  let seen: string | null = null;
  work.then(
    () => (seen = 'done'),
    (error: unknown) => (seen = error instanceof Error ? error.message : 'not an error'),
  );
  return () => seen;
}

describe('a wait for the cloud', () => {
  it('ends when nothing came for two pings, and not before', async () => {
    const clock = new VirtualClock();
    const liveness = new Liveness(clock);
    const seen = outcome(liveness.within(never()));
    await clock.run(SILENCE_MAX_MS - 1, SILENCE_MAX_MS - 1);
    expect(seen()).toBeNull();
    await clock.run(1);
    expect(seen()).toBe('nothing was heard from the cloud for 30 seconds');
    expect(liveness.heardAtMs).toBeNull();
    expect(await liveness.within(Promise.resolve(7))).toBe(7);
    expect(liveness.heardAtMs).toBe(clock.wallMs());
    expect(clock.pending).toBe(0);
  });

  it('ends at once when the device loses its network, even one without a limit', async () => {
    const clock = new VirtualClock();
    const liveness = new Liveness(clock);
    const waits = [liveness.within(never()), liveness.within(never(), Infinity)].map(outcome);
    liveness.networkLost();
    await clock.run(1);
    expect(waits.map((seen) => seen())).toEqual(['this device is offline', 'this device is offline']);
  });

  it('ends when the page is visible again and its limit passed unnoticed, or the cloud does not answer', async () => {
    const clock = new VirtualClock();
    const liveness = new Liveness(clock);
    let probes = 0;
    const asleep = outcome(liveness.within(never()));
    // A device that slept: the wall clock went on, the timers did not.
    clock.wallStartMs += SILENCE_MAX_MS + 1;
    await liveness.check(() => Promise.resolve(probes++));
    await runPromises();
    expect([asleep(), probes]).toEqual(['nothing was heard from the cloud for 30 seconds', 0]);

    const dead = outcome(liveness.within(never()));
    const checking = liveness.check(never);
    await clock.run(5000);
    await checking;
    await runPromises();
    expect(dead()).toBe('nothing was heard from the cloud for 5 seconds');
    // The control: a cloud that answers keeps the connection.
    const alive = outcome(liveness.within(never()));
    await liveness.check(() => Promise.resolve());
    await runPromises();
    expect(alive()).toBeNull();
  });

  it('pauses before the next attempt until the network is back', async () => {
    const clock = new VirtualClock();
    const liveness = new Liveness(clock);
    const { signal } = new AbortController();
    const pause = outcome(liveness.pause(60_000, signal));
    await clock.run(1000, 1000);
    expect(pause()).toBeNull();
    liveness.retryNow();
    await clock.run(1);
    expect(pause()).toBe('done');
    const full = outcome(liveness.pause(60_000, signal));
    await clock.run(60_000, 60_000);
    expect(full()).toBe('done');
  });
});

describe("an owner's session over a cloud that dies", () => {
  it('is live while pings come, and offline when two are missing', async () => {
    const clock = new VirtualClock();
    const { session, ping, die, streams } = quietCloud(clock);
    const stopping = new AbortController();
    const running = session.run(stopping.signal);
    await expect.poll(() => session.view().connection).toBe('live');
    for (let i = 0; i < 8; i++) {
      clock.advance(15_000);
      ping();
      await runPromises();
    }
    expect([session.view().connection, streams()]).toEqual(['live', 1]);
    die();
    clock.advance(SILENCE_MAX_MS);
    await expect.poll(() => session.view().connection).toBe('offline');
    expect(session.view().problem).toMatchObject({ code: 'cloud-unreachable' });
    // It stays so during the next attempts, which hang like the first.
    for (let i = 0; i < 8; i++) {
      clock.advance(5000);
      await runPromises();
      expect(session.view().connection).toBe('offline');
    }
    stopping.abort();
    await running;
  });

  it('is offline as soon as the device is, and connects when the network is back', async () => {
    const clock = new VirtualClock();
    const { session, liveness, streams } = quietCloud(clock);
    const stopping = new AbortController();
    const running = session.run(stopping.signal);
    await expect.poll(() => session.view().connection).toBe('live');
    liveness.networkLost();
    await expect.poll(() => session.view().connection).toBe('offline');
    expect(session.view().problem).toMatchObject({ message: 'this device is offline' });
    // No time passes: without the event the next attempt would wait for its delay.
    liveness.retryNow();
    await expect.poll(() => session.view().connection).toBe('live');
    expect(streams()).toBe(2);
    stopping.abort();
    await running;
  });

  it('does not wait for ever for an answer', async () => {
    const clock = new VirtualClock();
    const { client, die, live } = quietCloud(clock);
    await client.cameras();
    die();
    const code = asyncCodeOf(() => client.cameras());
    await runPromises();
    clock.advance(SILENCE_MAX_MS);
    expect(await code).toBe('cloud-unreachable');
    live();
    expect(await client.cameras()).toEqual([]);
  });
});
