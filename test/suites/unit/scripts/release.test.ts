import { describe, expect, it } from 'vitest';
import { checksumsOf, planRelease, sectionOf, type ReleaseFacts } from '../../../../scripts/release/plan.js';

const CHANGELOG = `# Changes

## Unreleased

- Not yet.

## 1.2.0, 2026-12-01

### Added

- A thing.

## 1.1.0
`;

const facts: ReleaseFacts = {
  wanted: '1.2.0',
  versions: { 'package.json': '1.2.0', 'common/version.ts': '1.2.0' },
  changelog: CHANGELOG,
  status: '',
  tags: ['v1.1.0'],
  artifacts: ['image/sealcam_1.2.0_armhf.deb', 'page/index.html'],
};

function codesOf(change: Partial<ReleaseFacts>): readonly string[] {
  const plan = planRelease({ ...facts, ...change });
  return 'version' in plan ? [] : plan.map(({ code }) => code);
}

describe('a release', () => {
  it('has the notes of its version', () => {
    expect(planRelease(facts)).toEqual({ version: '1.2.0', tag: 'v1.2.0', notes: '### Added\n\n- A thing.' });
  });

  it("takes package.json's version where none is given", () => {
    expect(planRelease({ ...facts, wanted: null })).toMatchObject({ version: '1.2.0' });
  });

  it.each<[string, Partial<ReleaseFacts>, string]>([
    ['a changed file', { status: ' M README.md\n' }, 'tree-not-clean'],
    ['an untracked file', { status: '?? notes.txt\n' }, 'tree-not-clean'],
    [
      'another version in one file',
      { versions: { ...facts.versions, 'common/version.ts': '1.1.0' } },
      'version-differs',
    ],
    ['no section in the changelog', { changelog: '# Changes\n\n## Unreleased\n\n- A thing.\n' }, 'changelog-missing'],
    ['a version that was released', { tags: ['v1.2.0'] }, 'tag-exists'],
    ['a package of another version', { artifacts: ['image/sealcam_1.1.0_armhf.deb'] }, 'artifact-of-another-version'],
  ])('is refused for %s', (_, change, code) => {
    expect(codesOf(change)).toEqual([code]);
  });

  it('is refused with every reason at the same time', () => {
    const codes = codesOf({ wanted: 'next', status: ' M README.md\n', artifacts: [] });
    expect([...new Set(codes)].sort()).toEqual([
      'changelog-missing',
      'tree-not-clean',
      'version-differs',
      'version-invalid',
    ]);
  });
});

describe('a section of the changelog', () => {
  it('is found by its whole version, and must not be empty', () => {
    expect(sectionOf(CHANGELOG, '1.2.0')).toContain('A thing');
    expect(sectionOf(CHANGELOG, '1.2')).toBeNull();
    expect(sectionOf(CHANGELOG, '1.1.0')).toBeNull();
  });
});

describe('checksums', () => {
  it('are sorted lines that sha256sum --check reads', () => {
    const files = [
      { path: 'page/b', bytes: new Uint8Array(0) },
      { path: 'page/a', bytes: Uint8Array.of(0x61, 0x62, 0x63) },
    ];
    // FIPS 180-4: the digests of "abc" and of nothing.
    expect(checksumsOf(files)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  page/a\n' +
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  page/b\n',
    );
  });
});
