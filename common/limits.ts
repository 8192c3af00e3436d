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
  /** Zones, and masks, of one order. */
  commandZonesMax: 8,
  /** UTF-8 of the name of a zone or mask, ordered or configured. */
  zoneNameMaxBytes: 32,
  commandSchedulesMax: 16,
  /** How far the counter of an order may be ahead of a camera's wall clock, once it is set (version 2). */
  orderAheadMaxMs: 86_400_000,
  /** Header of an object sealed with suite 2. */
  sealHeaderMaxBytes: 56,
  /** Segments that one clip record names, 122 bytes each. */
  clipRecordSegmentsMax: 31,
  /** Segments of one clip. */
  clipSegmentsMax: 1024,
  segmentMaxMs: 2000,
  /** Content of a segment: with the four bytes of its length eight chunks. */
  segmentMaxBytes: 524_284,
  /** Its sealed body: eight chunks with their tags. */
  segmentSealedMaxBytes: 524_288 + 8 * 16,
  /** A signed order to look, whole in the record that answers it. */
  lookOrderMaxBytes: 2048,
  lookMaxSeconds: 60,
  /** Ciphertext of one live message: a message of `messageMaxBytes` with room for what stands around it. */
  liveMaxBytes: 128 * 1024 - 64,
  /** One picture of a look, in as many messages as it needs. */
  liveUnitMaxBytes: 1024 * 1024,
  mediaReceiptEntriesMax: 32,
  /** What every push message carries, padding included; RFC 8291 in one record of 4,096 bytes leaves 3,993 for it. */
  noticeBytes: 3900,
  /** Quiet hours that one browser may have, and cameras of which it hears otherwise than of the others. */
  pushQuietMax: 4,
  pushCamerasMax: 64,
  /** A household's settings object, its wraps (9,395 bytes for 8 recipients) and its ciphertext. */
  settingsMaxBytes: 64 * 1024,
  settingsHeaderMaxBytes: 10 * 1024,
  settingsBodyMaxBytes: 48 * 1024,
  settingsParentsMax: 8,
  /** Names of cameras and members together, and names of zones. */
  householdNamesMax: 256,
  householdCamerasMax: 128,
  /** A name: letters as a person counts them (UAX 29), and UTF-8. */
  householdNameMaxLetters: 64,
  householdNameMaxBytes: 256,
  /** Reviewed marks. */
  householdMarksMax: 1024,
  /** Settings objects that a state names as those it was made from. */
  householdAncestorsMax: 64,
  /** Versions in a cloud's hello. */
  helloVersionsMax: 8,
  /** An evidence file: one event with its pictures and clips. */
  evidenceMaxBytes: 64 * 1024 * 1024,
  /** Its records, from the event's first to its last. */
  evidenceRecordsMax: 4096,
  /** Segments of clips in it, and receipts. */
  evidenceSegmentsMax: 1024,
  evidenceReceiptsMax: 1024,
  /** A span: the evidence files of several events of a camera in one. */
  evidenceSpanMaxBytes: 256 * 1024 * 1024,
  evidenceSpanEventsMax: 256,
  /** Files of the owner's page that its maker's list names, the largest of them, the list, and its signature. */
  pageFilesMax: 256,
  pageFileMaxBytes: 4 * 1024 * 1024,
  pageListMaxBytes: 64 * 1024,
  pageSignatureMaxBytes: 4096,
  /** Interval between a camera's health records. */
  healthCadenceMs: 15 * 60_000,
} as const;
