/** Types of network abstraction layer units, ITU-T H.264, table 7-1. */
export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const;

/** Returns the index of the next start code (00 00 01), or -1. */
export function findStartCode(bytes: Uint8Array, from: number, end = bytes.length): number {
  let at = bytes.indexOf(1, from + 2);
  while (at >= 0 && at < end) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
    at = bytes.indexOf(1, at + 1);
  }
  return -1;
}

/** Yields the units of an Annex B stream, without start codes and the zeros before them. They are views. */
export function* nalsOf(bytes: Uint8Array): Generator<Uint8Array> {
  let start = findStartCode(bytes, 0);
  while (start >= 0) {
    const next = findStartCode(bytes, start + 3);
    let end = next < 0 ? bytes.length : next;
    while (end > start + 3 && bytes[end - 1] === 0) end--;
    if (end > start + 3) yield bytes.subarray(start + 3, end);
    start = next;
  }
}

/** Returns the type of a unit. */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}
