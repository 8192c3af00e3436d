/** Verifying in steps of a few milliseconds each, between which a page can draw. */

/** How far a verification is. */
export interface EvidenceProgress {
  /** Bytes of the file, of `total`, that were looked at. */
  readonly done: number;
  readonly total: number;
}

/** A verification in steps; returns its outcome, or throws where the file is refused. */
export type EvidenceSteps<T> = Generator<EvidenceProgress, T, undefined>;

/** Counts the bytes that are behind a verification. */
export class StepCount {
  private readonly total: number;
  private done: number;

  constructor(total: number, done = 0) {
    this.total = total;
    this.done = done;
  }

  add(bytes: number): EvidenceProgress {
    this.done += bytes;
    return { done: this.done, total: this.total };
  }
}

/** Returns the outcome of a verification, done in one go. */
export function inOneGo<T>(steps: EvidenceSteps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
