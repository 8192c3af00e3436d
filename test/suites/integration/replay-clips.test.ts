import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCommand } from '../../../agent/cli/open.js';
import type { Output } from '../../../agent/cli/output.js';
import { replayCommand } from '../../../agent/cli/replay.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat } from '../../../common/bytes.js';
import { MockCamera } from '../../../hal/mock/camera.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { asyncCodeOf } from '../../support/codes.js';
import { ffmpeg } from '../../support/engines/h264.js';
import { describeWith } from '../../support/engines/tools.js';
import { tempFolder } from '../../support/runner/temp.js';

type Lines = Readonly<Record<string, unknown>>[];

async function replay(
  video: string,
  options: { readonly clips?: string; readonly open?: string },
  settings = '',
): Promise<Lines> {
  const emitted: Lines = [];
  const output: Output = { json: true, printLine: () => undefined, emit: (value) => emitted.push(value) };
  const file = join(tempFolder(), 'sealcam.toml');
  writeFileSync(file, settings);
  await replayCommand(video, { file, environment: {} }, { framesPerSecond: 10, ...options }, output);
  return emitted.filter((line) => 'event_id' in line);
}

/** Returns the lengths of the files in a folder, in seconds; each must play without a message. */
function lengths(folder: string): { readonly name: string; readonly seconds: number; readonly codec: string }[] {
  return readdirSync(folder).map((name) => {
    const show = ['-show_entries', 'stream=codec_name:format=duration', '-of', 'default=nw=1:nk=1'];
    const args = ['-v', 'error', ...show, join(folder, name)];
    const { status, stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const [codec = '', seconds = ''] = stdout.split('\n');
    return { name, codec, seconds: Number(seconds) };
  });
}

/** Makes a video file of a walk past the mock camera. */
async function walkFile(args: readonly string[]): Promise<string> {
  const camera = new MockCamera({
    script: buildScript('porch', 'walk', 1),
    framesPerSecond: 10,
    clock: realClock,
    pace: 'fast',
    frameLimit: 250,
    withLuma: false,
  });
  const { signal } = new AbortController();
  await camera.open();
  const frames: Uint8Array[] = [];
  for await (const { jpeg } of camera.frames(signal)) frames.push(jpeg);
  const path = join(tempFolder(), 'walk.mp4');
  ffmpeg(['-f', 'mjpeg', '-framerate', '10', '-i', 'pipe:0', ...args, path], concat(...frames));
  return path;
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];

function keyFile(): string {
  const path = join(tempFolder(), 'owner.key');
  writeFileSync(path, realRandom.bytes(32));
  return path;
}

describeWith('ffmpeg', 'replay --clips', () => {
  it('copies the H.264 of a file, seals it, and opens it with the key that was named', async () => {
    const video = await walkFile([...H264, '-g', '20']);
    const clips = join(tempFolder(), 'clips');
    const open = keyFile();
    const events = await replay(video, { clips, open });
    expect(events.length).toBeGreaterThan(0);
    const found = lengths(join(clips, 'opened'));
    expect(found).toHaveLength(events.length);
    for (const { name, codec, seconds } of found) {
      expect([name.endsWith('.mp4'), codec]).toEqual([true, 'h264']);
      expect(seconds).toBeGreaterThanOrEqual(10);
    }
    // Ids follow from the file, keys never do.
    expect((await replay(video, {})).map(({ event_id: id }) => id)).toEqual(events.map(({ event_id: id }) => id));
    const again = join(tempFolder(), 'clips');
    await replay(video, { clips: again, open });
    expect(readFileSync(join(again, 'clips.jsonl'), 'utf8')).not.toBe(readFileSync(join(clips, 'clips.jsonl'), 'utf8'));
  });

  it.each([
    ['of HEVC', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error'], ''],
    ['with B-frames', ['-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p'], ''],
    ['under a privacy mask', H264, '[privacy]\nmasks = [{ name = "m", corners = [[0, 0], [0.1, 0], [0.1, 0.1]] }]'],
  ])('makes JPEG of a file %s, whose H.264 cannot be copied', async (_, args, settings) => {
    const video = await walkFile(args);
    const clips = join(tempFolder(), 'clips');
    const events = await replay(video, { clips, open: keyFile() }, settings);
    const found = lengths(join(clips, 'opened'));
    expect(found).toHaveLength(events.length);
    expect(found.every(({ name, codec }) => name.endsWith('.mov') && codec === 'mjpeg')).toBe(true);
    for (const { seconds } of found) expect(seconds).toBeGreaterThanOrEqual(10);
  });

  it('finds all events of a file without key units, says so, and makes what clips it can', async () => {
    const video = await walkFile([...H264, '-g', '100000', '-sc_threshold', '0']);
    const clips = join(tempFolder(), 'clips');
    const events = await replay(video, { clips, open: keyFile() });
    expect(events).toHaveLength((await replay(video, {})).length);
    if (existsSync(join(clips, 'opened'))) lengths(join(clips, 'opened'));
  });
});

describe('replay --clips', () => {
  it('writes a new key beside clips that nobody named a key for, and nobody else opens them', async () => {
    const clips = join(tempFolder(), 'clips');
    const events = await replay('mock:walk', { clips });
    expect(readdirSync(clips).sort()).toEqual(['clips.jsonl', 'owner.key']);
    const silent: Output = { json: false, printLine: () => undefined, emit: () => undefined };
    const opened = join(tempFolder(), 'opened');
    const file = join(clips, 'clips.jsonl');
    expect(await openCommand(file, { key: join(clips, 'owner.key'), out: opened }, silent)).toBe(0);
    expect(readdirSync(opened)).toHaveLength(events.length);
    const stranger = join(tempFolder(), 'stranger');
    expect(await openCommand(file, { key: keyFile(), out: stranger }, silent)).toBe(3);
    expect(existsSync(stranger)).toBe(false);
  });

  it('refuses a folder that is not empty, and --open alone', async () => {
    const clips = tempFolder();
    writeFileSync(join(clips, 'x'), '');
    expect(await asyncCodeOf(() => replay('mock:walk', { clips }))).toBe('usage-invalid');
    expect(await asyncCodeOf(() => replay('mock:walk', { open: keyFile() }))).toBe('usage-invalid');
  });
});
