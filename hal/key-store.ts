/** The secrets of the device. A store hands out the seed only where no secure element can sign by itself. */
export interface DeviceSecrets {
  /** 32-byte Ed25519 seed. */
  readonly seed: Uint8Array;
  /** 16 bytes, printed on the label inside the claim code. */
  readonly claimSecret: Uint8Array;
}

export interface KeyStore {
  /**
   * Reads the secrets, or makes and stores them on the first boot.
   *
   * @throws SealcamError `key-file-invalid` (wrong size, mode or owner; nothing is repaired silently),
   * `key-store-unavailable`
   */
  load(makeSecrets: () => DeviceSecrets): DeviceSecrets;
}
