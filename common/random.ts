/** Randomness as a parameter. Keys and nonces need the system's source; jitter and tests may use a seeded one. */
export interface Random {
  /** Returns `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
  /** Returns a number in [0, 1), uniformly distributed. */
  readonly uniform: () => number;
}
