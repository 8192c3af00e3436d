/** Stages of an event from the frame to the opened picture, in milliseconds; all measured by one machine's clock. */
const STAGES = [
  'frame_to_decision_ms',
  'thumbnail_ms',
  'seal_ms',
  'sign_and_store_ms',
  'stored_to_cloud_ms',
  'cloud_to_verified_ms',
  'verified_to_opened_ms',
  'decision_to_opened_ms',
  'frame_to_opened_ms',
] as const;
export type Stage = (typeof STAGES)[number];

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Collects stage times, and summarizes them as percentiles. */
export class StageTimes {
  private readonly values = new Map<Stage, number[]>();

  add(stage: Stage, value: number): void {
    const list = this.values.get(stage) ?? [];
    list.push(value);
    this.values.set(stage, list);
  }

  summary(): Partial<Record<Stage, Percentiles>> {
    const out: Partial<Record<Stage, Percentiles>> = {};
    for (const stage of STAGES) {
      const values = this.values.get(stage);
      if (values !== undefined) out[stage] = percentiles(values);
    }
    return out;
  }
}

/** Returns percentiles, rounded to a tenth. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)] ?? 0) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
