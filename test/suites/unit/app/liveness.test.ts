import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { CloudClient, type PageFetch } from '../../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { Liveness, SILENCE_MAX_MS } from '../../../../app/core/liveness.js';
import { ownerKeys } from '../../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const ORIGIN = 'https://cloud.example';
const never = (): Promise<never> => new Promise(() => undefined);

/** Lets promises and streams that can go on do so. Nothing here waits for anything outside of this process. */
async function runPromises(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

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

/** A cloud whose stream the test writes, and whose requests it can leave unanswered. */
function cloudOf(clock: VirtualClock) {
  const body: { write: (text: string) => void } = { write: () => undefined };
  let isDead = false;
  let streams = 0;
  const answers: Readonly<Record<string, unknown>> = {
    '/v1/session/challenge': { cloudOrigin: ORIGIN, nonce: 'ab'.repeat(32), expiresAtMs: clock.wallMs() + 60_000 },
    '/v1/session': { token: 't', expiresAtMs: clock.wallMs() + 86_400_000 },
    '/v1/cameras': { cameras: [] },
  };
  const fetch: PageFetch = (url) => {
    const { pathname } = new URL(url);
    if (isDead) return never();
    if (pathname !== '/v1/stream') return Promise.resolve(Response.json(answers[pathname]));
    streams++;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body.write = (text) => {
          controller.enqueue(new TextEncoder().encode(text));
        };
        body.write('event: ready\ndata: {}\n\n');
      },
    });
    return Promise.resolve(new Response(stream));
  };
  const liveness = new Liveness(clock);
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const client = new CloudClient({
    suite: nodeSuite,
    clock,
    keys,
    cloudOrigin: ORIGIN,
    pageOrigin: ORIGIN,
    fetch,
    liveness,
  });
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), new CameraWorld().recipient);
  const session = new OwnerSession({ client, history, clock, random: realRandom, liveness });
  return {
    client,
    session,
    liveness,
    ping: () => {
      body.write(': ping\n\n');
    },
    die: () => (isDead = true),
    live: () => (isDead = false),
    streams: () => streams,
  };
}

describe("an owner's session over a cloud that dies", () => {
  it('is live while pings come, and offline when two are missing', async () => {
    const clock = new VirtualClock();
    const { session, ping, die, streams } = cloudOf(clock);
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
    stopping.abort();
    await running;
  });

  it('is offline as soon as the device is, and connects when the network is back', async () => {
    const clock = new VirtualClock();
    const { session, liveness, streams } = cloudOf(clock);
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
    const { client, die, live } = cloudOf(clock);
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
