/** Limits that more than one folder relies on; each has its unit in its name. A folder's own limits live with it. */
export const LIMITS = {
  /** Largest signed object that is parsed at all. */
  signedMaxBytes: 8 * 1024,
  /** A revocation list carries up to `revocationMaxEntries`, so it may be larger than the other kinds. */
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
  /** A claim window, and the one-use nonce of its offer, live this long on the monotonic clock. */
  claimWindowMs: 10 * 60_000,
  /** A command names a record that is no older than this on the camera's monotonic clock. */
  commandMaxAgeMs: 30 * 60_000,
  healthCadenceMs: 15 * 60_000,
} as const;
