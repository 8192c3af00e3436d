import type { HouseholdMarks, ReviewedMarks } from './reviewed-marks.js';

/** Shares this browser's marks with its household from now on, and tells it what was marked before it was there. */
export async function shareMarks(marks: ReviewedMarks, household: HouseholdMarks): Promise<void> {
  marks.join(household);
  const waiting = new Map(marks.waiting);
  for (const isReviewed of [true, false]) {
    const keys = [...waiting].filter(([, one]) => one === isReviewed).map(([key]) => key);
    if (keys.length > 0) await household.markReviewed(keys, isReviewed);
  }
  await marks.told(waiting);
}
