import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './vectors.js';

/** One attack with its expected outcome, and a control that shows that the outcome is due to the check. */
export interface Attack {
  /** In the words of the threat model. */
  readonly name: string;
  readonly expected: string;
  readonly observed: () => string | Promise<string>;
  readonly control: {
    /** What differs: the same input without the attack, or the same attack without the check. */
    readonly name: string;
    readonly expected: string;
    readonly observed: () => string | Promise<string>;
  };
}

const PAGE = 'docs/attacks.md';
const TABLE_HEAD = '| attack | expected | observed | control |\n|---|---|---|---|\n';

/** With `SEALCAM_ATTACKS=update` the tables are written; otherwise they are compared with what was observed. */
export const isUpdate = process.env['SEALCAM_ATTACKS'] === 'update';

/** Declares the attacks of one file, whose table is one part of docs/attacks.md. */
export function attacks(group: string, title: string, entries: readonly Attack[]): void {
  const rows: string[] = [];
  for (const { name, expected, observed, control } of entries) {
    it(`${name}: ${expected}`, async () => {
      const seen = await observed();
      const held = await control.observed();
      rows.push(`| ${[name, expected, seen, `${control.name}: ${held}`].map(cell).join(' | ')} |`);
      expect({ attack: seen, control: held }).toEqual({ attack: expected, control: control.expected });
    });
  }

  it(`${PAGE} has what was observed; SEALCAM_ATTACKS=update npm test -- adversarial writes it`, () => {
    expect(rows).toHaveLength(entries.length);
    const table = `\n\n## ${title}\n\n${TABLE_HEAD}${rows.join('\n')}\n\n`;
    const page = readPage();
    const { from, to } = rangeOf(page, group);
    if (isUpdate) writeFileSync(join(repository, PAGE), page.slice(0, from) + table + page.slice(to));
    else expect(page.slice(from, to)).toBe(table);
  });
}

/** Returns the number of attacks in each table of docs/attacks.md, by the name of its part. */
export function tablesOfThePage(): ReadonlyMap<string, number> {
  const page = readPage();
  const groups = [...page.matchAll(/<!-- attacks: ([a-z-]+) -->/g)].map((match) => match[1] ?? '');
  return new Map(
    groups.map((group) => {
      const { from, to } = rangeOf(page, group);
      const [, rows = ''] = page.slice(from, to).split(TABLE_HEAD);
      return [group, rows.split('\n').filter((line) => line.startsWith('| ')).length] as const;
    }),
  );
}

function readPage(): string {
  return readFileSync(join(repository, PAGE), 'utf8');
}

/** @throws Error where the page has no such part */
function rangeOf(page: string, group: string): { readonly from: number; readonly to: number } {
  const marker = `<!-- attacks: ${group} -->`;
  const at = page.indexOf(marker);
  const to = page.indexOf('<!-- end -->', at);
  if (at < 0 || to < 0) throw new Error(`${PAGE} has no part ${marker} … <!-- end -->`);
  return { from: at + marker.length, to };
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}
