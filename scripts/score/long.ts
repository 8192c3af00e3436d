import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { SceneRenderer } from '../../hal/mock/renderer.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { checkout } from '../checkout.js';
import { slopeOf } from '../least-squares.js';

/** Result of a long replay. */
export interface LongReplay {
  readonly seconds: number;
  readonly framesPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly events: number;
  readonly thumbnails: { readonly p50Bytes: number; readonly p95Bytes: number; readonly maxBytes: number };
  /** Events whose picture was taken before their onset or after their end. */
  readonly outside: number;
  /**
   * Resident memory of the replaying process, without ffmpeg: medians of the second and the last third, and the slope
   * over both.
   */
  readonly rss: { readonly middleMiB: number; readonly lastMiB: number; readonly slopeMiBPerMinute: number } | null;
  /** Each limit that was exceeded, as a sentence. */
  readonly faults: readonly string[];
}

const WIDTH = 1920;
const HEIGHT = 1080;
const FRAMES_PER_S = 10;
/** Drawn once and then looped, since drawing takes longer than everything else. */
const LOOP_S = 60;
const SAMPLE_INTERVAL_MS = 1000;
/** Fewer samples than this give no meaningful slope. */
const SAMPLES_MIN = 60;
const GROWTH_MAX_MIB = 16;
const THUMBNAIL_P95_MAX_BYTES = 20_000;

/** Replays a mock scene as a 1080p video through `sealcam replay`. @throws Error without ffmpeg */
export async function longReplay(
  seconds: number,
  folder: string,
  progress: (text: string) => void,
): Promise<LongReplay> {
  const video = join(folder, 'long.mp4');
  progress(`drawing ${String(Math.min(LOOP_S, seconds))} s of video …`);
  await makeVideo(folder, video, seconds);
  progress(`replaying ${String(seconds)} s at ${String(WIDTH)}×${String(HEIGHT)} …`);
  return play(video, seconds, progress);
}

async function makeVideo(folder: string, video: string, seconds: number): Promise<void> {
  const once = join(folder, 'once.mp4');
  const child = spawn(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'mjpeg',
      '-framerate',
      String(FRAMES_PER_S),
      '-i',
      'pipe:0',
      '-vf',
      `scale=${String(WIDTH)}:${String(HEIGHT)}`,
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-crf',
      '23',
      '-pix_fmt',
      'yuv420p',
      once,
    ],
    { stdio: ['pipe', 'inherit', 'inherit'] },
  );
  const ended = new Promise<void>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status) => {
      if (status === 0) done();
      else failed(new Error(`ffmpeg ended with ${String(status)}`));
    });
  });
  // Both errors also end the process, which is awaited below.
  ended.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  const renderer = new SceneRenderer(buildScript('driveway', 'walk', 1));
  for (let i = 0; i < Math.min(LOOP_S, seconds) * FRAMES_PER_S; i++) {
    const { jpeg } = await renderer.render((i * 1000) / FRAMES_PER_S);
    if (!child.stdin.write(jpeg))
      await Promise.race([ended, new Promise((drained) => child.stdin.once('drain', drained))]);
  }
  child.stdin.end();
  await ended;
  const loops = String(Math.max(0, Math.ceil(seconds / LOOP_S) - 1));
  const copy = ['-v', 'error', '-stream_loop', loops, '-i', once, '-c', 'copy', '-t', String(seconds), video];
  const { status } = spawnSync('ffmpeg', copy, { stdio: 'inherit' });
  if (status !== 0) throw new Error('ffmpeg could not loop the video');
}

interface Line {
  readonly onset_ms: number;
  readonly end_ms: number;
  readonly picture_ms: number;
  readonly thumb_bytes: number;
}

async function play(video: string, seconds: number, progress: (text: string) => void): Promise<LongReplay> {
  const cli = join(checkout, 'dist', 'agent', 'cli', 'cli.js');
  const child = spawn(process.execPath, [cli, 'replay', video, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const samples: (readonly [ms: number, mib: number])[] = [];
  const startedMs = performance.now();
  const state = { isOver: false };
  const sampling = (async () => {
    while (!state.isOver) {
      const kib = Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout);
      if (kib > 0) samples.push([performance.now() - startedMs, kib / 1024]);
      await wait(SAMPLE_INTERVAL_MS);
    }
  })();
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(text) as Line);
    if (lines.length % 10 === 0)
      progress(`${String(lines.length)} events, ${samples.at(-1)?.[1].toFixed(0) ?? '?'} MiB`);
  }
  const status = await ended;
  state.isOver = true;
  await sampling;
  if (status !== 0) throw new Error(`sealcam replay ended with ${String(status)}`);
  return judge(seconds, lines, samples);
}

function judge(
  seconds: number,
  lines: readonly Line[],
  samples: readonly (readonly [ms: number, mib: number])[],
): LongReplay {
  const sizes = lines.map(({ thumb_bytes: bytes }) => bytes).sort((a, b) => a - b);
  const quantile = (q: number): number => sizes[Math.min(sizes.length - 1, Math.floor(q * sizes.length))] ?? 0;
  const thumbnails = { p50Bytes: quantile(0.5), p95Bytes: quantile(0.95), maxBytes: quantile(1) };
  const outside = lines.filter((one) => one.picture_ms < one.onset_ms || one.picture_ms > one.end_ms).length;
  // In the first third, caches and pools still fill.
  const settled = samples.slice(Math.floor(samples.length / 3));
  const half = Math.floor(settled.length / 2);
  const middleMiB = median(settled.slice(0, half).map(([, mib]) => mib));
  const lastMiB = median(settled.slice(half).map(([, mib]) => mib));
  const isLong = samples.length >= SAMPLES_MIN;
  const rss = isLong ? { middleMiB, lastMiB, slopeMiBPerMinute: (slopeOf(settled) ?? 0) * 60_000 } : null;
  const faults = [
    ...(lines.length === 0 ? ['no event was found'] : []),
    ...(outside > 0 ? [`${String(outside)} pictures were taken outside their events`] : []),
    ...(thumbnails.p95Bytes > THUMBNAIL_P95_MAX_BYTES
      ? [
          `95 % of thumbnails take up to ${String(thumbnails.p95Bytes)} bytes, more than ${String(THUMBNAIL_P95_MAX_BYTES)}`,
        ]
      : []),
    ...(rss !== null && lastMiB - middleMiB > GROWTH_MAX_MIB ? [`memory grew to ${lastMiB.toFixed(0)} MiB`] : []),
  ];
  const video = { seconds, framesPerSecond: FRAMES_PER_S, width: WIDTH, height: HEIGHT };
  return { ...video, events: lines.length, thumbnails, outside, rss, faults };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
