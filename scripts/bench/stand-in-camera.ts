import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AccessUnitSplitter } from '../../hal/h264/access-units.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../hal/mock/scenes/scene-art.js';
import { checkout } from '../checkout.js';
import { drawFrames } from './claimed-data.js';

/** As the script has it. */
const FRAMES_PER_SECOND = 5;
/** Whole groups of pictures, so that the stream can begin again. */
const FRAMES = 240;
const GROUP_FRAMES = 2 * FRAMES_PER_SECOND;
/** What encoders are asked for. */
const RATE = '1500k';
const STREAM_MAX_BYTES = 64 * 1024 * 1024;

/** Settings of a camera whose program is the stand-in, which must come first in PATH. */
export const STAND_IN_SETTINGS = {
  SEALCAM_CAMERA_DRIVER: 'libcamera',
  SEALCAM_CAMERA_WIDTH: String(SCENE_WIDTH),
  SEALCAM_CAMERA_HEIGHT: String(SCENE_HEIGHT),
  SEALCAM_CAMERA_FRAMES_PER_SECOND: String(FRAMES_PER_SECOND),
} as const;

/**
 * Makes the folder of a camera's program that has its pictures and its H.264 ready: it costs next to nothing beside the agent. The
 * H.264 is of the same pictures, filled up to the bit rate that is asked of encoders. Needs ffmpeg with x264.
 */
export async function makeStandInCamera(folder: string): Promise<void> {
  const frames = join(folder, 'frames');
  const units = join(folder, 'units');
  await drawFrames(frames, FRAMES);
  mkdirSync(units);
  const input = ['-v', 'error', '-framerate', String(FRAMES_PER_SECOND), '-i', join(frames, '%04d.jpg')];
  const rate = ['-b:v', RATE, '-minrate', RATE, '-maxrate', RATE, '-bufsize', RATE];
  const x264 = `aud=1:repeat-headers=1:nal-hrd=cbr:sliced-threads=0:keyint=${String(GROUP_FRAMES)}:scenecut=0`;
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', ...rate];
  const args = [...input, ...encoder, '-x264-params', x264, '-f', 'h264', 'pipe:1'];
  const { status, stdout, stderr } = spawnSync('ffmpeg', args, { maxBuffer: STREAM_MAX_BYTES });
  if (status !== 0) throw new Error(`ffmpeg makes no H.264: ${stderr.toString()}`);
  const splitter = new AccessUnitSplitter();
  const whole = [...splitter.push(stdout, 0)];
  const last = splitter.end();
  for (const [i, { bytes }] of [...whole, ...(last === null ? [] : [last])].entries())
    writeFileSync(join(units, `${String(i).padStart(4, '0')}.h264`), bytes);
  const program = 'gst-launch-1.0';
  copyFileSync(join(checkout, 'scripts', 'bench', 'stand-in-camera'), join(folder, program));
  symlinkSync(program, join(folder, 'gst-inspect-1.0'));
}
