/**
 * Returns cameras in the household's order. Those that nobody placed follow, in the order in which they came.
 * @param placeOf where a camera (hex of its id) stands, from 0; null where nobody chose
 */
export function inOrder<T extends { readonly device: string }>(
  cameras: readonly T[],
  placeOf: (device: string) => number | null,
): readonly T[] {
  const place = ({ device }: T): number => placeOf(device) ?? Infinity;
  return cameras.toSorted((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
}

/** Returns device ids with one of them a place further up (-1) or down (1); as they were where it cannot go further. */
export function moved(devices: readonly string[], device: string, by: -1 | 1): readonly string[] {
  const from = devices.indexOf(device);
  const other = devices[from + by];
  if (from < 0 || other === undefined) return devices;
  return devices.with(from, other).with(from + by, device);
}
