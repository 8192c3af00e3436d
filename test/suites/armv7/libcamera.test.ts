import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JpegSplitter } from '../../../hal/jpeg-splitter.js';
import { jpegSize } from '../../../hal/image.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { tempFolder } from '../../support/runner/temp.js';
import { repository } from '../../support/vectors.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';
import { ImageCamera, volume } from './camera.js';
import { built, imageConfig, inImage, type Run } from './support.js';

/** An empty porch, a person who walks by, an empty porch; the virtual pipeline shows each picture four times. */
const SCENE_PICTURES = 28;
const SCENE_STEP_MS = 400;
const FRAMES = 4 * SCENE_PICTURES;

/** Draws pictures in which a person walks by, for libcamera's virtual pipeline. */
async function drawScene(folder: string): Promise<void> {
  mkdirSync(folder);
  const renderer = new SceneRenderer(buildScript('porch', 'walk', 11));
  for (let i = 0; i < SCENE_PICTURES; i++) {
    const { jpeg } = await renderer.render(i * SCENE_STEP_MS);
    writeFileSync(join(folder, `${String(i).padStart(4, '0')}.jpg`), jpeg);
  }
}

async function prepare(folder: string): Promise<Run & { readonly work: string }> {
  const work = volume(folder, 'work');
  await drawScene(join(work, 'scene'));
  copyFileSync(built.shim, join(work, 'udmabuf.so'));
  const pipeline = join(folder, 'pipeline');
  mkdirSync(join(pipeline, 'virtual'), { recursive: true });
  copyFileSync(
    join(repository, 'test', 'suites', 'armv7', 'libcamera', 'virtual.yaml'),
    join(pipeline, 'virtual', 'virtual.yaml'),
  );
  spawnSync('chown', ['-R', imageConfig.User, work]);
  return {
    data: volume(folder, 'volume'),
    work,
    pipeline,
    environment: { LD_PRELOAD: '/tmp/share/udmabuf.so', LIBCAMERA_LOG_LEVELS: '*:DEBUG', LIBCAMERA_LOG_NO_COLOR: '1' },
  };
}

function stream(frames: number): readonly string[] {
  const caps = 'video/x-raw,format=NV12,width=640,height=480';
  const buffers = ['identity', `eos-after=${String(frames)}`];
  return [
    '/usr/bin/gst-launch-1.0',
    '-q',
    'libcamerasrc',
    '!',
    caps,
    '!',
    ...buffers,
    '!',
    'jpegenc',
    '!',
    'fdsink',
    'fd=1',
  ];
}

describe('libcamera in the image', () => {
  let way: WholeWay;

  beforeEach(async () => {
    way = await WholeWay.prepare(mosquitto);
  });

  afterEach(() => way.stopAll());

  it('gives real frames, which the agent records and the owner opens', async () => {
    const run = await prepare(tempFolder());
    const { stdout, stderr, seconds } = await inImage(stream(FRAMES), run, 100_000);
    const version = /libcamera v[\d.]+/.exec(stderr)?.[0] ?? stderr;
    const pipeline = /Pipeline handler "(\w+)" matched/.exec(stderr)?.[1];
    const splitter = new JpegSplitter();
    const jpegs = splitter.push(stdout);
    console.log(
      `${version}, pipeline ${pipeline ?? 'unknown'}: ${String(jpegs.length)} JPEG frames in ${seconds.toFixed(1)} s`,
    );
    expect(version).toMatch(/^libcamera v0\.4/);
    expect(pipeline).toBe('virtual');
    expect(jpegs.length).toBeGreaterThanOrEqual(FRAMES - 1);
    expect(jpegSize(jpegs[0] ?? new Uint8Array())).toEqual({ width: 640, height: 480 });

    // They show the scene: as many different pictures as were drawn.
    expect(new Set(jpegs.map((jpeg) => Buffer.from(jpeg).toString('base64'))).size).toBe(SCENE_PICTURES);

    // The same through the agent's own driver.
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = await ImageCamera.start(way, {
      ...run,
      environment: {
        ...run.environment,
        SEALCAM_CAMERA_DRIVER: 'libcamera',
        SEALCAM_CAMERA_FRAMES_PER_SECOND: '5',
      },
    });
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(camera.code);
    await until('an event with a frame of libcamera is opened', () => opened.length >= 1, 100_000);
    expect(opened[0]?.event.verdict).toBe('intact');
    expect(watcher.alarms()).toBe(0);
  });
});
