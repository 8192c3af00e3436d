/** A serial terminal's width. */
export const COLUMNS = 80;
const LABEL_COLUMNS = 16;

/** Formats `label   value` lines. A value that is too long continues on the next line, below itself. */
export function rows(entries: readonly (readonly [string, string | number | null])[]): string[] {
  return entries.flatMap(([label, value]) => {
    const text = value === null ? '–' : String(value);
    return wrap(text, COLUMNS - LABEL_COLUMNS).map(
      (line, i) => `${(i === 0 ? label : '').padEnd(LABEL_COLUMNS)}${line}`,
    );
  });
}

/** Breaks text into lines, at spaces where possible. */
export function wrap(text: string, width = COLUMNS): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const at = space > 0 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** Formats a table with columns as wide as their longest cell. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...body.map(line)].flatMap((text) => (text.length <= COLUMNS ? [text] : wrap(text)));
}

/** Formats a duration in seconds, minutes or hours. */
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 120) return `${String(s)} s`;
  if (s < 7200) return `${String(Math.round(s / 60))} min`;
  return `${String(Math.round(s / 3600))} h`;
}

/** Formats the memory of a process for a person, and says which it is. */
export function memoryText(memory: { readonly memoryBytes: number; readonly ownMemoryBytes: number | null }): string {
  const mib = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);
  const resident = `${mib(memory.memoryBytes)} MiB resident`;
  return memory.ownMemoryBytes === null ? resident : `${mib(memory.ownMemoryBytes)} MiB of its own, ${resident}`;
}
