import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { KEY_INTERVAL_MAX_MS, type VideoInfo } from '../video-source.js';
import { runTool } from './child.js';
import type { RequestedMode } from './offers.js';

/** Five seconds of it fit into the ring of a small board. */
const BITS_PER_SECOND = 1_500_000;
/** Half of what is allowed: an encoder may be late. */
const KEY_INTERVAL_MS = KEY_INTERVAL_MAX_MS / 2;

/** Returns the number of pictures from one key unit to the next. */
function gopOf(framesPerSecond: number): number {
  return Math.max(1, Math.round((framesPerSecond * KEY_INTERVAL_MS) / 1000));
}

/** Returns what an encoder that takes these settings delivers. */
export function encodedVideo({ width, height, framesPerSecond }: RequestedMode): VideoInfo {
  const keyIntervalMs = (gopOf(framesPerSecond) * 1000) / framesPerSecond;
  return { codec: 'h264', width, height, framesPerSecond, keyIntervalMs };
}

/** Returns the options of rpicam-vid for H.264 with its headers in each key unit. */
export function appEncoder(framesPerSecond: number): string[] {
  const gop = String(gopOf(framesPerSecond));
  const rate = String(BITS_PER_SECOND);
  return ['--codec', 'h264', '--profile', 'baseline', '--inline', '--intra', gop, '--bitrate', rate];
}

/** The encoders of GStreamer in order: the board's own, then software. */
const GST_ENCODERS: readonly { readonly name: string; readonly elements: (gop: string) => readonly string[] }[] = [
  {
    name: 'v4l2h264enc',
    elements: (gop) => [
      'v4l2h264enc',
      `extra-controls=controls,video_bitrate=${String(BITS_PER_SECOND)},h264_i_frame_period=${gop},repeat_sequence_header=1`,
      '!',
      'video/x-h264,level=(string)4',
    ],
  },
  {
    name: 'x264enc',
    elements: (gop) => [
      'x264enc',
      'tune=zerolatency',
      'speed-preset=ultrafast',
      'bframes=0',
      'sliced-threads=false',
      `key-int-max=${gop}`,
      `bitrate=${String(BITS_PER_SECOND / 1000)}`,
      '!',
      'video/x-h264,profile=baseline',
    ],
  },
];

/** Returns the elements of the first encoder that GStreamer has here, or an error that says which packages have one. */
export async function gstEncoder(
  framesPerSecond: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[] | SealcamError> {
  for (const { name, elements } of GST_ENCODERS) {
    const run = await runTool({ program: 'gst-inspect-1.0', args: ['--exists', name] }, clock, signal);
    if (run.found && run.code === 0) return elements(String(gopOf(framesPerSecond)));
  }
  const names = GST_ENCODERS.map(({ name }) => name).join(' nor ');
  return new SealcamError('video-unsupported', `GStreamer has neither ${names}`, {
    hint: 'Install gstreamer1.0-plugins-good (v4l2h264enc) or gstreamer1.0-plugins-ugly (x264enc), or set clip.codec to jpeg.',
  });
}
