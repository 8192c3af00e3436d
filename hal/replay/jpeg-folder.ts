import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asBytes } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';

/** Lists the JPEG files of a folder in natural order: frame2 before frame10. @throws SealcamError `video-unreadable` */
export async function listJpegs(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new SealcamError('video-unreadable', `${folder}: the folder cannot be read`, { cause });
  }
  const order = new Intl.Collator('en', { numeric: true });
  const jpegs = names.filter((name) => /\.jpe?g$/i.test(name)).sort((a, b) => order.compare(a, b));
  if (jpegs.length === 0) throw new SealcamError('video-unreadable', `${folder}: no .jpg files in it`);
  return jpegs;
}

/** Reads one of the listed files. @throws SealcamError `video-unreadable` */
export async function readJpeg(folder: string, name: string): Promise<Uint8Array> {
  try {
    return asBytes(await readFile(join(folder, name)));
  } catch (cause) {
    throw new SealcamError('video-unreadable', `${join(folder, name)}: cannot be read`, { cause });
  }
}
