import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CameraLoop } from '../../../agent/capture/camera-loop.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { Counters } from '../../../common/counters.js';
import type { Log } from '../../../common/log.js';
import { ChildCamera, type CameraCommands } from '../../../hal/linux/child-camera.js';
import { usersOf } from '../../../hal/linux/device-users.js';
import { LibcameraCommands } from '../../../hal/linux/libcamera.js';
import { V4l2Commands } from '../../../hal/linux/v4l2.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';
import { HELLO_LIST, StandIns } from '../../support/engines/stand-ins.js';
import { makeFrames } from '../../support/engines/video.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const never = new AbortController().signal;
const STREAM = 'while :; do for f in "$here"/frames/*.jpg; do cat "$f" || exit 0; sleep 0.1; done; done';

/** A camera whose program does `first` in its first run and streams in the next ones. */
async function faulty(first: string, users: readonly string[] = []): Promise<{ stand: StandIns; camera: ChildCamera }> {
  const stand = new StandIns();
  await makeFrames(stand.folder, 3);
  const once = `echo $$ >> "$here/pids"; if ! [ -e "$here/ran" ]; then touch "$here/ran"; ${first}; fi`;
  stand.add('cam-stream', `${once}\n${STREAM}`);
  const commands: CameraCommands = {
    driver: 'libcamera',
    plan: () =>
      Promise.resolve({
        model: 'stand-in',
        width: SCENE_WIDTH,
        height: SCENE_HEIGHT,
        framesPerSecond: 10,
        command: { program: stand.path('cam-stream'), args: [] },
        installHint: '',
        mayDeliverMore: false,
      }),
    deviceUsers: () => Promise.resolve(users),
  };
  return { stand, camera: new ChildCamera(commands, realClock) };
}

interface Watched {
  readonly counters: Counters;
  readonly messages: string[];
  readonly stalls: number[];
  frames: number;
  stop(): Promise<void>;
}

function watch(camera: ChildCamera): Watched {
  const counters = new Counters();
  const controller = new AbortController();
  const messages: string[] = [];
  const stalls: number[] = [];
  const note: Log['error'] = (_, message) => messages.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const out: Watched = {
    counters,
    messages,
    stalls,
    frames: 0,
    stop: async () => {
      controller.abort();
      await done;
    },
  };
  const loop = new CameraLoop({
    camera,
    clock: realClock,
    counters,
    log,
    onOpen: () => undefined,
    onFrame: () => {
      out.frames++;
      return Promise.resolve();
    },
    onEnd: () => undefined,
    onSilence: () => undefined,
    onStall: (silentMs) => stalls.push(silentMs),
  });
  const done = loop.run(controller.signal);
  return out;
}

function pids(stand: StandIns): number[] {
  const path = stand.path('pids');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs a camera until it streams again after its fault. Returns its log. No process may be left. */
async function watchRecovery(first: string, users: readonly string[] = []): Promise<Watched> {
  const { stand, camera } = await faulty(first, users);
  const watched = watch(camera);
  await until('a second run', () => pids(stand).length >= 2);
  const { frames } = watched;
  await until('frames again', () => watched.frames > frames + 2);
  await watched.stop();
  await until('the end of every process', () => !pids(stand).some(isAlive));
  return watched;
}

/** Noticed after five seconds, and not much later. */
function expectStallSeconds(found: RegExpExecArray | null): void {
  const seconds = Number(found?.[1]);
  expect(seconds).toBeGreaterThanOrEqual(5);
  expect(1000 * seconds).toBeLessThanOrEqual(limitMs(8000));
}

describe('a camera that', () => {
  it('ends with an error is restarted, and its last error output is logged', async () => {
    const { messages } = await watchRecovery('echo "sensor timeout" >&2; exit 3');
    expect(messages.join()).toContain('cam-stream ended with status 3: sensor timeout');
  });

  it('is killed is restarted', async () => {
    const { stand, camera } = await faulty('true');
    const watched = watch(camera);
    await until('frames', () => watched.frames > 2);
    process.kill(pids(stand)[0] ?? 0, 'SIGKILL');
    await until('a second run', () => pids(stand).length === 2);
    const { frames } = watched;
    await until('frames again', () => watched.frames > frames + 2);
    await watched.stop();
    expect(watched.messages.join()).toContain('ended by SIGKILL');
    expect(watched.counters.get('camera.camera-ended')).toBe(1);
  });

  it('goes silent is killed with all that it started, even if it ignores SIGTERM, and restarted', async () => {
    const { messages, stalls } = await watchRecovery(
      'trap "" TERM; cat "$here/frames/frame0.jpg"; sleep 600 & echo $! >> "$here/pids"; sleep 600',
    );
    expectStallSeconds(/delivered nothing for (\d+) s/.exec(messages.join()));
    expect(stalls).toHaveLength(1);
    expect(stalls[0]).toBeGreaterThan(5000);
  });

  it('floods bytes that are not a JPEG is killed and restarted', async () => {
    const { messages } = await watchRecovery('exec cat /dev/zero');
    expect(messages.join()).toMatch(/delivered \d+ bytes, and no JPEG/);
  });

  it('drips bytes that are not a JPEG is killed after 5 s and restarted', async () => {
    const { messages } = await watchRecovery('while echo nonsense; do sleep 0.2; done');
    expectStallSeconds(/delivered \d+ bytes in (\d+) s, and no JPEG/.exec(messages.join()));
  });

  it('is busy is reported with its user, and streams when it is free', async () => {
    const busy = 'echo "ERROR: Pipeline handler in use by another process" >&2; exit 255';
    const { messages } = await watchRecovery(busy, ['motion (pid 812)']);
    expect(messages).toContain('the camera is busy, used by motion (pid 812)');
  });

  it('is read slowly loses its oldest frames, in bounded memory, and their numbers', async () => {
    const { camera } = await faulty('true');
    await camera.open(never);
    const indices: number[] = [];
    for await (const { index } of camera.frames(never)) {
      indices.push(index);
      await new Promise((resolve) => setTimeout(resolve, indices.length === 1 ? 1500 : 0));
      if (indices.length === 6) break;
    }
    await camera.close();
    expect((indices[1] ?? 0) - (indices[0] ?? 0)).toBeGreaterThan(5);
    expect(indices).toEqual([...indices].sort((a, b) => a - b));
  });
});

describe('a camera that is not there', () => {
  it('streams as soon as it is plugged in, and the silence until then is reported', async () => {
    const stand = new StandIns();
    await makeFrames(stand.folder, 3);
    stand.add('rpicam-hello', 'echo "No cameras available!"');
    stand.add('rpicam-vid', STREAM);
    const options = {
      width: SCENE_WIDTH,
      height: SCENE_HEIGHT,
      framesPerSecond: 10,
      device: '',
      clock: realClock,
      withVideo: false,
    };
    const watched = watch(new ChildCamera(new LibcameraCommands(options), realClock));
    await until('two tries', () => watched.counters.get('camera.camera-unavailable') >= 2);
    await until('the silence', () => watched.counters.get('camera.stalls') === 1);
    stand.add('rpicam-hello', `cat <<'END'\n${HELLO_LIST}END`);
    await until('frames', () => watched.frames > 2);
    await watched.stop();
    expect(watched.messages).toContain('libcamera finds no camera');
    expect(watched.stalls).toHaveLength(1);
  });

  const wanted = { width: 640, height: 480, framesPerSecond: 10, device: '', clock: realClock, withVideo: false };

  it('is reported: no program, with the packages to install', async () => {
    const stand = new StandIns();
    stand.alone();
    await expect(new ChildCamera(new LibcameraCommands(wanted), realClock).open(never)).rejects.toMatchObject({
      code: 'camera-unavailable',
      message: 'none of rpicam-vid, libcamera-vid and gst-launch-1.0 is installed',
      hint: expect.stringContaining('rpicam-apps') as string,
    });
  });

  it('is reported: no sensor, a mode that it does not offer, a number that does not exist', async () => {
    const stand = new StandIns();
    stand.add('rpicam-hello', 'echo "No cameras available!"');
    const open = (options: Partial<typeof wanted>): Promise<unknown> =>
      new LibcameraCommands({ ...wanted, ...options }).plan(never);
    await expect(open({})).rejects.toMatchObject({ message: 'libcamera finds no camera' });
    stand.add('rpicam-hello', `cat <<'END'\n${HELLO_LIST}END`);
    await expect(open({ framesPerSecond: 30, width: 4608, height: 2592 })).rejects.toMatchObject({
      code: 'camera-unavailable',
      message:
        'imx708 does not offer 4608x2592 at 30 frames a second; it offers up to ' +
        '1536x864 at 120, 2304x1296 at 56, 4608x2592 at 14',
    });
    await expect(open({ device: '7' })).rejects.toMatchObject({
      message: expect.stringContaining('there is no camera 7; there is 0 (imx708') as string,
    });
  });

  it('is reported: no video device, and a name that is not a device', async () => {
    const open = (device: string): Promise<unknown> => new V4l2Commands({ ...wanted, device }).plan(never);
    await expect(open('/dev/video97')).rejects.toMatchObject({
      code: 'camera-unavailable',
      message: expect.stringMatching(/^\/dev\/video97 is not a camera; there is/) as string,
    });
    for (const device of ['video0; reboot', '/dev/video0 ! filesink location=/x', '-i', '/dev/../$(id)'])
      await expect(open(device)).rejects.toMatchObject({
        message: expect.stringContaining('is not a device') as string,
      });
  });
});

describe('the user of a device', () => {
  it('is found by its open files', async () => {
    const stand = new StandIns();
    writeFileSync(stand.path('device'), '');
    stand.add('holder', 'exec 9<"$here/device"; touch "$here/holds"; sleep 30');
    const child = spawn(stand.path('holder'), { detached: true });
    await until('the holder', () => existsSync(stand.path('holds')));
    const users = await usersOf((path) => path === stand.path('device'));
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    expect(users.join()).toMatch(/^(holder|sleep) \(pid \d+\)/);
  });
});
