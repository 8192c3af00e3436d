/** Limits that more than one folder uses, each with its unit in its name. Limits of one folder stay in that folder. */
export const LIMITS = {
  /** Signed objects above this are refused unparsed. */
  signedMaxBytes: 8 * 1024,
  /** A revocation list has up to `revocationMaxEntries`, so it may be larger than other kinds. */
  revocationMaxBytes: 64 * 1024,
  revocationMaxEntries: 1024,
  /** Epochs in one browser's statement of heads, 75 bytes each. */
  headsMax: 512,
  headsMaxBytes: 64 * 1024,
  /** Depth of nested arrays, maps and tags in anything from outside. */
  cborMaxDepth: 8,
  /** Number of CBOR items in anything from outside. */
  cborMaxItems: 16_384,
  /** Header and body of one sealed object together. */
  sealedMaxBytes: 96 * 1024,
  sealChunkBytes: 64 * 1024,
  sealPadBytes: 4 * 1024,
  recipientsMax: 8,
  receiptKeysMax: 4,
  receiptRangesMax: 32,
  receiptRejectsMax: 32,
  recordMediaMax: 4,
  recordLossMax: 32,
  lossMediaMax: 16,
  messageMaxBytes: 128 * 1024,
  messageRecordsMax: 16,
  /** How long a claim window and the nonce of its offer are valid, on the camera's monotonic clock. */
  claimWindowMs: 10 * 60_000,
  /** Oldest record that a command may name as recent, on the camera's monotonic clock. */
  commandMaxAgeMs: 30 * 60_000,
  /**
   * Health records that a camera may have signed since the record that privacy on or a release names, counted at most one per
   * `healthCadenceMs` of a boot: two days that it was on.
   */
  commandMaxHealth: 192,
  /** Interval between a camera's health records. */
  healthCadenceMs: 15 * 60_000,
} as const;
