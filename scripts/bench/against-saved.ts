import type { Figure } from './measure.js';

/** A figure of this run beside the one that was saved. */
export interface ComparedFigure {
  readonly name: string;
  readonly floor: string;
  readonly savedRatio: number;
  readonly ratio: number;
  /**
   * `worse` and `better` where the pairs of the two runs do not overlap; `same` where they do; `unknown` where one of them
   * kept no pairs.
   */
  readonly change: 'worse' | 'better' | 'same' | 'unknown';
}

export interface ComparedRun {
  /** Name, commit and machine of what was compared with. */
  readonly saved: string;
  readonly figures: readonly ComparedFigure[];
  /** Figures of one run only. */
  readonly onlyHere: readonly string[];
  readonly onlySaved: readonly string[];
}

type Saved = Pick<Figure, 'name' | 'floor' | 'ratio'> & { readonly spread: Figure['spread'] };

/**
 * Holds the figures of a run against those of docs/results/NAME.json, by name and floor. Ratios of one machine differ a
 * little from another's: this names what to look at and decides nothing.
 */
export function compareWithSaved(name: string, saved: unknown, figures: readonly Figure[]): ComparedRun {
  const before = new Map(figuresIn(saved).map((figure) => [keyOf(figure), figure]));
  const compared: ComparedFigure[] = [];
  const onlyHere: string[] = [];
  for (const figure of figures) {
    const was = before.get(keyOf(figure));
    before.delete(keyOf(figure));
    if (was === undefined) onlyHere.push(keyOf(figure));
    else
      compared.push({ ...titleOf(figure), savedRatio: was.ratio, ratio: figure.ratio, change: changeOf(was, figure) });
  }
  return { saved: sourceOf(name, saved), figures: compared, onlyHere, onlySaved: [...before.keys()] };
}

/** Lines to print below a benchmark; empty where nothing was compared. */
export function comparisonText(run: ComparedRun | undefined): string {
  if (run === undefined) return '';
  const of = (change: ComparedFigure['change']): ComparedFigure[] =>
    run.figures.filter((figure) => figure.change === change);
  const line = ({ name, floor, savedRatio, ratio }: ComparedFigure): string =>
    `  ${name}: ${String(savedRatio)} → ${String(ratio)} × ${floor}`;
  const unknown = of('unknown').length;
  return [
    '',
    `compared with ${run.saved}`,
    `worse by more than both runs vary: ${String(of('worse').length)}`,
    ...of('worse').map(line),
    `better: ${String(of('better').length)}`,
    ...of('better').map(line),
    `as before: ${String(of('same').length)}${unknown === 0 ? '' : `, not known how much they vary: ${String(unknown)}`}`,
    ...run.onlyHere.map((key) => `  only in this run: ${key}`),
    ...run.onlySaved.map((key) => `  only in the saved run: ${key}`),
    '',
  ].join('\n');
}

function changeOf(was: Saved, is: Figure): ComparedFigure['change'] {
  if (was.spread === null || is.spread === null) return 'unknown';
  if (is.spread[0] > was.spread[1]) return 'worse';
  return is.spread[1] < was.spread[0] ? 'better' : 'same';
}

function titleOf({ name, floor }: Saved): { name: string; floor: string } {
  return { name, floor };
}

function keyOf({ name, floor }: Saved): string {
  return `${name} × ${floor}`;
}

function sourceOf(name: string, saved: unknown): string {
  const { commit, machine }: Record<string, unknown> = isObject(saved) ? saved : {};
  return `docs/results/${name}.json (commit ${String(commit)}, ${String(machine)})`;
}

/** Finds every figure in a saved result, wherever it stands. */
function figuresIn(value: unknown): Saved[] {
  if (Array.isArray(value)) return value.flatMap(figuresIn);
  if (!isObject(value)) return [];
  const { name, floor, ratio, spread } = value;
  if (typeof name === 'string' && typeof floor === 'string' && typeof ratio === 'number')
    return [{ name, floor, ratio, spread: isSpread(spread) ? spread : null }];
  return Object.values(value).flatMap(figuresIn);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSpread(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((ratio) => typeof ratio === 'number');
}
