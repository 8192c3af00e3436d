import type { Random } from '../random.js';

/** One call of getRandomValues gives no more than this. */
const CALL_MAX_BYTES = 65_536;

/** The system's randomness through Web Crypto, in Node and in a browser. Only composition roots hand it out. */
export const realRandom: Random = {
  bytes(length) {
    const out = new Uint8Array(length);
    for (let from = 0; from < length; from += CALL_MAX_BYTES) {
      globalThis.crypto.getRandomValues(out.subarray(from, from + CALL_MAX_BYTES));
    }
    return out;
  },
  uniform: () => {
    const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  },
};
