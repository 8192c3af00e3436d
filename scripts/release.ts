/** `npm run release`: checks that a version can be released, and writes its notes, SBOM, checksums and tag. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { VERSION } from '../common/version.js';
import { checkout } from './checkout.js';
import { printResult, runCommand } from './command.js';
import { checksumsOf, planRelease, type BuiltFile, type ReleasePlan } from './release/plan.js';

const HELP = `npm run release [-- VERSION] [options]

Checks that VERSION (package.json's) can be released: the tree is clean, every file has that version, CHANGELOG.md has its
section, and it is not tagged yet. Prints what a release would write. With --write, writes into dist/release/:

  notes.md         the section of CHANGELOG.md
  sbom.cdx.json    the npm packages of package-lock.json (CycloneDX)
  SHA256SUMS       of what \`npm run deb\`, \`image\` and \`page\` left in dist/, where present;
                   check with: cd dist && sha256sum --check release/SHA256SUMS

  --write    write these files
  --tag      also create the annotated tag vVERSION with the notes; push it yourself
  --json     print one JSON object on stdout
  --help     print this text

Exit status: 0 it can be released, or was; 1 it is refused, with every reason; 2 wrong usage.
`;

const DIST = join(checkout, 'dist');
const OUT = join(DIST, 'release');

interface Options {
  readonly wanted: string | null;
  readonly write: boolean;
  readonly tag: boolean;
  readonly json: boolean;
}

/** Runs a program in the checkout. Returns its stdout. @throws Error with its stderr where it fails */
function outputOf(program: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: checkout, encoding: 'utf8', input });
  if (error !== undefined) throw new Error(`${program} cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.slice(0, 2).join(' ')}: ${stderr.trim()}`);
  return stdout;
}

function read(name: string): string {
  return readFileSync(join(checkout, name), 'utf8');
}

function versionIn(name: string): string {
  return (JSON.parse(read(name)) as { readonly version: string }).version;
}

/**
 * Reads what `npm run deb`, `image` and `page` produced. Their build contexts in dist/image are folders, and left out.
 */
function builtFiles(): BuiltFile[] {
  const image = join(DIST, 'image');
  const page = join(DIST, 'page');
  const paths = [
    ...(existsSync(image) ? readdirSync(image, { withFileTypes: true }) : []),
    ...(existsSync(page) ? readdirSync(page, { withFileTypes: true, recursive: true }) : []),
  ]
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => ({ path: relative(DIST, path), bytes: readFileSync(path) }));
}

interface Sbom {
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> };
}

function sbom(): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
  const found = JSON.parse(outputOf('npm', [...args, '--loglevel', 'error'])) as Sbom;
  // npm names the project after the folder of the checkout.
  const component = { ...found.metadata.component, name: 'sealcam' };
  return `${JSON.stringify({ ...found, metadata: { ...found.metadata, component } }, null, 1)}\n`;
}

function write({ tag, notes }: ReleasePlan, files: readonly BuiltFile[], isTagged: boolean): void {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, 'notes.md'), `${notes}\n`);
  writeFileSync(join(OUT, 'sbom.cdx.json'), sbom());
  writeFileSync(join(OUT, 'SHA256SUMS'), checksumsOf(files));
  // Git would take the changelog's headings for comments.
  if (isTagged) outputOf('git', ['tag', '--annotate', tag, '--cleanup=verbatim', '--file=-'], `${tag}\n\n${notes}\n`);
}

function release({ wanted, write: isWritten, tag: isTagged, json }: Options): number {
  const files = builtFiles();
  const plan = planRelease({
    wanted,
    versions: {
      'package.json': versionIn('package.json'),
      'package-lock.json': versionIn('package-lock.json'),
      'common/version.ts': VERSION,
    },
    changelog: read('CHANGELOG.md'),
    status: outputOf('git', ['status', '--porcelain']),
    tags: outputOf('git', ['tag', '--list']).split('\n'),
    artifacts: files.map(({ path }) => path),
  });
  if (!('version' in plan)) {
    for (const { code, message } of plan) process.stderr.write(`release: ${message} [${code}]\n`);
    if (json) printResult(json, { refusals: plan }, '');
    return 1;
  }
  const { version, tag, notes } = plan;
  const artifacts = files.map(({ path }) => path).sort();
  const hasWritten = isWritten || isTagged;
  if (hasWritten) write(plan, files, isTagged);
  printResult(
    json,
    { version, tag, written: hasWritten, tagged: isTagged, artifacts, notes },
    [
      hasWritten ? `dist/release has the notes, SBOM and checksums of ${version}` : `${version} can be released`,
      isTagged ? `tagged ${tag}; push it with: git push origin ${tag}` : `not tagged; --tag creates ${tag}`,
      ...(artifacts.length === 0 ? ['nothing was built: the checksums are empty'] : artifacts),
      '',
      notes,
    ].join('\n'),
  );
  return 0;
}

await runCommand({
  name: 'release',
  help: HELP,
  options: {
    write: { type: 'boolean', default: false },
    tag: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  positionalsMax: 1,
  readOptions: (values, [wanted = null]): Options => ({ ...values, wanted }),
  main: release,
});
