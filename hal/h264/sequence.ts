import { SealcamError } from '../../common/errors.js';
import { BitReader, withoutEmulation } from './bits.js';

/** What a sequence parameter set says (7.3.2.1.1). */
export interface Sequence {
  readonly profile: number;
  readonly width: number;
  readonly height: number;
}

/** Baseline, main and high: what every browser plays. */
const PROFILES = [66, 77, 100];
const SIDE_MAX_PIXELS = 8192;
const MACROBLOCK_PIXELS = 16;
const SET_MAX_BYTES = 1024;

/** Reads a sequence parameter set. @throws SealcamError `video-corrupt`, `video-unsupported` where a browser would not play it */
export function readSequence(nal: Uint8Array): Sequence {
  if (nal.length > SET_MAX_BYTES) throw unreadable();
  const bits = new BitReader(withoutEmulation(nal.subarray(1)));
  const profile = bits.bits(8);
  bits.bits(16);
  bits.unsigned();
  if (!PROFILES.includes(profile)) {
    throw new SealcamError('video-unsupported', `H.264 of profile ${String(profile)}`, {
      hint: 'Set the encoder to the profile baseline, main or high, 8 bits, 4:2:0.',
    });
  }
  if (profile === 100) skipHighFields(bits);
  bits.unsigned();
  skipPictureOrder(bits);
  bits.unsigned();
  bits.bit();
  const columns = bits.unsigned() + 1;
  const rows = bits.unsigned() + 1;
  if (bits.isOver()) throw unreadable();
  if (bits.bit() === 0) {
    throw new SealcamError('video-unsupported', 'interlaced video', {
      hint: 'Set the encoder to progressive pictures.',
    });
  }
  bits.bit();
  const [left = 0, right = 0, top = 0, bottom = 0] =
    bits.bit() === 1 ? Array.from({ length: 4 }, () => bits.unsigned()) : [];
  // In 4:2:0 the borders that are cut off count two pixels each.
  const width = columns * MACROBLOCK_PIXELS - 2 * (left + right);
  const height = rows * MACROBLOCK_PIXELS - 2 * (top + bottom);
  const isPossible = [width, height].every((side) => side >= 2 && side <= SIDE_MAX_PIXELS);
  if (bits.isOver() || !isPossible) throw unreadable();
  return { profile, width, height };
}

function unreadable(): SealcamError {
  return new SealcamError('video-corrupt', 'a parameter set that cannot be read');
}

function skipHighFields(bits: BitReader): void {
  const chroma = bits.unsigned();
  const depths = [bits.unsigned(), bits.unsigned()];
  if (bits.isOver()) throw unreadable();
  if (chroma !== 1 || depths.some((depth) => depth !== 0)) {
    throw new SealcamError('video-unsupported', 'video of other colours than 4:2:0 in 8 bits');
  }
  bits.bit();
  if (bits.bit() === 0) return;
  for (let list = 0; list < 8; list++) if (bits.bit() === 1) skipScalingList(bits, list < 6 ? 16 : 64);
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size && last !== 0; i++) last = (last + bits.signed() + 256) % 256;
}

function skipPictureOrder(bits: BitReader): void {
  const kind = bits.unsigned();
  if (kind === 0) bits.unsigned();
  if (kind !== 1) return;
  bits.bit();
  bits.signed();
  bits.signed();
  const count = Math.min(255, bits.unsigned());
  for (let i = 0; i < count && !bits.isOver(); i++) bits.signed();
}
