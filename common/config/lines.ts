/** Line (from 1) on which a dotted key is set in a TOML text; 1 if it cannot be found. The parser does not say. */
export function lineOfKey(text: string, name: string): number {
  let table = '';
  for (const [i, line] of text.split('\n').entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?/.exec(line)?.[1];
    if (header !== undefined) {
      table = clean(header);
      // An array of tables is one value; its first header is where it stands.
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
