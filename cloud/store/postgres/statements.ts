/**
 * Values of one statement: an object for the parameters that its text writes as `@name`, as in SQLite; a list for a text
 * that writes `$1`, as {@link tuples} does.
 */
export type Values = Readonly<Record<string, unknown>> | readonly unknown[];

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

interface Parsed {
  readonly text: string;
  readonly names: readonly string[];
}

/** By the text with names. The texts are those of this folder, so there are a few dozen. */
const parsedTexts = new Map<string, Parsed>();

/** Returns the statement as PostgreSQL takes it: `$1`, `$2`, … for the names, in the order in which they first stand. */
export function statement(text: string, values: Values): Statement {
  if (isList(values)) return { text, values: [...values] };
  const parsed = parse(text);
  return {
    text: parsed.text,
    values: parsed.names.map((name) => {
      if (!(name in values)) throw new Error(`the statement has no value for @${name}: ${text}`);
      return values[name];
    }),
  };
}

function isList(values: Values): values is readonly unknown[] {
  return Array.isArray(values);
}

function parse(text: string): Parsed {
  const known = parsedTexts.get(text);
  if (known !== undefined) return known;
  const names: string[] = [];
  const numbered = text.replaceAll(/@([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${String(names.indexOf(name) + 1)}`;
  });
  const parsed = { text: numbered, names };
  parsedTexts.set(text, parsed);
  return parsed;
}

/** Returns `($1::bytea, $2::bigint), ($3::bytea, …)` for rows of these column types, with their values. */
export function tuples(columns: readonly string[], rows: readonly (readonly unknown[])[]): Statement {
  const text = rows.map((_, row) => {
    const cells = columns.map((type, column) => `$${String(row * columns.length + column + 1)}::${type}`);
    return `(${cells.join(', ')})`;
  });
  return { text: text.join(', '), values: rows.flat() };
}
