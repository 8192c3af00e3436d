/** Returns whether signed losses, sorted by `from_seq`, cover every seq from `from` to `to`. */
export function isCovered(
  ranges: readonly { readonly from_seq: number; readonly to_seq: number }[],
  from: number,
  to: number,
): boolean {
  if (to < from) return false;
  let next = from;
  for (const { from_seq, to_seq } of ranges) {
    if (from_seq > next) return false;
    next = Math.max(next, to_seq + 1);
    if (next > to) return true;
  }
  return false;
}
