/** Decisions of a release, without effects: whether it may be made, and what its files hold. */
import { createHash } from 'node:crypto';

export type RefusalCode =
  | 'version-invalid'
  | 'version-differs'
  | 'tree-not-clean'
  | 'changelog-missing'
  | 'tag-exists'
  | 'artifact-of-another-version';

/** Why a release is refused. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export interface ReleaseFacts {
  /** The version that was asked for; null for that of package.json. */
  readonly wanted: string | null;
  /** Versions by the file that has them, package.json first. */
  readonly versions: Readonly<Record<string, string>>;
  readonly changelog: string;
  /** Output of `git status --porcelain`. */
  readonly status: string;
  readonly tags: readonly string[];
  /** Names of the built files. */
  readonly artifacts: readonly string[];
}

export interface ReleasePlan {
  readonly version: string;
  readonly tag: string;
  /** The changelog's section, without its heading. */
  readonly notes: string;
}

/** https://semver.org, without build metadata. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const CHANGED_FILES_SHOWN = 5;

/** Decides about a release. Returns its plan, or every reason against it. */
export function planRelease(facts: ReleaseFacts): ReleasePlan | readonly Refusal[] {
  const { wanted, versions, changelog, status, tags, artifacts } = facts;
  const version = wanted ?? Object.values(versions)[0] ?? '';
  const tag = `v${version}`;
  const notes = sectionOf(changelog, version);
  const refusals: Refusal[] = [];
  if (!VERSION.test(version)) {
    refusals.push({ code: 'version-invalid', message: `"${version}" is not a version such as 1.2.3` });
  }
  for (const [file, found] of Object.entries(versions)) {
    if (found === version) continue;
    refusals.push({ code: 'version-differs', message: `${file} has version ${found}, not ${version}` });
  }
  const changes = status.split('\n').filter((line) => line.trim() !== '');
  if (changes.length > 0) {
    const shown = changes.slice(0, CHANGED_FILES_SHOWN).map((line) => line.slice(3));
    const more = changes.length > shown.length ? ` and ${String(changes.length - shown.length)} more` : '';
    refusals.push({
      code: 'tree-not-clean',
      message: `commit or remove what changed: ${shown.join(', ')}${more}`,
    });
  }
  if (notes === null) {
    refusals.push({
      code: 'changelog-missing',
      message: `CHANGELOG.md has no section "## ${version}" with text in it`,
    });
  }
  if (tags.includes(tag)) refusals.push({ code: 'tag-exists', message: `${tag} was released already` });
  for (const name of artifacts) {
    const built = /^sealcam_(.+)_[a-z0-9]+\.deb$/.exec(name.split('/').at(-1) ?? '')?.[1];
    if (built === undefined || built === version) continue;
    refusals.push({
      code: 'artifact-of-another-version',
      message: `${name} is not of version ${version}: remove it, or build it again`,
    });
  }
  return notes === null || refusals.length > 0 ? refusals : { version, tag, notes };
}

/** Returns a version's section of the changelog without its heading; null where it is missing or empty. */
export function sectionOf(changelog: string, version: string): string | null {
  const lines = changelog.split('\n');
  const from = lines.findIndex((line) => line.startsWith('## ') && line.slice(3).split(/[\s,]/)[0] === version);
  if (from < 0) return null;
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('## '));
  const end = length < 0 ? lines.length : from + 1 + length;
  const section = lines
    .slice(from + 1, end)
    .join('\n')
    .trim();
  return section === '' ? null : section;
}

export interface BuiltFile {
  /** Path from dist/. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Returns SHA256SUMS, sorted by path, as `sha256sum --check` reads it from dist/. */
export function checksumsOf(files: readonly BuiltFile[]): string {
  return files
    .map(({ path, bytes }) => ({ path, sum: createHash('sha256').update(bytes).digest('hex') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, sum }) => `${sum}  ${path}\n`)
    .join('');
}
