/* eslint-disable @typescript-eslint/no-non-null-assertion -- the innermost loops, which read typed arrays inside their bounds only */
import type { Kernels } from './kernels.js';
import { SHADE_BASE_LEVEL, layoutOf, LEARNING_MODE, Planes } from './layout.js';

/** Crossing the threshold adds this to the flicker of a pixel; flicker up to the second does not raise its threshold. */
const FLICKER_STEP = 1433;
const FLICKER_FREE = 3 * FLICKER_STEP;
/**
 * A single large difference is not usual: deviations learn from no more than 24 grey levels, in eighths, nor than four
 * deviations.
 */
const DEVIATION_SAMPLE_MAX = 192;
/** 0.2 grey levels in 1/128. */
const DEVIATION_MIN = 26;
/** In eighths of a grey level. */
const DIFFERENCE_MAX = 2047;
const WORD_MAX = 32_767;

/** Returns a × b / 32768, rounded as the Q15 multiplication of SIMD units rounds. */
function q15(a: number, b: number): number {
  return (a * b + 0x4000) >> 15;
}

/** Interpolates between the middles of two tiles at the middle of pixel `at`. */
function between(one: number, next: number, at: number): number {
  return one + q15(next - one, (2 * ((at + 8) & 15) + 1) << 10);
}

/** Returns the reference kernels, to which the SIMD ones are equal in every bit. */
export function plainKernels(): Kernels {
  const nothing = layoutOf(0, 0, 0, 0);
  let planes = new Planes(new ArrayBuffer(nothing.bytes), nothing);
  let bytes = new Uint8Array(0);
  let words = new Int16Array(0);
  // Read from the whole memory: neighbours of the first and last row lie outside their plane.
  const byte = (at: number): number => bytes[at]!;
  const word = (at: number): number => words[at]!;

  return {
    name: 'plain',

    place: (width, height, sourcePixels) => {
      const layout = layoutOf(width, height, sourcePixels, 0);
      const memory = new ArrayBuffer(layout.bytes);
      planes = new Planes(memory, layout);
      bytes = new Uint8Array(memory);
      words = new Int16Array(memory, 0, memory.byteLength >> 1);
      return { layout, memory };
    },

    shrink4: () => {
      const { source, raw, layout } = planes;
      const { width, height, stride } = layout;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = 8;
          for (let row = 0, i = (y * 4 * width + x) * 4; row < 4; row++, i += width * 4) {
            sum += source[i]! + source[i + 1]! + source[i + 2]! + source[i + 3]!;
          }
          raw[y * stride + x] = sum >> 4;
        }
      }
    },

    smooth: () => {
      const { current, layout } = planes;
      const { stride, count } = layout;
      for (let i = 0; i < count; i++) {
        const row = layout.raw + i;
        const up = row - stride;
        const down = row + stride;
        let sum = byte(up - 1) + byte(up) + byte(up + 1) + byte(row - 1) + byte(row);
        sum += byte(row + 1) + byte(down - 1) + byte(down) + byte(down + 1);
        // 29127 / 32768 is 8 / 9.
        current[i] = q15(sum, 29_127);
      }
    },

    sumTiles: () => {
      const { current, mean, sums, layout } = planes;
      const { stride, height, tilesX } = layout;
      sums.fill(0);
      for (let y = 0; y < height; y += 2) {
        for (let x = 0; x < stride; x++) {
          const f = current[y * stride + x]!;
          const m = mean[y * stride + x]! >> 4;
          const tile = ((y >> 4) * tilesX + (x >> 4)) * 4;
          sums[tile] = sums[tile]! + f;
          sums[tile + 1] = sums[tile + 1]! + m;
          sums[tile + 2] = sums[tile + 2]! + m * m;
          sums[tile + 3] = sums[tile + 3]! + m * f;
        }
      }
    },

    subtract: (gain, offset) => {
      const { current, mean, difference, sums, layout } = planes;
      const { stride, count, tilesX } = layout;
      sums.fill(0);
      for (let i = 0; i < count; i++) {
        // 1/128 × 1/8192 to eighths is 2^17.
        const light = Math.min(WORD_MAX, ((mean[i]! * gain) >> 17) + offset);
        const d = Math.max(-DIFFERENCE_MAX, Math.min(DIFFERENCE_MAX, current[i]! - light));
        difference[i] = d;
        const y = Math.floor(i / stride);
        const tile = ((y >> 4) * tilesX + ((i - y * stride) >> 4)) * 4;
        sums[tile] = sums[tile]! + d;
        sums[tile + 1] = sums[tile + 1]! + d * d;
      }
    },

    classify: (deviations) => {
      const {
        difference,
        mean,
        deviation,
        flicker,
        current,
        last,
        valid,
        mask,
        active,
        shades,
        floors,
        edges,
        layout,
      } = planes;
      const { stride, count, tilesX } = layout;
      const range = words.subarray(layout.range >> 1, (layout.range >> 1) + count);
      const row = words.subarray(layout.rowShades >> 1, (layout.rowShades >> 1) + tilesX + 2);
      let marked = 0;
      for (let i = 0; i < count; i++) {
        const y = Math.floor(i / stride);
        const x = i - y * stride;
        if (x === 0) {
          const above = ((y + 8) >> 4) * row.length;
          const below = above + row.length;
          for (let t = 0; t < row.length; t++) row[t] = between(shades[above + t]!, shades[below + t]!, y);
        }
        const left = (x + 8) >> 4;
        const shade = between(row[left]!, row[left + 1]!, x);
        const d = difference[i]! - q15(Math.min(WORD_MAX, mean[i]! + (SHADE_BASE_LEVEL << 7)), shade);
        difference[i] = d;
        const tile = (y >> 4) * tilesX + (x >> 4);
        const calm = Math.max(floors[tile]!, q15(deviation[i]!, deviations)) + q15(range[i]!, edges[tile]!);
        const restless = Math.max(0, flicker[i]! - FLICKER_FREE);
        const threshold = Math.min(WORD_MAX, calm + (q15(calm, restless) << 3));
        const isMarked = Math.abs(d) > threshold ? valid[i]! : 0;
        active[i] = Math.abs(current[i]! - last[i]!) > threshold ? 1 : 0;
        mask[i] = isMarked;
        marked += isMarked;
      }
      return marked;
    },

    remember: () => {
      const { current, last, flicker, mask, marked, layout } = planes;
      for (let i = 0; i < layout.count; i++) {
        if (mask[i] !== marked[i]) flicker[i] = Math.min(WORD_MAX, flicker[i]! + FLICKER_STEP);
      }
      marked.set(mask);
      last.set(current);
    },

    denoise: () => {
      const { clean, layout } = planes;
      const { stride, count } = layout;
      let kept = 0;
      for (let i = 0; i < count; i++) {
        const row = layout.mask + i;
        const up = row - stride;
        const down = row + stride;
        let sum = byte(up - 1) + byte(up) + byte(up + 1) + byte(row - 1) + byte(row);
        sum += byte(row + 1) + byte(down - 1) + byte(down) + byte(down + 1);
        const isKept = byte(row) !== 0 && sum > 3 ? 1 : 0;
        clean[i] = isKept;
        kept += isKept;
      }
      return kept;
    },

    learn: (follow, unknown, spread, calm) => {
      const { current, difference, mean, deviation, flicker, learning, layout } = planes;
      for (let i = 0; i < layout.count; i++) {
        const how = learning[i];
        const target = current[i]! << 4;
        const before = mean[i]!;
        if (how === LEARNING_MODE.copy) mean[i] = target;
        else if (how !== LEARNING_MODE.object)
          mean[i] = before + q15(target - before, how === LEARNING_MODE.unknown ? unknown : follow);
        if (how !== LEARNING_MODE.object) {
          const usual = deviation[i]!;
          const d = Math.min(Math.min(DEVIATION_SAMPLE_MAX, Math.abs(difference[i]!)) << 4, usual << 2);
          deviation[i] = Math.max(DEVIATION_MIN, usual + q15(d - usual, spread));
        }
        flicker[i] = flicker[i]! - q15(flicker[i]!, calm);
      }
    },

    findRanges: () => {
      const { layout } = planes;
      const { stride, count } = layout;
      for (let i = 0; i < count; i++) {
        const row = (layout.mean >> 1) + i;
        let least = WORD_MAX;
        let most = 0;
        for (const middle of [row - stride, row, row + stride]) {
          const a = word(middle - 1);
          const b = word(middle);
          const c = word(middle + 1);
          least = Math.min(least, a, b, c);
          most = Math.max(most, a, b, c);
        }
        words[(layout.range >> 1) + i] = (most - least) >> 4;
      }
    },
  };
}
