import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { asSealcamError, type SealcamError } from '../../../common/errors.js';
import { ChildCamera } from '../../../hal/linux/child-camera.js';
import { runTool } from '../../../hal/linux/child.js';
import { rtspInput } from '../../../hal/linux/rtsp-address.js';
import { RtspCommands } from '../../../hal/linux/rtsp.js';
import { liveCameraContract, readFrames } from '../../support/contracts/live-camera-contract.js';
import { readUnits, videoContract } from '../../support/contracts/video-contract.js';
import { h264Encoder, RtspServer, type RtspLogin } from '../../support/engines/rtsp-server.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { tempFolder } from '../../support/runner/temp.js';

const never = (): AbortSignal => new AbortController().signal;

interface Made {
  readonly credentials?: string;
  readonly withVideo?: boolean;
}

function loginFile(credentials: string): string {
  const path = join(tempFolder(), 'login');
  writeFileSync(path, `${credentials}\n`);
  return path;
}

function cameraOn(url: string, { credentials, withVideo = true }: Made = {}): ChildCamera {
  const credentialsFile = credentials === undefined ? '' : loginFile(credentials);
  const wanted = { width: 160, height: 120, framesPerSecond: 10 };
  return new ChildCamera(new RtspCommands({ ...wanted, url, credentialsFile, clock: realClock, withVideo }), realClock);
}

async function errorOf(action: () => Promise<unknown>): Promise<SealcamError> {
  return action().then(
    () => {
      throw new Error('no error');
    },
    (error: unknown) => asSealcamError(error),
  );
}

async function readAll(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of iterable);
}

/** Command lines of all processes of this machine. */
function commandLines(): string {
  const lines = readdirSync('/proc').map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  });
  // The server of the test has the password there.
  return lines.filter((line) => !line.includes('rtsp_server.py')).join('\n');
}

const LOGIN: RtspLogin = { user: 'cam', password: "s3:cr@t/'%", method: 'basic' };
const TIMEOUT_MS = 120_000;

describeWith('rtsp', 'camera and video: rtsp, a real server', () => {
  const make = async (): Promise<ChildCamera> => cameraOn((await RtspServer.start()).url);
  liveCameraContract(make);
  videoContract('h264', async () => {
    const camera = await make();
    return { camera, video: camera.video };
  });

  it('keeps the shape of the picture, and the size of the video', async () => {
    const camera = await make();
    expect(await camera.open(never())).toMatchObject({ driver: 'rtsp', model: '127.0.0.1', width: 160, height: 90 });
    expect(await camera.video.open(never())).toMatchObject({
      codec: 'h264',
      width: 320,
      height: 180,
      framesPerSecond: 10,
    });
    await camera.close();
  });

  it.each(['basic', 'digest'] as const)(
    'logs in (%s), and shows the password in no command line and no error',
    { timeout: limitMs(TIMEOUT_MS) },
    async (method) => {
      const { url } = await RtspServer.start({ login: { ...LOGIN, method } });
      const camera = cameraOn(url, { credentials: `${LOGIN.user}:${LOGIN.password}` });
      await camera.open(never());
      const frames = camera.frames(never())[Symbol.asyncIterator]();
      await frames.next();
      const lines = commandLines();
      expect(lines).toContain('ffmpeg');
      expect(lines).not.toMatch(/s3.*cr.*t/);
      await frames.return?.();
      for (const credentials of ['cam:wr0ng/p%w', undefined]) {
        const error = await errorOf(() =>
          cameraOn(url, credentials === undefined ? {} : { credentials }).open(never()),
        );
        expect([error.code, error.hint]).toEqual([
          'camera-unavailable',
          expect.stringContaining('rtsp.credentialsFile'),
        ]);
        expect(`${error.message} ${error.hint}`).not.toMatch(/wr0ng/);
      }
    },
  );

  it('hides user and password in what ffmpeg prints, which has the whole address', async () => {
    const { url } = await RtspServer.start({ login: LOGIN });
    const file = loginFile("someb0dy:wr0ng/p%w'");
    const { args, list, redact } = await rtspInput(url, file);
    const probe = { program: 'ffprobe', args: ['-v', 'error', ...args], input: list };
    const hidden = await runTool({ ...probe, redact }, realClock, never());
    expect(hidden.stderr).toContain('rtsp://***@127.0.0.1');
    expect(hidden.stderr).not.toMatch(/wr0ng|someb0dy/);
    // The control: ffmpeg does print them.
    expect((await runTool(probe, realClock, never())).stderr).toMatch(/wr0ng/);
  });

  it('takes a server that is killed, or stalls, for a failure of both', { timeout: limitMs(TIMEOUT_MS) }, async () => {
    for (const how of ['kill', 'stall'] as const) {
      const server = await RtspServer.start();
      const camera = cameraOn(server.url);
      await camera.open(never());
      const video = errorOf(() => readAll(camera.video.units(never())));
      const frames = errorOf(async () => {
        let isFirst = true;
        for await (const _ of camera.frames(never())) {
          if (isFirst) server[how]();
          isFirst = false;
        }
      });
      expect([how, (await frames).code, (await video).code]).toEqual([how, 'camera-ended', 'video-ended']);
      await camera.close();
    }
  });

  it('says that nobody is there, and reads no file without a user', async () => {
    const error = await errorOf(() => cameraOn('rtsp://127.0.0.1:9/cam').open(never()));
    expect([error.code, error.message]).toEqual([
      'camera-unavailable',
      expect.stringContaining('rtsp://127.0.0.1:9/cam'),
    ]);
    const wrong = await errorOf(() => cameraOn('rtsp://127.0.0.1:9/cam', { credentials: 'nobody' }).open(never()));
    expect(wrong.code).toBe('config-invalid-value');
  });

  it('refuses HEVC as video, and goes on with its pictures', async () => {
    const encoder =
      'x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96';
    const camera = cameraOn((await RtspServer.start({ encoder })).url);
    const { code, message, hint } = await errorOf(() => camera.video.open(never()));
    expect([code, message]).toEqual(['video-unsupported', 'the video is hevc, which not every browser plays']);
    expect(hint).toContain('H.264');
    expect(await readFrames(camera, 2)).toHaveLength(2);
    await camera.close();
  });

  it('says what to set where key units are too far apart', { timeout: limitMs(TIMEOUT_MS) }, async () => {
    const camera = cameraOn((await RtspServer.start({ encoder: h264Encoder(200) })).url);
    await camera.video.open(never());
    const error = await errorOf(() => readUnits({ camera, video: camera.video }, 200));
    expect([error.code, error.hint]).toEqual(['video-keys-rare', expect.stringContaining('GOP')]);
    await camera.close();
  });
});
