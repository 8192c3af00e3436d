import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../vectors.js';

/** Files of the checkout that git tracks or would track, from its root. */
export function trackedFiles(): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  return out.split('\n').filter((path) => path !== '');
}

export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}
