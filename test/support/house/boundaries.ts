import { isRelative, packageOf, parseFile, resolveImport, type Sources } from './parse.js';
import {
  HOUSES,
  KNOWS_DRIVERS,
  NEEDS_LINUX,
  NODE_ALLOWED,
  ROOMS,
  ROOT_FILES,
  RUNS_IN_BROWSER,
  roomOf,
} from './rooms.js';

/** Paths and programs that exist on Linux alone. */
const LINUX_ONLY = /^\/(proc|sys|dev)\/|^(systemctl|systemd-notify|gpio(set|get|mon|info)|v4l2-ctl)$/;

/** An import that the floor plan forbids, as a sentence; null where it is allowed. */
function importBreach(from: string, to: string): string | null {
  const [house = ''] = from.split('/');
  const [targetHouse = ''] = to.split('/');
  if (house !== targetHouse) {
    // Configuration files in the repository's root belong to no folder.
    if (from === house) return null;
    if (HOUSES[house]?.includes(targetHouse) !== true) {
      return `${from} imports ${to}: ${house}/ may not import ${targetHouse}/`;
    }
    const isDriver = /^hal\/(mock|replay|linux)\//.test(to);
    return house === 'agent' && isDriver && !KNOWS_DRIVERS.test(from)
      ? `${from} imports ${to}: only agent/main and agent/cli know drivers`
      : null;
  }
  const room = roomOf(from);
  const targetRoom = roomOf(to);
  if (room === targetRoom || !(room in ROOMS) || !(targetRoom in ROOMS)) return null;
  return ROOMS[room]?.includes(targetRoom) === true
    ? null
    : `${from} imports ${to}: ${room} stands below ${targetRoom}`;
}

function nodeBreach(from: string, specifier: string): string | null {
  const [house = ''] = from.split('/');
  const isForbidden = RUNS_IN_BROWSER.has(house) && !NODE_ALLOWED.test(from);
  return isForbidden ? `${from} imports ${specifier}: ${house}/ also runs in a browser` : null;
}

/** Files in the root of a folder that keeps its code in rooms. */
function rootBreach(path: string): string | null {
  const parts = path.split('/');
  const [house = ''] = parts;
  return parts.length === 2 && house in HOUSES && !ROOT_FILES.has(house)
    ? `${path} stands in the root of ${house}/: it belongs into a room`
    : null;
}

function linuxBreach(path: string, strings: readonly string[]): string | null {
  const [house = ''] = path.split('/');
  if (house === 'test' || house === 'app' || NEEDS_LINUX.test(path)) return null;
  const found = strings.find((text) => LINUX_ONLY.test(text));
  return found === undefined ? null : `${path} needs Linux for ${found}: that belongs into hal/linux`;
}

/** Every arrow that runs against the floor plan, as sentences. */
export function arrowsUp(sources: Sources): string[] {
  const breaches: (string | null)[] = [];
  for (const [path, text] of Object.entries(sources)) {
    for (const { specifier } of parseFile(path, text).imports) {
      if (isRelative(specifier)) breaches.push(importBreach(path, resolveImport(path, specifier, sources)));
      else if (specifier.startsWith('node:')) breaches.push(nodeBreach(path, specifier));
    }
  }
  return breaches.filter((breach) => breach !== null);
}

/** Everything else that breaks the rules of the house, as sentences. */
export function otherBreaches(sources: Sources): string[] {
  const breaches: (string | null)[] = [];
  const importers = new Map<string, Set<string>>();
  for (const [path, text] of Object.entries(sources)) {
    const [house = ''] = path.split('/');
    const { imports, strings } = parseFile(path, text);
    breaches.push(rootBreach(path), linuxBreach(path, strings));
    for (const { specifier } of imports) {
      if (isRelative(specifier) || specifier.startsWith('node:') || house === 'test') continue;
      const key = `${house} ${packageOf(specifier)}`;
      importers.set(key, (importers.get(key) ?? new Set()).add(path));
    }
  }
  for (const [key, paths] of importers) {
    if (paths.size === 1) continue;
    breaches.push(`${[...paths].join(', ')}: more than one file of a folder imports ${key.split(' ')[1] ?? ''}`);
  }
  return breaches.filter((breach) => breach !== null);
}

export function findBreaches(sources: Sources): string[] {
  return [...arrowsUp(sources), ...otherBreaches(sources)];
}
