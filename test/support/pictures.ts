import sharp from 'sharp';
import type { Config } from '../../agent/config/keys.js';

/** Masks the left half of a picture. */
export const LEFT: Config['privacy.masks'][number] = {
  name: 'window',
  corners: [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ],
};

/** Returns a white picture with a striped left half. */
export async function striped(width = 160, height = 91): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 3).fill(255);
  for (let y = 0; y < height; y += 4) data.fill(90, y * width * 3, (y * width + width / 2) * 3);
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer(),
  );
}

/** Returns the brightest pixel of each half, and the size. */
export async function brightest(jpeg: Uint8Array): Promise<[number, number, string]> {
  const { data, info } = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
  const most = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const half = i % info.width < info.width / 2 ? 0 : 1;
    most[half] = Math.max(most[half] ?? 0, data[i] ?? 0);
  }
  return [most[0] ?? 0, most[1] ?? 0, `${String(info.width)}x${String(info.height)}`];
}
