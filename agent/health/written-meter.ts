const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Turns a count that only grows into that of the last day, to the hour: it keeps what the count was at each hour. */
export class WrittenMeter {
  private readonly marks: { readonly atMs: number; readonly bytes: number }[] = [];

  /** Returns the bytes of the last day, all of them before the first day is over. Null in, null out. */
  lastDay(nowMs: number, bytes: number | null): number | null {
    if (bytes === null) return null;
    const { marks } = this;
    const newest = marks.at(-1);
    if (newest === undefined) marks.push({ atMs: nowMs, bytes: 0 });
    else if (nowMs - newest.atMs >= HOUR_MS) marks.push({ atMs: nowMs, bytes });
    while (marks[1] !== undefined && nowMs - marks[1].atMs >= DAY_MS) marks.shift();
    return bytes - (marks[0]?.bytes ?? 0);
  }
}
