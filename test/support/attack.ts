import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './vectors.js';

/** One attack, what must come of it, and a control that shows that the outcome is the check's doing. */
export interface Attack {
  /** In the words of the threat model. */
  readonly name: string;
  readonly expected: string;
  readonly observed: () => string | Promise<string>;
  readonly control: {
    /** What differs: the same input without the attack, or the path without the check. */
    readonly says: string;
    readonly expected: string;
    readonly observed: () => string | Promise<string>;
  };
}

const PAGE = join(repository, 'docs', 'security.md');
/** With `SEALCAM_ATTACKS=update` the table is written; else what it says must be what was observed. */
const isUpdate = process.env['SEALCAM_ATTACKS'] === 'update';

/** The attacks of one file, which is one part of the table in docs/security.md. */
export function attacks(group: string, title: string, entries: readonly Attack[]): void {
  const rows: string[] = [];
  for (const { name, expected, observed, control } of entries) {
    it(`${name}: ${expected}`, async () => {
      const seen = await observed();
      const held = await control.observed();
      rows.push(`| ${[name, expected, seen, `${control.says}: ${held}`].map(cell).join(' | ')} |`);
      expect({ attack: seen, control: held }).toEqual({ attack: expected, control: control.expected });
    });
  }

  it(`docs/security.md says what was observed; SEALCAM_ATTACKS=update npm test -- adversarial writes it`, () => {
    expect(rows).toHaveLength(entries.length);
    const head = '| attack | expected | observed | control |\n|---|---|---|---|';
    keepPart(group, `\n\n**${title}**\n\n${head}\n${rows.join('\n')}\n\n`);
  });
}

/** Names of the parts that docs/security.md has a place for, in its order. */
export function partsOfThePage(): string[] {
  return [...readFileSync(PAGE, 'utf8').matchAll(/<!-- attacks: ([a-z-]+) -->/g)].map((match) => match[1] ?? '');
}

/** Writes a part of the page, or compares it. */
function keepPart(group: string, part: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const { from, to } = partOf(page, group);
  if (isUpdate) writeFileSync(PAGE, page.slice(0, from) + part + page.slice(to));
  else expect(page.slice(from, to)).toBe(part);
}

function partOf(page: string, group: string): { readonly from: number; readonly to: number } {
  const begin = `<!-- attacks: ${group} -->`;
  const at = page.indexOf(begin);
  const to = page.indexOf('<!-- end -->', at);
  if (at < 0 || to < 0) throw new Error(`docs/security.md has no place for ${begin} … <!-- end -->`);
  return { from: at + begin.length, to };
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}
