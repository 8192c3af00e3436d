/**
 * AssemblyScript: the inner loops in SIMD, equal in every bit to plain.ts, which has the comments on what they do.
 * `npm run kernels` compiles this into simd-module.ts, and a test compares the two. simd.ts sets the globals.
 */
export let width: i32 = 0;
export let height: i32 = 0;
export let stride: i32 = 0;
export let count: i32 = 0;
export let tilesX: i32 = 0;
export let tiles: i32 = 0;
export let source: usize = 0;
export let raw: usize = 0;
export let current: usize = 0;
export let last: usize = 0;
export let mean: usize = 0;
export let deviation: usize = 0;
export let flicker: usize = 0;
export let range: usize = 0;
export let difference: usize = 0;
export let valid: usize = 0;
export let mask: usize = 0;
export let marked: usize = 0;
export let clean: usize = 0;
export let active: usize = 0;
export let learning: usize = 0;
export let sums: usize = 0;
export let shades: usize = 0;
export let floors: usize = 0;
export let edges: usize = 0;
export let rowShades: usize = 0;

const FLICKER_STEP: i16 = 1433;
const FLICKER_FREE: i16 = 4299;
const DEVIATION_SAMPLE_MAX: i16 = 192;
const DEVIATION_MIN: i16 = 26;
const DIFFERENCE_MAX: i16 = 2047;
/** 16 grey levels in 1/128. */
const SHADE_BASE_LEVEL: i16 = 2048;

function total32(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + (i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3));
}

export function shrink4(): void {
  const line: i32 = width * 4;
  for (let y: i32 = 0; y < height; y++) {
    for (let x: i32 = 0; x < width; x += 4) {
      const at: usize = source + ((y * 4 * width + x) << 2);
      let sum: v128 = i16x8.extadd_pairwise_i8x16_u(v128.load(at));
      sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(v128.load(at + line)));
      sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(v128.load(at + 2 * line)));
      sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(v128.load(at + 3 * line)));
      const means: v128 = i32x4.shr_u(i32x4.add(i32x4.extadd_pairwise_i16x8_s(sum), i32x4.splat(8)), 4);
      const narrow: v128 = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(means, means), means);
      store<u32>(raw + y * stride + x, <u32>i32x4.extract_lane(narrow, 0));
    }
  }
}

function three(at: usize): v128 {
  return i16x8.add(i16x8.add(v128.load8x8_u(at - 1), v128.load8x8_u(at)), v128.load8x8_u(at + 1));
}

export function smooth(): void {
  const factor: v128 = i16x8.splat(29127);
  for (let i: i32 = 0; i < count; i += 8) {
    const at: usize = raw + i;
    const sum: v128 = i16x8.add(i16x8.add(three(at - stride), three(at)), three(at + stride));
    v128.store(current + (i << 1), i16x8.q15mulr_sat_s(sum, factor));
  }
}

export function sumTiles(): void {
  const ones: v128 = i16x8.splat(1);
  for (let tile: i32 = 0; tile < tiles; tile++) {
    const top: i32 = (tile / tilesX) << 4;
    const bottom: i32 = min(top + 16, height);
    let f1: v128 = i32x4.splat(0);
    let m1: v128 = i32x4.splat(0);
    let mm: v128 = i32x4.splat(0);
    let mf: v128 = i32x4.splat(0);
    for (let y: i32 = top; y < bottom; y += 2) {
      const at: usize = (y * stride + ((tile % tilesX) << 4)) << 1;
      for (let half: usize = 0; half < 32; half += 16) {
        const f: v128 = v128.load(current + at + half);
        const m: v128 = i16x8.shr_s(v128.load(mean + at + half), 4);
        f1 = i32x4.add(f1, i32x4.dot_i16x8_s(f, ones));
        m1 = i32x4.add(m1, i32x4.dot_i16x8_s(m, ones));
        mm = i32x4.add(mm, i32x4.dot_i16x8_s(m, m));
        mf = i32x4.add(mf, i32x4.dot_i16x8_s(m, f));
      }
    }
    const to: usize = sums + (tile << 4);
    store<i32>(to, total32(f1));
    store<i32>(to, total32(m1), 4);
    store<i32>(to, total32(mm), 8);
    store<i32>(to, total32(mf), 12);
  }
}

export function subtract(gain: i32, offset: i32): void {
  const gains: v128 = i16x8.splat(<i16>gain);
  const offsets: v128 = i32x4.splat(offset);
  const most: v128 = i16x8.splat(DIFFERENCE_MAX);
  const least: v128 = i16x8.splat(-DIFFERENCE_MAX);
  const ones: v128 = i16x8.splat(1);
  memory.fill(sums, 0, tiles << 4);
  for (let tile: i32 = 0; tile < tiles; tile++) {
    const top: i32 = (tile / tilesX) << 4;
    const bottom: i32 = min(top + 16, height);
    let d1: v128 = i32x4.splat(0);
    let dd: v128 = i32x4.splat(0);
    for (let y: i32 = top; y < bottom; y++) {
      const row: usize = (y * stride + ((tile % tilesX) << 4)) << 1;
      for (let half: usize = 0; half < 32; half += 16) {
        const at: usize = row + half;
        const m: v128 = v128.load(mean + at);
        const low: v128 = i32x4.add(i32x4.shr_s(i32x4.extmul_low_i16x8_s(m, gains), 17), offsets);
        const high: v128 = i32x4.add(i32x4.shr_s(i32x4.extmul_high_i16x8_s(m, gains), 17), offsets);
        const all: v128 = i16x8.sub_sat_s(v128.load(current + at), i16x8.narrow_i32x4_s(low, high));
        const d: v128 = i16x8.max_s(least, i16x8.min_s(most, all));
        v128.store(difference + at, d);
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(d, ones));
        dd = i32x4.add(dd, i32x4.dot_i16x8_s(d, d));
      }
    }
    const to: usize = sums + (tile << 4);
    store<i32>(to, total32(d1));
    store<i32>(to, total32(dd), 4);
  }
}

/** Computes the shades of a row of pixels, one for each tile and one on either side. */
function shadeRow(y: i32): void {
  const line: usize = (tilesX + 2) << 1;
  const above: usize = shades + ((y + 8) >> 4) * line;
  const weight: i32 = (2 * ((y + 8) & 15) + 1) << 10;
  for (let at: usize = 0; at < line; at += 2) {
    const one: i32 = load<i16>(above + at);
    const next: i32 = load<i16>(above + line + at);
    store<i16>(rowShades + at, <i16>(one + (((next - one) * weight + 0x4000) >> 15)));
  }
}

export function classify(deviations: i32): i32 {
  const perDeviation: v128 = i16x8.splat(<i16>deviations);
  const free: v128 = i16x8.splat(FLICKER_FREE);
  const zero: v128 = i16x8.splat(0);
  const one: v128 = i8x16.splat(1);
  const black: v128 = i16x8.splat(SHADE_BASE_LEVEL);
  // Weights of the next tile, for pixels before and after the middle of a tile.
  const before8: v128 = i16x8(17408, 19456, 21504, 23552, 25600, 27648, 29696, 31744);
  const after8: v128 = i16x8(1024, 3072, 5120, 7168, 9216, 11264, 13312, 15360);
  let found: v128 = i32x4.splat(0);
  for (let y: i32 = 0; y < height; y++) {
    shadeRow(y);
    const firstTile: usize = ((y >> 4) * tilesX) << 1;
    for (let x: i32 = 0; x < stride; x += 8) {
      const i: i32 = y * stride + x;
      const at: usize = i << 1;
      const tile: usize = firstTile + ((x >> 4) << 1);
      const near: usize = rowShades + (((x + 8) >> 4) << 1);
      const left: v128 = v128.load16_splat(near);
      const right: v128 = v128.load16_splat(near, 2);
      const shade: v128 = i16x8.add(left, i16x8.q15mulr_sat_s(i16x8.sub(right, left), x & 8 ? after8 : before8));
      const ground: v128 = i16x8.add_sat_s(v128.load(mean + at), black);
      const d: v128 = i16x8.sub(v128.load(difference + at), i16x8.q15mulr_sat_s(ground, shade));
      v128.store(difference + at, d);
      const usual: v128 = i16x8.q15mulr_sat_s(v128.load(deviation + at), perDeviation);
      const calm: v128 = i16x8.add(
        i16x8.max_s(v128.load16_splat(floors + tile), usual),
        i16x8.q15mulr_sat_s(v128.load(range + at), v128.load16_splat(edges + tile)),
      );
      const restless: v128 = i16x8.max_s(zero, i16x8.sub(v128.load(flicker + at), free));
      const threshold: v128 = i16x8.add_sat_s(calm, i16x8.shl(i16x8.q15mulr_sat_s(calm, restless), 3));
      const exceeds: v128 = i16x8.gt_s(i16x8.abs(d), threshold);
      const step: v128 = i16x8.abs(i16x8.sub(v128.load(current + at), v128.load(last + at)));
      const changes: v128 = i16x8.gt_s(step, threshold);
      const isMarked: v128 = v128.and(v128.and(i8x16.narrow_i16x8_s(exceeds, zero), one), v128.load64_zero(valid + i));
      v128.store64_lane(mask + i, isMarked, 0);
      v128.store64_lane(active + i, v128.and(i8x16.narrow_i16x8_s(changes, zero), one), 0);
      found = i32x4.add(found, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_u(isMarked)));
    }
  }
  return total32(found);
}

export function remember(): void {
  const step: v128 = i16x8.splat(FLICKER_STEP);
  for (let i: i32 = 0; i < count; i += 8) {
    const at: usize = i << 1;
    const now: v128 = v128.load64_zero(mask + i);
    const crossed: v128 = i16x8.extend_low_i8x16_s(i8x16.ne(now, v128.load64_zero(marked + i)));
    v128.store(flicker + at, i16x8.add_sat_s(v128.load(flicker + at), v128.and(crossed, step)));
    v128.store64_lane(marked + i, now, 0);
    v128.store(last + at, v128.load(current + at));
  }
}

function three8(at: usize): v128 {
  return i8x16.add(i8x16.add(v128.load(at - 1), v128.load(at)), v128.load(at + 1));
}

export function denoise(): i32 {
  const enough: v128 = i8x16.splat(3);
  let kept: v128 = i32x4.splat(0);
  for (let i: i32 = 0; i < count; i += 16) {
    const at: usize = mask + i;
    const sum: v128 = i8x16.add(i8x16.add(three8(at - stride), three8(at)), three8(at + stride));
    const isKept: v128 = v128.and(i8x16.gt_s(sum, enough), v128.load(at));
    v128.store(clean + i, isKept);
    kept = i32x4.add(kept, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_u(isKept)));
  }
  return total32(kept);
}

export function learn(follow: i32, unknown: i32, spread: i32, calm: i32): void {
  const follows: v128 = i16x8.splat(<i16>follow);
  const unknowns: v128 = i16x8.splat(<i16>unknown);
  const spreads: v128 = i16x8.splat(<i16>spread);
  const calms: v128 = i16x8.splat(<i16>calm);
  const most: v128 = i16x8.splat(DEVIATION_SAMPLE_MAX);
  const least: v128 = i16x8.splat(DEVIATION_MIN);
  for (let i: i32 = 0; i < count; i += 8) {
    const at: usize = i << 1;
    const how: v128 = v128.load8x8_u(learning + i);
    const isUnknown: v128 = i16x8.eq(how, i16x8.splat(1));
    const isObject: v128 = i16x8.eq(how, i16x8.splat(2));
    const isCopy: v128 = i16x8.eq(how, i16x8.splat(3));
    const target: v128 = i16x8.shl(v128.load(current + at), 4);
    const before: v128 = v128.load(mean + at);
    const rate: v128 = v128.andnot(v128.bitselect(unknowns, follows, isUnknown), isObject);
    const moved: v128 = i16x8.add(before, i16x8.q15mulr_sat_s(i16x8.sub(target, before), rate));
    v128.store(mean + at, v128.bitselect(target, moved, isCopy));
    const usual: v128 = v128.load(deviation + at);
    const far: v128 = i16x8.shl(i16x8.min_s(most, i16x8.abs(v128.load(difference + at))), 4);
    const d: v128 = i16x8.min_s(far, i16x8.shl(usual, 2));
    const learnt: v128 = i16x8.max_s(least, i16x8.add(usual, i16x8.q15mulr_sat_s(i16x8.sub(d, usual), spreads)));
    v128.store(deviation + at, v128.bitselect(usual, learnt, isObject));
    const flicks: v128 = v128.load(flicker + at);
    v128.store(flicker + at, i16x8.sub(flicks, i16x8.q15mulr_sat_s(flicks, calms)));
  }
}

export function findRanges(): void {
  for (let i: i32 = 0; i < count; i += 8) {
    const at: usize = mean + (i << 1);
    let least: v128 = v128.load(at);
    let most: v128 = least;
    for (let row: i32 = -1; row < 2; row++) {
      for (let column: i32 = -1; column < 2; column++) {
        const near: v128 = v128.load(at + ((row * stride + column) << 1));
        least = i16x8.min_s(least, near);
        most = i16x8.max_s(most, near);
      }
    }
    v128.store(range + (i << 1), i16x8.shr_s(i16x8.sub(most, least), 4));
  }
}
