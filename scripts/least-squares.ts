/** Returns the slope of a line through the points by least squares; null where the points have no spread in x. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number | null {
  const mean = (of: (point: readonly [x: number, y: number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(([x]) => x);
  const meanY = mean(([, y]) => y);
  const variance = mean(([x]) => (x - meanX) ** 2);
  return variance > 0 ? mean(([x, y]) => (x - meanX) * (y - meanY)) / variance : null;
}
