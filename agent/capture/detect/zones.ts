/** A polygon in fractions of the picture, 0 to 1 from the left and the top. */
export interface MotionZone {
  readonly name: string;
  readonly corners: readonly (readonly [number, number])[];
  /** Smaller subjects do not count there; per cent of the picture. */
  readonly minArea?: number | undefined;
}

/** Reports whether a point is inside a polygon, by the even-odd rule. */
export function isInside(zone: MotionZone, x: number, y: number): boolean {
  let inside = false;
  const { corners } = zone;
  for (const [i, [x1, y1]] of corners.entries()) {
    const [x2, y2] = corners[(i + corners.length - 1) % corners.length] ?? [x1, y1];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** Returns a bit for each of at most eight zones that the middle of a pixel is in, for all pixels; without zones bit 0. */
export function zoneMask(zones: readonly MotionZone[], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  if (zones.length === 0) return mask.fill(1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let bits = 0;
      for (const [i, zone] of zones.entries()) {
        if (isInside(zone, (x + 0.5) / width, (y + 0.5) / height)) bits |= 1 << i;
      }
      mask[y * width + x] = bits;
    }
  }
  return mask;
}

/** Returns the names of the zones that the middle or the feet of a box are in. */
export function zonesOf(
  zones: readonly MotionZone[],
  box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
): string[] {
  const x = box.left + box.width / 2;
  const points = [box.top + box.height / 2, box.top + box.height * 0.95];
  return zones.filter((zone) => points.some((y) => isInside(zone, x, y))).map(({ name }) => name);
}
