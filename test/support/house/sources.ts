import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../../scripts/checkout.js';

/** Generated, or written in another language under the same ending. */
const NOT_OURS = /^agent\/capture\/detect\/kernel\/(simd-module\.ts|assembly\/)/;
/** Output of programs, published text and the licence: nobody's prose of ours. */
const NOT_PROSE = /^(docs\/results|test\/vectors|test\/fixtures)\/|^(package-lock\.json|LICENSE)$/;

/** Files of the checkout that git tracks or would track, from its root. */
export function trackedFiles(): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  return out.split('\n').filter((path) => path !== '');
}

export function read(path: string): string {
  return readFileSync(join(checkout, path), 'utf8');
}

function readAll(paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((path) => [path, read(path)]));
}

/** Every source file in TypeScript and JavaScript. */
export function codeFiles(): Record<string, string> {
  return readAll(trackedFiles().filter((path) => /\.(ts|tsx|mjs|js)$/.test(path) && !NOT_OURS.test(path)));
}

/** Every file that holds words of ours: code, tests, messages, documents. */
export function wordFiles(): Record<string, string> {
  const text =
    /\.(ts|tsx|mjs|js|py|c|md|html|css|svg|cddl|toml|json|service|conf|yaml|yml)$|^\.ci\/|Dockerfile|^packaging\//;
  return readAll(trackedFiles().filter((path) => text.test(path) && !NOT_PROSE.test(path)));
}

/** Pages of documentation. */
export function pages(): Record<string, string> {
  return readAll(trackedFiles().filter((path) => path.endsWith('.md')));
}

/** Text outside the code that starts files of it. */
export function outsideMentions(): string {
  const outside =
    /^(package\.json|Dockerfile\.armv7|vitest\.config\.ts|tsconfig[a-z.]*\.json|app\/tsconfig\.json|\.ci\/run)$/;
  return Object.values(readAll(trackedFiles().filter((path) => outside.test(path)))).join('\n');
}
