import { dirname, join, normalize } from 'node:path';

/** A path in code voice that begins with a folder of this repository, and ends as a file or a folder does. */
const PATH = /^(agent|app|cloud|common|docs|hal|packaging|protocol|scripts|test|\.ci|\.github)\/[\w./@-]*$/;

export interface Mention {
  readonly page: string;
  readonly line: number;
  /** From the repository's root. */
  readonly path: string;
}

/** What a page links to inside the repository, and every repository path and test file that it names in code voice. */
function mentionsOf(page: string, text: string): Mention[] {
  const mentions: Mention[] = [];
  let isFenced = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('```')) isFenced = !isFenced;
    const add = (path: string): void => {
      mentions.push({ page, line: index + 1, path: normalize(path).replaceAll('\\', '/').replace(/\/$/, '') });
    };
    if (!isFenced) {
      for (const [, link, attribute] of line.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)) {
        const [path = ''] = (link ?? attribute ?? '').split('#');
        if (path !== '' && !/^[a-z]+:/.test(path)) add(join(dirname(page), path));
      }
    }
    for (const [, token = ''] of line.matchAll(/`([^`]+)`/g)) {
      for (const part of token.split(/[\s,]+/)) if (PATH.test(part)) add(part);
    }
    for (const [name] of line.matchAll(/(?<![\w/.-])[a-z0-9-]+\.test\.ts\b/g)) add(name);
  }
  return mentions;
}

/** Mentions of files, folders and tests that are gone, as sentences. A bare name of a test may stand in any folder. */
export function staleMentions(pages: Readonly<Record<string, string>>, tracked: readonly string[]): string[] {
  const known = new Set<string>(tracked);
  for (const path of tracked) {
    const parts = path.split('/');
    known.add(parts[parts.length - 1] ?? '');
    for (let depth = 1; depth < parts.length; depth++) known.add(parts.slice(0, depth).join('/'));
  }
  return Object.entries(pages)
    .flatMap(([page, text]) => mentionsOf(page, text))
    .filter(({ path }) => !known.has(path) && path !== '.')
    .map(({ page, line, path }) => `${page}:${String(line)} names ${path}, which is not there`);
}
