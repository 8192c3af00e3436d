import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mosquitto } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { seqsOf, WholeWay } from '../../support/worlds/whole-way.js';
import { ImageCamera, volume } from './camera.js';
import { imageConfig, inImage } from './support.js';

const EVENTS = 2;
let way: WholeWay;

beforeEach(async () => {
  way = await WholeWay.prepare(mosquitto);
});

afterEach(() => way.stopAll());

it('the image with its mock camera is claimed, and its owner opens verified events', async () => {
  await way.broker.start();
  const cloud = await way.startCloud();
  const data = volume(way.folder, 'volume');
  // The emulator draws about three pictures of the mock's scene a second.
  const environment = { SEALCAM_CAMERA_FRAMES_PER_SECOND: '3', SEALCAM_MOTION_MIN_DURATION: '0 ms' };
  const camera = await ImageCamera.start(way, { data, environment });
  const { watcher, opened } = way.watch(cloud);
  expect(await watcher.claim(camera.code)).toBe(camera.device);
  await until(`${String(EVENTS)} events are opened`, () => opened.length >= EVENTS, 150_000);

  expect(opened.every(({ event, device }) => event.verdict === 'intact' && device === camera.device)).toBe(true);
  expect(opened.every(({ jpegBytes }) => jpegBytes > 1000)).toBe(true);
  expect(watcher.alarms()).toBe(0);
  const seqs = await seqsOf(cloud, camera.device);
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i));
  expect(camera.log.filter(({ level }) => level === 'error')).toEqual([]);

  // User and capabilities, as the kernel knows them.
  const status = readFileSync(`/proc/${String(camera.pid)}/status`, 'utf8');
  expect(status).toMatch(new RegExp(`^Uid:\\s+${imageConfig.User.split(':')[0] ?? ''}\\b`, 'm'));
  expect(status).toMatch(/^CapPrm:\s+0+\nCapEff:\s+0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  // It writes to its volume, and other users can read nothing of that.
  const files = readdirSync(data).filter((name) => statSync(join(data, name)).isFile());
  expect(files).toContain('outbox.db');
  expect(files.filter((name) => (statSync(join(data, name)).mode & 0o077) !== 0)).toEqual([]);

  // The image's health check, while the agent runs and after it stopped.
  const healthy = await inImage(['/usr/lib/sealcam/healthy'], { data, environment });
  expect([healthy.status, healthy.stdout.toString()]).toEqual([0, '']);
  await camera.stop();
  expect(camera.logged('sealcam stopped')).toHaveLength(1);
  expect((await inImage(['/usr/lib/sealcam/healthy'], { data, environment })).status).toBe(1);
});
