import { concat, utf8 } from '../../common/bytes.js';

/** Ticks a second of every track: units have times in milliseconds. */
const TIMESCALE = 1000;
const TRACK_ID = 1;
/** Flags of a sample: it depends on no other, or on others and is no key. */
const SYNC_SAMPLE = 0x0200_0000;
const OTHER_SAMPLE = 0x0101_0000;

/** One picture in a fragment. */
export interface Sample {
  /** What it consists of in a row. They belong to the unit, which others hold too: copied once, into the fragment. */
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  readonly isKey: boolean;
  readonly durationMs: number;
}

/** What differs between the containers of the codecs. */
export interface TrackForm {
  readonly width: number;
  readonly height: number;
  /** Brand of the file, and those that it agrees with. */
  readonly brands: readonly [major: string, ...compatible: string[]];
  /** How its samples are coded: the sample entry. */
  readonly entry: Uint8Array;
}

/** Returns a number as big-endian bytes. */
export function number(value: number, bytes: 1 | 2 | 4 | 8): Uint8Array {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  if (bytes === 8) view.setBigUint64(0, BigInt(value));
  else for (let i = 0; i < bytes; i++) out[i] = Math.floor(value / 256 ** (bytes - 1 - i)) % 256;
  return out;
}

const zeros = (count: number): Uint8Array => new Uint8Array(count);

/** Returns a box (ISO 14496-12, 4.2). */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 8);
  return concat(number(size, 4), utf8(type), ...parts);
}

function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return box(type, number(version, 1), number(flags, 4).subarray(1), ...parts);
}

/** Turns nothing: the identity of a picture's matrix. */
function matrix(): Uint8Array {
  const one = number(0x1_0000, 4);
  return concat(one, zeros(12), one, zeros(12), number(0x4000_0000, 4));
}

/** Returns a sample entry for video (12.1.3), with what its codec adds. */
export function videoEntry(
  type: string,
  { width, height }: { readonly width: number; readonly height: number },
  ...more: readonly Uint8Array[]
): Uint8Array {
  const resolution = number(72 * 0x1_0000, 4);
  return box(
    type,
    zeros(6),
    number(1, 2),
    zeros(16),
    number(width, 2),
    number(height, 2),
    resolution,
    resolution,
    zeros(4),
    number(1, 2),
    zeros(32),
    number(24, 2),
    number(0xffff, 2),
    ...more,
  );
}

/** Returns the initialisation of a file whose samples come in fragments. */
export function initialisation({ width, height, brands, entry }: TrackForm): Uint8Array {
  const [major, ...compatible] = brands;
  const tables = ['stts', 'stsc', 'stco'].map((type) => fullBox(type, 0, 0, zeros(4)));
  const samples = box('stbl', fullBox('stsd', 0, 0, number(1, 4), entry), ...tables, fullBox('stsz', 0, 0, zeros(8)));
  const here = box('dinf', fullBox('dref', 0, 0, number(1, 4), fullBox('url ', 0, 1)));
  const handler = fullBox('hdlr', 0, 0, zeros(4), utf8('vide'), zeros(13));
  const undetermined = number(0x55c4, 2);
  const media = box(
    'mdia',
    fullBox('mdhd', 0, 0, zeros(8), number(TIMESCALE, 4), zeros(4), undetermined, zeros(2)),
    handler,
    box('minf', fullBox('vmhd', 0, 1, zeros(8)), here, samples),
  );
  const size = [number(width * 0x1_0000, 4), number(height * 0x1_0000, 4)];
  const isShown = 3;
  const header = fullBox('tkhd', 0, isShown, zeros(8), number(TRACK_ID, 4), zeros(24), matrix(), ...size);
  const volume = concat(number(0x1_0000, 4), number(0x100, 2));
  const movie = fullBox(
    'mvhd',
    0,
    0,
    zeros(8),
    number(TIMESCALE, 4),
    zeros(4),
    volume,
    zeros(10),
    matrix(),
    zeros(24),
    number(TRACK_ID + 1, 4),
  );
  const extended = box('mvex', fullBox('trex', 0, 0, number(TRACK_ID, 4), number(1, 4), zeros(12)));
  const type = box('ftyp', utf8(major), zeros(4), ...[major, ...compatible].map(utf8));
  return concat(type, box('moov', movie, box('trak', header, media), extended));
}

/** Bytes of a fragment beside its samples: of the fragment, and of each sample. */
export const FRAGMENT_BYTES = { fixed: 96, perSample: 12 } as const;

/** Returns the fragment number `sequence`, from 1 on, of samples that begin `startMs` after the start of the file. */
export function fragment(sequence: number, startMs: number, samples: readonly Sample[]): Uint8Array {
  const entries = samples.map(({ length, isKey, durationMs }) =>
    concat(number(durationMs, 4), number(length, 4), number(isKey ? SYNC_SAMPLE : OTHER_SAMPLE, 4)),
  );
  const baseIsFragment = 0x2_0000;
  const hasOffsetDurationSizeFlags = 0x701;
  const fragmentBox = (dataOffset: number): Uint8Array =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, number(sequence, 4)),
      box(
        'traf',
        fullBox('tfhd', 0, baseIsFragment, number(TRACK_ID, 4)),
        fullBox('tfdt', 1, 0, number(startMs, 8)),
        fullBox('trun', 0, hasOffsetDurationSizeFlags, number(samples.length, 4), number(dataOffset, 4), ...entries),
      ),
    );
  const head = fragmentBox(fragmentBox(0).length + 8);
  const dataBytes = samples.reduce((sum, { length }) => sum + length, 8);
  return concat(head, number(dataBytes, 4), utf8('mdat'), ...samples.flatMap(({ parts }) => parts));
}
