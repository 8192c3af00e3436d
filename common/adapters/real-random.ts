import type { Random } from '../random.js';

/** Limit of one call of getRandomValues (Web Crypto §10.1.1). */
const CALL_MAX_BYTES = 65_536;

/** The system's random source, through Web Crypto, in Node and in a browser. Only composition roots pass it on. */
export const realRandom: Random = {
  bytes(length) {
    const out = new Uint8Array(length);
    for (let from = 0; from < length; from += CALL_MAX_BYTES) {
      globalThis.crypto.getRandomValues(out.subarray(from, from + CALL_MAX_BYTES));
    }
    return out;
  },
  // 53 random bits, the precision of a double.
  uniform: () => {
    const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  },
};
