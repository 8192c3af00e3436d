import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../../agent/console/commands/index.js';
import { VERSION } from '../../../../common/version.js';
import { GENERATED } from '../../../../scripts/generate-docs.js';
import { read, trackedFiles } from '../../../support/house/sources.js';

const LINES_MAX = 500;
const text = /\.(ts|tsx|js|mjs|md|json|toml|css|html|svg|py|sh|yml|cddl)$/;

describe('tidy', () => {
  it('has one version', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(VERSION).toBe(version);
    expect(read('CHANGELOG.md')).toContain(`## ${version}`);
  });

  it.each(Object.keys(GENERATED))('%s is what the code says; `npm run docs` writes it', async (path) => {
    expect(read(path)).toBe(await GENERATED[path]?.());
  });

  it('has every command of the console in its page', () => {
    const page = read('docs/console.md');
    const missing = COMMANDS.filter(({ usage, scope }) => {
      const cell = usage.replaceAll('|', String.raw`\|`);
      return !page.includes(`| \`${cell}\` | ${scope ?? '–'} |`);
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('gives a reason for every dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const page = read('docs/dependencies.md');
    const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
      (name) => !page.includes(`| \`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  it('records no download addresses', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
    expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
  });

  it('names no machine and no secret', () => {
    const forbidden = [/\/work\/main/, /-----BEGIN [A-Z ]*PRIVATE KEY/, /\b10\.\d+\.\d+\.\d+\b/];
    const found = trackedFiles()
      .filter((path) => text.test(path) && !path.includes('tidy.test.ts') && path !== 'package-lock.json')
      .flatMap((path) =>
        forbidden.filter((pattern) => pattern.test(read(path))).map((pattern) => `${path}: ${String(pattern)}`),
      );
    expect(found).toEqual([]);
  });

  it('has files that are read in one sitting', () => {
    const long = trackedFiles()
      .filter((path) => /^(common|protocol|hal|agent|cloud|app|scripts)\/.*\.tsx?$/.test(path))
      .map((path) => [path, read(path).split('\n').length] as const)
      .filter(([, lines]) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  it('opens every folder of three or more source files with a README', () => {
    const tracked = trackedFiles();
    const sources = tracked.filter((path) => /\.(ts|tsx|mjs)$/.test(path)).map((path) => dirname(path));
    const folders = [...new Set(sources)].filter(
      (folder) => folder !== '.' && sources.filter((other) => other === folder).length >= 3,
    );
    expect(folders.length).toBeGreaterThan(40);
    // The suites of a program's folders are described one level up.
    const opened = folders.filter((folder) => !folder.startsWith('test/suites/unit/'));
    expect(opened.filter((folder) => !tracked.includes(`${folder}/README.md`))).toEqual([]);
  });

  it('keeps clips, vectors of others and builds out', () => {
    const found = trackedFiles().filter((path) => /\.(mp4|avi|mkv)$|wycheproof|cctv-|speccheck|^dist\//.test(path));
    expect(found).toEqual([]);
  });
});
