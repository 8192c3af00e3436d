import { tallyOf, type LabelledClip } from './rules.js';

/** Share of the labelled time in which an event is open: over all clips, and by the name of each; null without labels. */
export interface Coverage {
  readonly all: number;
  readonly clips: ReadonlyMap<string, number | null>;
}

/** Computes the coverage from the events of each file, a JSON line each. */
export function coverageOf(clips: readonly LabelledClip[], events: ReadonlyMap<string, string>): Coverage {
  let labelled = 0;
  let covered = 0;
  const shares = new Map<string, number | null>();
  for (const clip of clips) {
    const { labelledSeconds, coveredSeconds } = tallyOf(clip, spansOf(events.get(clip.file) ?? '', clip.frames));
    labelled += labelledSeconds;
    covered += coveredSeconds;
    shares.set(clip.file.replace(/\.[^.]*$/, ''), labelledSeconds === 0 ? null : coveredSeconds / labelledSeconds);
  }
  return { all: labelled === 0 ? 1 : covered / labelled, clips: shares };
}

/** Adds `coverage` to the scorer's report, once over all clips and once to each clip. */
export function withCoverage(report: string, { all, clips }: Coverage): string {
  const scored = JSON.parse(report) as { readonly clips?: readonly { readonly clip: string }[] };
  const rows = (scored.clips ?? []).map((row) => ({ ...row, coverage: clips.get(row.clip) ?? null }));
  return `${JSON.stringify({ coverage: all, ...scored, clips: rows }, null, 1)}\n`;
}

/** An event without an end is open until the clip ends. */
function spansOf(lines: string, frames: number): (readonly [number, number])[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { start_frame: from, end_frame: to } = JSON.parse(line) as { start_frame: number; end_frame?: number };
      return [from, to ?? frames - 1];
    });
}
