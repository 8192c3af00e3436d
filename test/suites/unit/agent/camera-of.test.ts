import { describe, expect, it } from 'vitest';
import { loadAgentConfig, type Config } from '../../../../agent/config/keys.js';
import { cameraOf } from '../../../../agent/main/cameras.js';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { asSealcamError } from '../../../../common/errors.js';
import { codeOf } from '../../../support/codes.js';

function config(environment: Readonly<Record<string, string>>): Config {
  return loadAgentConfig({ file: null, environment });
}

const MASKS: Config['privacy.masks'] = [
  {
    name: 'window',
    corners: [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  },
];

describe('the configured video', () => {
  it('is off by default, jpeg of any camera, or h264', () => {
    expect(cameraOf(config({}), realClock).video).toBeNull();
    for (const codec of ['jpeg', 'h264']) {
      for (const driver of ['mock', 'libcamera', 'v4l2']) {
        const made = cameraOf(config({ SEALCAM_CLIP_CODEC: codec, SEALCAM_CAMERA_DRIVER: driver }), realClock);
        expect([codec, driver, made.video === null]).toEqual([codec, driver, false]);
      }
    }
  });

  it('is not h264 where masks hide a part of the picture: the encoder would have seen it', () => {
    const of = (codec: string): string =>
      codeOf(() => cameraOf({ ...config({ SEALCAM_CLIP_CODEC: codec }), 'privacy.masks': MASKS }, realClock));
    expect([of('h264'), of('jpeg'), of('off')]).toEqual(['config-invalid-value', 'accepted', 'accepted']);
  });
});

describe('the address of an IP camera', () => {
  it('is needed for the driver', () => {
    expect(codeOf(() => cameraOf(config({ SEALCAM_CAMERA_DRIVER: 'rtsp' }), realClock))).toBe('config-invalid-value');
  });

  it.each([
    'rtsp://cam:s3cret@192.0.2.1/stream',
    "rtsp://192.0.2.1/'s3cret",
    'rtsp://192.0.2.1/a s3cret',
    'http://192.0.2.1/s3cret',
    'rtsp://192.0.2.1/a\nfile s3cret',
  ])('is refused with a password or a line of its own in it, without repeating it', (url) => {
    let message = '';
    try {
      config({ SEALCAM_RTSP_URL: url });
    } catch (error) {
      message = asSealcamError(error).message;
    }
    expect(message).toContain('rtsp://');
    expect(message).not.toContain('s3cret');
  });
});
