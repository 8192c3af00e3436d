/** Mean of each pixel's 3×3 neighbourhood; at the border of what is inside. Takes a third of the noise away. */
export function blur3(source: Uint8Array, width: number, height: number, out: Uint8Array): void {
  for (let y = 0; y < height; y++) {
    const up = (y === 0 ? y : y - 1) * width;
    const row = y * width;
    const down = (y === height - 1 ? y : y + 1) * width;
    for (let x = 0; x < width; x++) {
      const left = x === 0 ? x : x - 1;
      const right = x === width - 1 ? x : x + 1;
      const sum =
        at(source, up + left) +
        at(source, up + x) +
        at(source, up + right) +
        at(source, row + left) +
        at(source, row + x) +
        at(source, row + right) +
        at(source, down + left) +
        at(source, down + x) +
        at(source, down + right);
      out[row + x] = (sum * 7282 + 32768) >> 16;
    }
  }
}

/** Typed arrays read undefined beyond their end; inside them it never is. */
export function at(data: Uint8Array | Float32Array | Int32Array | Uint16Array, index: number): number {
  // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- the innermost loop of everything
  return data[index]!;
}

/** Means of `width` × `height` blocks: the small plane that everything after looks at. */
export function shrink(
  source: Uint8Array,
  sourceWidth: number,
  sourceHeight: number,
  width: number,
  height: number,
): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * sourceHeight) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * sourceHeight) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * sourceWidth) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * sourceWidth) / width));
      let sum = 0;
      for (let sy = top; sy < bottom; sy++) {
        for (let sx = left; sx < right; sx++) sum += at(source, sy * sourceWidth + sx);
      }
      out[y * width + x] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return out;
}
