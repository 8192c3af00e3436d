/** The content of clips.json: a camera with a clip of each codec, and what a reader finds, also when something is wrong. */
import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { ownerSecrets } from '../../protocol/owner/secrets.js';
import { ClipHistory, type ClipCase, type ClipVector, type OpenedVector } from './clip-history.js';
import { badClipCases } from './clips-bad.js';
import { seedOf } from './keyring.js';

export interface ClipVectors {
  /** Master key of the owner, who opens. */
  readonly master: Uint8Array;
  readonly kemSeed: Uint8Array;
  readonly claim: Uint8Array;
  /** Signed records by name. */
  readonly records: Readonly<Record<string, Uint8Array>>;
  /** Bodies by name: of the key record, and `CLIP INDEX`. */
  readonly bodies: Readonly<Record<string, Uint8Array>>;
  readonly clips: readonly ClipVector[];
  readonly cases: readonly ClipCase[];
}

/** Returns the content of clips.json. */
export function clipVectors(suite: CryptoSuite): ClipVectors {
  const world = new ClipHistory(suite);
  const master = seedOf(suite, 'owner master');
  const wholeOf = (name: string): OpenedVector => {
    const clip = world.clips.find((one) => one.name === name);
    const contents = clip?.segments.map(({ content }) => content) ?? [];
    const plays = [...contents.keys()];
    return { segments: plays.map(() => 'here'), plays, ended: true, file: suite.sha256(concat(...contents)) };
  };
  const names = [...world.records.keys()];
  const good: ClipCase[] = world.clips.map(({ name }) => ({
    name: `${name}, whole`,
    clip: name,
    records: names,
    answers: {},
    expect: wholeOf(name),
    why: 'every segment is what its record names',
  }));
  const bad = badClipCases(suite, world);
  return {
    master,
    kemSeed: ownerSecrets(suite, master).kemSeed,
    claim: world.history.claim.bytes,
    records: Object.fromEntries([...world.records].map(([name, { bytes }]) => [name, bytes])),
    bodies: Object.fromEntries(world.bodies),
    clips: world.clips,
    cases: [...good, ...bad],
  };
}
