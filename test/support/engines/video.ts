import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import type { Scenario } from '../../../hal/mock-scenarios.js';

/** Writes JPEG frames of a mock scene to a folder, 10 a second; a person walks from about the third second on. */
export async function makeFrames(folder: string, count: number, scenario: Scenario = 'walk'): Promise<string> {
  const frames = join(folder, 'frames');
  mkdirSync(frames, { recursive: true });
  const renderer = new SceneRenderer(buildScript('porch', scenario, 3));
  for (let i = 0; i < count; i++) {
    const { jpeg } = await renderer.render(i * 100);
    writeFileSync(join(frames, `frame${String(i)}.jpg`), jpeg);
  }
  return frames;
}

/** Writes the same frames as an MP4 whose index comes first, so that a truncated copy can still be opened. */
export async function makeVideo(folder: string, count: number, scenario?: Scenario): Promise<string> {
  const frames = await makeFrames(folder, count, scenario);
  const video = join(folder, 'clip.mp4');
  const result = spawnSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-y',
      '-framerate',
      '10',
      '-i',
      join(frames, 'frame%d.jpg'),
      '-c:v',
      'mpeg4',
      '-q:v',
      '4',
      '-g',
      '10',
      '-movflags',
      '+faststart',
      video,
    ],
    { encoding: 'utf8' },
  );
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
  return video;
}
