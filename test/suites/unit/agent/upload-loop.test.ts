import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { SealcamError } from '../../../../common/errors.js';
import {
  BODY_BYTES,
  hashOf,
  status,
  UPLOAD_WINDOW_MS,
  UploadWorld,
  type Answering,
} from '../../../support/worlds/upload-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How many of two bodies still wait after a server answered like this for ten minutes. */
async function leftAfter(answering: (world: UploadWorld) => Answering, ms = 10 * MINUTE_MS): Promise<UploadWorld> {
  const world = new UploadWorld();
  world.add();
  world.add();
  world.answering = answering(world);
  world.loop.connected();
  await world.pass(ms);
  return world;
}

describe('the upload loop', () => {
  it('brings the newest clip first, and lets a newer one go ahead of an older one that waits', async () => {
    const world = new UploadWorld({ bytesPerSecond: 10_000 });
    const old = [world.add(), world.add(), world.add(), world.add()];
    world.loop.connected();
    await world.pass(1000);
    const newer = [world.add(undefined, 0), world.add(undefined, 1)];
    world.loop.wake();
    await world.pass(10 * MINUTE_MS);
    const begun = world.asked.map(({ hash }) => hash);
    expect(begun).toHaveLength(6);
    const before = begun.indexOf(hashOf(newer[0] ?? new Uint8Array(0)));
    expect(before).toBeGreaterThan(0);
    expect(begun.slice(before, before + 2)).toEqual(newer.map(hashOf));
    expect(begun.filter((hash) => old.map(hashOf).includes(hash))).toEqual(old.map(hashOf));
    expect(world.waiting).toBe(0);
  });

  it('begins only while the uplink is connected', async () => {
    const world = new UploadWorld();
    world.add();
    world.uplink = { ...world.uplink, isConnected: false };
    world.loop.wake();
    await world.pass(HOUR_MS, MINUTE_MS);
    expect([world.asked.length, world.loop.status().state]).toEqual([0, 'offline']);
    world.uplink = { ...world.uplink, isConnected: true };
    world.loop.connected();
    await world.pass(MINUTE_MS);
    expect([world.waiting, world.loop.status().state]).toEqual([0, 'idle']);
  });

  describe('deletes on nothing but a verified receipt', () => {
    const stranger = new CameraWorld();
    const cases: readonly (readonly [string, (world: UploadWorld) => Answering])[] = [
      ['signed by another key', (w) => (_, body) => w.receipt(body, 'stored', {}, stranger.cloud)],
      ['of another epoch', (w) => (_, body) => w.receipt(body, 'stored', { epoch: 2 })],
      ['of another camera', (w) => (_, body) => w.receipt(body, 'stored', { device: stranger.deviceId })],
      ['of another claim', (w) => (_, body) => w.receipt(body, 'stored', { claimHash: realRandom.bytes(32) })],
      ['of another body', (w) => () => w.receipt(realRandom.bytes(32))],
      ['with a byte changed', (w) => (_, body) => flipped(w.receipt(body))],
      ['without a receipt', () => () => status(200)],
      ['404', () => () => status(404)],
      ['410', () => () => status(410)],
      ['a redirect', () => () => status(307)],
    ];
    it.each(cases)('%s', async (_, answering) => {
      const world = await leftAfter(answering, HOUR_MS);
      expect([world.waiting, world.refused]).toEqual([2, 0]);
      expect(world.asked.length).toBeGreaterThan(2);
      // Each failure has its wait: no server makes a camera bring a body on and on.
      expect(world.asked.length).toBeLessThan(60);
      // The same bodies leave once the answers are right.
      world.answering = (_upload, body) => world.stored(body);
      await world.pass(2 * HOUR_MS, MINUTE_MS);
      expect(world.waiting).toBe(0);
    });

    it('counts a forged receipt each time, and logs it once', async () => {
      const world = await leftAfter((w) => (_, body) => w.receipt(body, 'stored', {}, stranger.cloud), HOUR_MS);
      expect(world.counters.get('uploads.receipts-refused')).toBeGreaterThan(2);
      expect(world.log.filter(({ code }) => code === 'cloud-lied')).toHaveLength(2);
      expect(world.log.filter(({ level }) => level === 'error')).toHaveLength(1);
    });

    it('the honest one', async () => {
      const world = await leftAfter((w) => (_, body) => w.stored(body));
      expect([world.waiting, world.refused, world.counters.get('uploads.stored')]).toEqual([0, 0, 2]);
      expect(world.counters.get('uploads.bytes')).toBe(2 * BODY_BYTES);
    });

    it('a refusal, as a loss', async () => {
      const world = await leftAfter((w) => (_, body) => w.receipt(body, 'quota'));
      expect([world.waiting, world.refused]).toEqual([0, 2]);
    });
  });

  describe('after a failure', () => {
    it('waits as long as the server asks, within the bounds of the window', async () => {
      const gaps = async (retryAfterMs: number): Promise<number> => {
        const world = new UploadWorld();
        world.add();
        world.answering = () => status(503, retryAfterMs);
        world.loop.connected();
        await world.pass(2 * HOUR_MS, 250);
        const [first, second] = world.asked;
        return (second?.atMs ?? Infinity) - (first?.atMs ?? 0);
      };
      expect(await gaps(60_000)).toBeCloseTo(60_000, -3);
      expect(await gaps(0)).toBeCloseTo(5000, -3);
      // A day: the longest window, which the jitter is within.
      expect(await gaps(86_400_000)).toBeCloseTo(720_000, -3);
    });

    it('waits longer each time while the server is busy, up to the longest window', async () => {
      const world = new UploadWorld();
      world.add();
      world.answering = () => status(503);
      world.loop.connected();
      await world.pass(2 * HOUR_MS);
      const gaps = world.asked.map(({ atMs }, i) => atMs - (world.asked[i - 1]?.atMs ?? atMs)).slice(1);
      expect(gaps[0]).toBeGreaterThanOrEqual(2 * UPLOAD_WINDOW_MS);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(900_000 + 2000);
      expect(gaps.length).toBeLessThan(12);
    });

    it('an hour without a server costs few requests, and loses nothing', async () => {
      const world = new UploadWorld();
      for (let i = 0; i < 40; i++) world.add();
      world.answering = () => Promise.reject(new SealcamError('cloud-unreachable', 'no route'));
      world.loop.connected();
      await world.pass(HOUR_MS);
      expect([world.waiting, world.loop.status().state]).toEqual([40, 'waiting']);
      expect(world.asked.length).toBeLessThan(40);
      expect(world.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
      world.answering = (_, body) => world.stored(body);
      await world.pass(HOUR_MS);
      expect([world.waiting, world.loop.status()]).toEqual([0, { state: 'idle', nextAttemptMs: null, held: 0 }]);
      expect(world.log.at(-1)?.msg).toBe('clips are uploaded again');
    });

    it('waits less when the window that the cloud set is shorter', async () => {
      const world = new UploadWorld();
      world.uplink = { ...world.uplink, windowMs: 1000 };
      world.add();
      world.answering = () => status(500);
      world.loop.connected();
      await world.pass(MINUTE_MS, 100);
      expect(world.asked.length).toBeGreaterThan(30);
    });
  });

  describe('a body that the cloud does not expect', () => {
    it('waits longer each time, and the others go on', async () => {
      const world = new UploadWorld();
      const missing = world.add();
      for (let i = 0; i < 5; i++) world.add();
      world.answering = (_, body) => (body === missing ? status(404) : world.stored(body));
      world.loop.connected();
      await world.pass(5 * MINUTE_MS);
      expect([world.waiting, world.loop.status().held]).toEqual([1, 1]);
      await world.pass(12 * HOUR_MS, 10_000);
      const times = world.asked.filter(({ hash }) => hash === hashOf(missing)).map(({ atMs }) => atMs);
      const gaps = times.map((atMs, i) => atMs - (times[i - 1] ?? atMs)).slice(1);
      expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
      expect(gaps.at(-1)).toBeGreaterThan(HOUR_MS / 2);
      expect(world.waiting).toBe(1);
      // The record has come back to the cloud.
      world.answering = (_, body) => world.stored(body);
      await world.pass(2 * HOUR_MS, MINUTE_MS);
      expect([world.waiting, world.loop.status().held]).toEqual([0, 0]);
    });

    it('lets all wait when the cloud expects none: it was restored from a backup', async () => {
      const world = new UploadWorld();
      for (let i = 0; i < 1000; i++) world.add();
      world.answering = () => status(404);
      world.loop.connected();
      await world.pass(HOUR_MS, 250);
      expect(world.asked.length).toBeLessThan(60);
      expect(world.waiting).toBe(1000);
    });
  });

  it('passes over a body that is damaged', async () => {
    const world = new UploadWorld();
    const bodyHash = nodeSuite.sha256(new Uint8Array(1));
    world.queue.push({
      epoch: 1,
      bodyHash,
      length: 1,
      // As the outbox does: it signs a loss, and the body is no longer handed out.
      read: () => {
        world.queue.shift();
        return null;
      },
    });
    world.add();
    world.loop.connected();
    await world.pass(MINUTE_MS);
    expect([world.waiting, world.counters.get('uploads.stored')]).toEqual([0, 1]);
  });

  it('does not call it a lie when a receipt comes for an epoch that ended meanwhile', async () => {
    const world = new UploadWorld();
    world.add(undefined, 0, 2);
    world.answering = (_, body) => {
      world.queue.splice(0);
      return world.receipt(body, 'stored', { epoch: 2 });
    };
    world.loop.connected();
    await world.pass(MINUTE_MS);
    expect([world.asked.length, world.log]).toEqual([1, []]);
  });

  it('goes on after a restart with what is left', async () => {
    const world = new UploadWorld({ bytesPerSecond: 10_000 });
    for (let i = 0; i < 6; i++) world.add();
    world.loop.connected();
    await world.pass(10_000);
    world.loop.stop();
    const left = world.waiting;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(6);
    await world.pass(HOUR_MS, MINUTE_MS);
    expect(world.waiting).toBe(left);
    world.restarted().connected();
    await world.pass(MINUTE_MS);
    expect([world.waiting, world.asked.length]).toEqual([0, 6]);
  });

  it('gives way to live records, but not until the cloud would cut the body', async () => {
    const world = new UploadWorld({ bytesPerSecond: 10_000_000 });
    world.add();
    world.uplink = { ...world.uplink, isSendingLive: true };
    world.loop.connected();
    await world.pass(500, 50);
    expect(world.waiting).toBe(1);
    world.uplink = { ...world.uplink, isSendingLive: false };
    await world.pass(100, 50);
    expect(world.waiting).toBe(0);
    world.uplink = { ...world.uplink, isSendingLive: true };
    world.add();
    world.loop.wake();
    await world.pass(2000, 50);
    expect(world.waiting).toBe(0);
  });
});

describe('the pace of uploads', () => {
  it('is half of what the line carries', async () => {
    const world = new UploadWorld();
    const lineBytesPerMs = 100;
    for (let i = 0; i < 100; i++) world.add();
    world.answering = (_, body) =>
      new Promise((resolve) => {
        world.clock.after(body.length / lineBytesPerMs, () => {
          resolve(world.stored(body));
        });
      });
    // One after the other, as on a line that two uploads share.
    world.loop.connected();
    const fromMs = world.clock.monotonicMs();
    for (let i = 0; i < 10_000 && world.waiting > 0; i++) await world.pass(100, 20);
    const bytesPerMs = (100 * BODY_BYTES) / (world.clock.monotonicMs() - fromMs);
    expect(bytesPerMs).toBeLessThan(2 * lineBytesPerMs * 0.6);
    expect(bytesPerMs).toBeGreaterThan(lineBytesPerMs * 0.4);
  });

  it('is what the setting says, and saves up no more than the beginning of a clip', async () => {
    const world = new UploadWorld({ bytesPerSecond: 10_000 });
    world.loop.connected();
    await world.pass(HOUR_MS, MINUTE_MS);
    for (let i = 0; i < 40; i++) world.add();
    world.loop.wake();
    await world.pass(10_000);
    const atOnce = world.asked.length;
    expect(atOnce * BODY_BYTES).toBeLessThan(1_300_000);
    expect(atOnce * BODY_BYTES).toBeGreaterThan(900_000);
    const before = world.asked.length;
    await world.pass(60_000);
    expect((world.asked.length - before) * BODY_BYTES).toBeLessThan(60 * 10_000 + 2 * BODY_BYTES);
  });

  it('starts with nothing saved up when the uplink returns', async () => {
    const world = new UploadWorld({ bytesPerSecond: 10_000 });
    await world.pass(HOUR_MS, MINUTE_MS);
    for (let i = 0; i < 40; i++) world.add();
    world.loop.connected();
    await world.pass(2000);
    expect(world.asked.length).toBeLessThan(3);
  });
});

function flipped(answer: ReturnType<UploadWorld['stored']>): ReturnType<UploadWorld['stored']> {
  const receipt = new Uint8Array(answer.receipt ?? []);
  receipt[receipt.length - 1] = (receipt.at(-1) ?? 0) ^ 1;
  return { ...answer, receipt };
}
