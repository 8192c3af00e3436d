import { existsSync, readFileSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Its lowest bit is set in a log whose checksums are over big-endian words. */
const MAGIC = 0x377f0682;

/**
 * Returns the schema version in a write-ahead log, 0 if it holds none (SQLite file format §4). Only the frames that SQLite
 * would replay count: those of this round of the log, with a valid checksum, up to the last commit. After a power cut
 * anything may follow them.
 */
export function versionInWal(path: string): number {
  if (!existsSync(path)) return 0;
  const log = readFileSync(path);
  if (log.length < HEADER_BYTES || (log.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return 0;
  const isBig = (log.readUInt32BE(0) & 1) === 1;
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8);
  let sum = checksum(log.subarray(0, 24), isBig, [0, 0]);
  if (!isSum(log, 24, sum)) return 0;
  let seen = 0;
  let committed = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    const frame = log.subarray(at, at + frameBytes);
    if (log.compare(frame, 8, 16, 16, 24) !== 0) break;
    sum = checksum(frame.subarray(FRAME_HEADER_BYTES), isBig, checksum(frame.subarray(0, 8), isBig, sum));
    if (!isSum(frame, 16, sum)) break;
    if (frame.readUInt32BE(0) === 1) seen = frame.readUInt32BE(FRAME_HEADER_BYTES + 60);
    const isCommit = frame.readUInt32BE(4) !== 0;
    if (isCommit) committed = seen;
  }
  return committed;
}

type Sum = readonly [number, number];

function isSum(bytes: Buffer, at: number, [a, b]: Sum): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;
}

function checksum(bytes: Buffer, isBig: boolean, [first, second]: Sum): Sum {
  let a = first;
  let b = second;
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    a = (a + (isBig ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i)) + b) >>> 0;
    b = (b + (isBig ? bytes.readUInt32BE(i + 4) : bytes.readUInt32LE(i + 4)) + a) >>> 0;
  }
  return [a, b];
}
