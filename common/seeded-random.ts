import type { Random } from './random.js';

/**
 * Returns a repeatable source (sfc32, Chris Doty-Humphrey's PractRand) for scenes, simulations and tests. Never use it
 * for keys or nonces.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = seed | 0;
  let c = Math.trunc(seed / 2 ** 32) | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    uniform: () => next() / 2 ** 32,
  };
}
