/**
 * Reads what a camera made of its video: an initialisation, and fragments after it (ISO 14496-12). Only the form that cameras
 * write is read, and anything else refused: the browser's own reader sees what passed here.
 */
import { SealcamError } from '../../common/errors.js';

/** What an initialisation says of the clip. */
export interface ClipForm {
  readonly codec: 'h264' | 'jpeg';
  /** Its type for a file, or a browser's video element: with the codec's profile and level for H.264 (RFC 6381). */
  readonly type: string;
  readonly width: number;
  readonly height: number;
}

/** One picture of a fragment. */
export interface FragmentSample {
  readonly startMs: number;
  readonly durationMs: number;
  /** A view of the fragment. */
  readonly bytes: Uint8Array;
}

interface Box {
  readonly type: string;
  readonly body: Uint8Array;
  /** Where the box begins in what it was found in. */
  readonly at: number;
}

function refuse(why: string): never {
  throw new SealcamError('malformed', `clip: ${why}`);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Returns the boxes that fill these bytes. */
function boxesIn(bytes: Uint8Array): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = bytes.subarray(at, at + 8);
    const size = head.length < 8 ? 0 : viewOf(head).getUint32(0);
    if (size < 8 || at + size > bytes.length) refuse('a box that does not end where it says');
    const type = String.fromCharCode(...head.subarray(4));
    boxes.push({ type, body: bytes.subarray(at + 8, at + size), at });
    at += size;
  }
  return boxes;
}

/** Returns the box at a path of types, from these bytes down. */
function find(bytes: Uint8Array, ...path: readonly string[]): Box {
  const [type = '', ...rest] = path;
  const found = boxesIn(bytes).find((box) => box.type === type) ?? refuse(`no ${type}`);
  return rest.length === 0 ? found : find(found.body, ...rest);
}

/** Bytes of a full box, after version and flags; at least as many as are read of it. */
function fieldsOf({ body, type }: Pick<Box, 'body' | 'type'>, bytes: number): DataView {
  if (body.length < 4 + bytes) refuse(`a ${type} that is too short`);
  return viewOf(body.subarray(4));
}

const TIMESCALE = 1000;
/** Fields of a sample entry for video, before the boxes in it (12.1.3). */
const VIDEO_ENTRY_BYTES = 78;

/** Reads an initialisation. @throws SealcamError `malformed`, `unsupported` (another codec) */
export function readInitialisation(bytes: Uint8Array): ClipForm {
  find(bytes, 'ftyp');
  const media = find(bytes, 'moov', 'trak', 'mdia').body;
  if (fieldsOf(find(media, 'mdhd'), 12).getUint32(8) !== TIMESCALE) refuse('times that are not milliseconds');
  const { body } = find(media, 'minf', 'stbl', 'stsd');
  if (body.length < 8) refuse('an stsd that is too short');
  const [entry = refuse('no sample entry')] = boxesIn(body.subarray(8));
  if (entry.body.length < VIDEO_ENTRY_BYTES) refuse('a sample entry that is too short');
  const size = { width: viewOf(entry.body).getUint16(24), height: viewOf(entry.body).getUint16(26) };
  if (entry.type === 'jpeg') return { codec: 'jpeg', type: 'video/quicktime', ...size };
  if (entry.type !== 'avc1') throw new SealcamError('unsupported', `a clip of codec ${entry.type}`);
  const configuration = find(entry.body.subarray(VIDEO_ENTRY_BYTES), 'avcC').body;
  if (configuration.length < 4) refuse('an avcC that is too short');
  const codec = [...configuration.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { codec: 'h264', type: `video/mp4; codecs="avc1.${codec}"`, ...size };
}

/** Reads the pictures of a fragment. @throws SealcamError `malformed` */
export function readFragment(bytes: Uint8Array): readonly FragmentSample[] {
  const [first, second, ...more] = boxesIn(bytes);
  if (first?.type !== 'moof' || second?.type !== 'mdat' || more.length > 0) refuse('a segment that is not a fragment');
  const track = find(first.body, 'traf').body;
  const start = Number(fieldsOf(find(track, 'tfdt'), 8).getBigUint64(0));
  const run = find(track, 'trun');
  const flags = fieldsOf(run, 8);
  const hasOffsetDurationSizeFlags = 0x701;
  if ((viewOf(run.body).getUint32(0) & 0xffffff) !== hasOffsetDurationSizeFlags) refuse('a trun of another form');
  const count = flags.getUint32(0);
  if (run.body.length !== 12 + 12 * count) refuse('a trun of another length');
  const samples: FragmentSample[] = [];
  let [startMs, at] = [start, flags.getUint32(4)];
  if (at !== second.at + 8) refuse('samples that are not in the fragment');
  for (let i = 0; i < count; i++) {
    const [durationMs, size] = [flags.getUint32(8 + 12 * i), flags.getUint32(12 + 12 * i)];
    if (at + size > bytes.length) refuse('a sample beyond the end');
    samples.push({ startMs, durationMs, bytes: bytes.subarray(at, at + size) });
    startMs += durationMs;
    at += size;
  }
  if (samples.length === 0 || at !== bytes.length) refuse('bytes that are in no sample');
  return samples;
}
