/** `npm run page:weight`: what the owner's page weighs, and what of it stands before the first paint. */
import { buildPage, type PageScript } from './build-page.js';
import { isProgram, printResult, runCommand } from './command.js';

const HELP = `npm run page:weight [-- options]

Builds the owner's page and prints how many bytes of script a browser loads. Compressed sizes are those of gzip -9, file by file.

  --json    print one line of JSON: first_paint_gzip (what is loaded before anything is drawn), total_gzip, modules (npm
            packages and folders of the project; bytes of each after minifying), files
  --help    print this text

Exit status: 0 done, 1 the build failed, 2 wrong usage.
`;

/** An npm package, or a folder of the project. */
export interface PageModule {
  readonly name: string;
  readonly bytes: number;
  /** Those of them that are loaded before anything is drawn. */
  readonly first_paint_bytes: number;
}

export interface PageWeight {
  readonly first_paint_gzip: number;
  readonly total_gzip: number;
  readonly modules: readonly PageModule[];
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly gzip: number;
    readonly first_paint: boolean;
  }[];
}

/** Sums the scripts of a built page, the heaviest module first. */
export function pageWeight(scripts: readonly PageScript[]): PageWeight {
  const modules = new Map<string, PageModule>();
  for (const { inputs, isFirst } of scripts) {
    for (const [input, bytes] of Object.entries(inputs)) {
      const name = moduleOf(input);
      const { bytes: sum = 0, first_paint_bytes: first = 0 } = modules.get(name) ?? {};
      modules.set(name, { name, bytes: sum + bytes, first_paint_bytes: first + (isFirst ? bytes : 0) });
    }
  }
  const gzip = (some: readonly PageScript[]): number => some.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
  return {
    first_paint_gzip: gzip(scripts.filter(({ isFirst }) => isFirst)),
    total_gzip: gzip(scripts),
    modules: [...modules.values()].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes),
    files: scripts.map(({ path, bytes, gzipBytes, isFirst }) => ({
      path,
      bytes,
      gzip: gzipBytes,
      first_paint: isFirst,
    })),
  };
}

/** Returns the npm package of a source file, or its folder in the project. */
function moduleOf(input: string): string {
  const name = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
  return name ?? input.slice(0, Math.max(0, input.lastIndexOf('/')));
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;

function asText({ first_paint_gzip: first, total_gzip: total, modules, files }: PageWeight): string {
  return [
    `${kB(first)}  compressed script before the first paint`,
    `${kB(total)}  compressed script in all`,
    '',
    'files, compressed (* before the first paint)',
    ...files.map(({ path, gzip, first_paint: isFirst }) => `${kB(gzip)} ${isFirst ? '*' : ' '} ${path}`),
    '',
    'modules, minified: in all, and before the first paint',
    ...modules.map(({ name, bytes, first_paint_bytes: part }) => `${kB(bytes)} ${kB(part)}  ${name}`),
  ].join('\n');
}

if (isProgram(import.meta.url)) {
  await runCommand({
    name: 'page:weight',
    help: HELP,
    options: { json: { type: 'boolean', default: false } },
    readOptions: ({ json }) => json,
    main: async (json, { folder }) => {
      const weight = pageWeight(await buildPage({ outFolder: folder, cloudOrigin: '', demo: false }));
      printResult(json, weight, asText(weight));
      return 0;
    },
  });
}
