import { SECOND_OUTPUT_FD } from './child.js';

export interface PictureOutput {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

const JPEG_QSCALE = '5';

/** Returns the arguments for a second output: the H.264 of the input as it is, its headers in each key unit, a delimiter before each unit. */
export function streamCopy(): string[] {
  return [
    '-map',
    '0:v:0',
    '-c:v',
    'copy',
    '-bsf:v',
    'h264_metadata=aud=remove,dump_extra=freq=keyframe,h264_metadata=aud=insert',
    '-flush_packets',
    '1',
    '-f',
    'h264',
    `pipe:${String(SECOND_OUTPUT_FD)}`,
  ];
}

/** Returns the arguments for pictures of the input as JPEG files on the standard output. */
export function decodedPictures({ width, height, framesPerSecond }: PictureOutput): string[] {
  const filter = `fps=${String(framesPerSecond)},scale=${String(width)}:${String(height)}`;
  return ['-map', '0:v:0', '-vf', filter, '-c:v', 'mjpeg', '-q:v', JPEG_QSCALE, ...JPEG_OUTPUT];
}

/** JPEG files on the standard output, each as soon as it is there. */
export const JPEG_OUTPUT = ['-f', 'image2pipe', '-flush_packets', '1', 'pipe:1'] as const;
