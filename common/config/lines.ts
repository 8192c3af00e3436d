/**
 * Returns the line (from 1) that sets a dotted key in a TOML text; 1 if it is not found. The parser has no positions.
 */
export function lineOfKey(text: string, name: string): number {
  let table = '';
  for (const [i, line] of text.split('\n').entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?/.exec(line)?.[1];
    if (header !== undefined) {
      table = clean(header);
      // An array of tables is one value and begins at its first header.
      if (table === name) return i + 1;
      continue;
    }
    const key = /^\s*([A-Za-z0-9_."'\s-]+?)\s*=/.exec(line)?.[1];
    if (key === undefined) continue;
    const full = table === '' ? clean(key) : `${table}.${clean(key)}`;
    if (full === name || name.startsWith(`${full}.`)) return i + 1;
  }
  return 1;
}

function clean(key: string): string {
  return key.replaceAll(/["'\s]/g, '');
}
