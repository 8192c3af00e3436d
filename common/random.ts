/** Randomness as a parameter: keys and nonces always get the system's, jitter and tests may get a seeded one. */
export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
}
