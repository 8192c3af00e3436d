/** One body to bring. */
export interface Upload {
  readonly path: string;
  readonly length: number;
  /** Reads the body, once the server wants it; null if it is damaged. */
  readonly read: () => Uint8Array | null;
  /** Resolves when nothing more urgent leaves; called before each part of the body. */
  readonly giveWay: () => Promise<void>;
}

export interface UploadAnswer {
  readonly status: number;
  /** The body of an answer that claims to be a signed receipt: untrusted bytes. */
  readonly receipt: Uint8Array | null;
  /** What the server asks for, unbounded. */
  readonly retryAfterMs: number | undefined;
}

/** Brings bodies to the one server of its settings. */
export interface PutBody {
  /**
   * Resolves with the answer, or with null if the body is damaged.
   * @throws SealcamError `cloud-unreachable`, `cloud-untrusted`, `too-large` for an endless answer
   */
  put(upload: Upload): Promise<UploadAnswer | null>;
  /** Cuts what is under way, and rejects it. */
  close(): void;
}
