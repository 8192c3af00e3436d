import { isRelative, parseFile, resolveImport, type Sources } from './parse.js';
import { roomOf } from './rooms.js';

/** Files that each file imports, by path. */
function edgesOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, string[]>();
  for (const [path, text] of Object.entries(sources)) {
    const targets = parseFile(path, text)
      .imports.filter(({ specifier }) => isRelative(specifier))
      .map(({ specifier }) => resolveImport(path, specifier, sources))
      .filter((target) => target in sources);
    edges.set(path, targets);
  }
  return edges;
}

/** Pairs of rooms of which the first imports the second. */
export function arrowsBetweenRooms(sources: Sources): string[] {
  const arrows = new Set<string>();
  for (const [path, targets] of edgesOf(sources)) {
    for (const target of targets) {
      if (roomOf(path) !== roomOf(target)) arrows.add(`${roomOf(path)} → ${roomOf(target)}`);
    }
  }
  return [...arrows].sort();
}

export function roomsOf(sources: Sources): string[] {
  return [...new Set(Object.keys(sources).map(roomOf))].sort();
}

/** Groups of files that import each other, directly or by a detour: Tarjan's strongly connected components of two or more. */
export function findCircles(sources: Sources): string[][] {
  const edges = edgesOf(sources);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const circles: string[][] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    lowest.set(path, order.get(path) ?? 0);
    open.push(path);
    isOpen.add(path);
    for (const target of edges.get(path) ?? []) {
      if (!order.has(target)) visit(target);
      else if (!isOpen.has(target)) continue;
      lowest.set(path, Math.min(lowest.get(path) ?? 0, lowest.get(target) ?? 0));
    }
    if (lowest.get(path) !== order.get(path)) return;
    const circle = open.splice(open.indexOf(path));
    for (const member of circle) isOpen.delete(member);
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const path of edges.keys()) if (!order.has(path)) visit(path);
  return circles;
}

/** Files that something outside the code starts: commands, suites, configuration files, the page's first module. */
const ENTRIES =
  /^(agent|cloud)\/cli\/cli\.ts$|^app\/(ui\/(main\.tsx|env\.d\.ts)|worker\/(sw|env\.d)\.ts)$|^scripts\/[^/]+\.(ts|mjs)$|\.test\.ts$|^[^/]+\.(js|ts)$/;

/**
 * Files that nothing starts and nothing mentions, and exported names that no other file imports.
 *
 * @param mentions text outside the code in which a path counts as a use: package.json, shell scripts, Dockerfiles
 */
export function findDead(sources: Sources, mentions: string): string[] {
  const used = new Map<string, Set<string>>();
  const use = (target: string, names: readonly string[]): void => {
    const known = used.get(target) ?? new Set<string>();
    for (const name of names) known.add(name);
    used.set(target, known);
  };
  // Paths are also joined from parts: then a string holds only the end of one.
  const byEnd = new Map<string, string[]>();
  for (const path of Object.keys(sources)) {
    const parts = path.split('/');
    for (let from = 1; from < parts.length; from++) {
      const end = parts.slice(from).join('/');
      byEnd.set(end, [...(byEnd.get(end) ?? []), path]);
    }
  }
  for (const [path, text] of Object.entries(sources)) {
    const { imports, strings } = parseFile(path, text);
    for (const { specifier, names } of imports) {
      if (isRelative(specifier)) use(resolveImport(path, specifier, sources), names);
    }
    for (const mention of strings) {
      if (/^\.{1,2}\/.*\.js$/.test(mention)) use(resolveImport(path, mention, sources), ['*']);
      else {
        const built = mention.replace(/^dist\//, '').replace(/\.js$/, '.ts');
        for (const name of [mention, built, ...(byEnd.get(mention) ?? [])]) if (name in sources) use(name, ['*']);
      }
    }
  }
  const isMentioned = (path: string): boolean =>
    mentions.includes(path) || mentions.includes(path.replace(/\.ts$/, '.js'));
  const dead: string[] = [];
  for (const [path, text] of Object.entries(sources)) {
    const names = used.get(path);
    const isEntry = ENTRIES.test(path) || isMentioned(path);
    if (names === undefined && !isEntry) {
      dead.push(path);
      continue;
    }
    if (names?.has('*') === true || (isEntry && /\.(mjs|js)$|\.test\.ts$|config\.ts$|\.d\.ts$/.test(path))) continue;
    const { exports, signatureTypes } = parseFile(path, text);
    for (const name of exports) {
      if (names?.has(name) !== true && name !== 'default' && !signatureTypes.includes(name))
        dead.push(`${path}: ${name}`);
    }
  }
  return dead;
}
