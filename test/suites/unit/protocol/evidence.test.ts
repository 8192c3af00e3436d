import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { isSealcamError } from '../../../../common/errors.js';
import { hkdf } from '../../../../protocol/crypto/hkdf.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { contextOf, eventOf } from '../../../../protocol/evidence/event.js';
import { decodeEvidence, encodeEvidence, looksLikeEvidence } from '../../../../protocol/evidence/evidence-file.js';
import { Reader } from '../../../../protocol/evidence/household-keys.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { statementsOf } from '../../../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../../../protocol/evidence/verify.js';
import { ownerSecrets } from '../../../../protocol/owner/secrets.js';
import { objectContextHash, objectKey, openWithE, type ObjectContext } from '../../../../protocol/seal/object.js';
import { encodeContent } from '../../../../protocol/seal/content.js';
import { Period } from '../../../../protocol/seal/period.js';
import { openWithK, type SealedObject } from '../../../../protocol/seal/seal.js';
import { applyEdit, type Edit } from '../../../../scripts/vectors/evidence-shapes.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { seedOf } from '../../../../scripts/vectors/keyring.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { suites } from '../../../support/runner/suites.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface GoodJson {
  readonly name: string;
  readonly file: string;
  readonly event: string;
  readonly records: readonly string[];
  readonly pictures: readonly { readonly seq: number; readonly jpeg: string | null }[];
  readonly clipParts: readonly { readonly clip: number; readonly index: number; readonly hash: string }[];
  readonly absent: number;
  readonly receipts: number;
  readonly mediaReceipts: number;
}
interface BadJson {
  readonly name: string;
  readonly of: string;
  readonly edit: readonly [number, number, string];
  readonly expect: string;
}
const vectors = readVectors<{ readonly good: readonly GoodJson[]; readonly bad: readonly BadJson[] }>('evidence');
const fileOf = (name: string): Uint8Array => hex(vectors.good.find((good) => good.name === name)?.file ?? '');

const [one, two] = [new EvidenceWorld(nodeSuite, 1), new EvidenceWorld(nodeSuite, 2)];
const eventFile = makeEvidence(nodeSuite, two.source, two.id('event'));

describe.each(suites)('evidence by the suite $name', (suite) => {
  it.each(vectors.good)('verifies $name', (good) => {
    const evidence = verifyEvidence(suite, hex(good.file));
    expect(toHex(evidence.eventId)).toBe(good.event);
    expect(evidence.records.map(({ hash }) => toHex(hash))).toEqual(good.records);
    expect(evidence.pictures.map(({ seq, content: { jpeg } }) => [seq, jpeg && toHex(jpeg)])).toEqual(
      good.pictures.map(({ seq, jpeg }) => [seq, jpeg]),
    );
    expect(evidence.clipParts.map(({ index, bytes }) => [index, toHex(suite.sha256(bytes))])).toEqual(
      good.clipParts.map(({ index, hash }) => [index, hash]),
    );
    expect(evidence).toMatchObject({ absent: good.absent });
    expect([evidence.receipts.length, evidence.mediaReceipts.length]).toEqual([good.receipts, good.mediaReceipts]);
    expect(encodeEvidence(decodeEvidence(hex(good.file)))).toEqual(hex(good.file));
  });

  it.each(vectors.bad)('refuses $name', ({ of, edit: [from, to, bytes], expect: code }) => {
    const edit: Edit = [from, to, hex(bytes)];
    expect(codeOf(() => verifyEvidence(suite, applyEdit(fileOf(of), edit)))).toBe(code);
  });
});

describe('one bit changed anywhere', () => {
  type BitOf = (at: number) => number;
  /** Checks a signature once that a change does not touch. */
  const verified = new Map<string, boolean>();
  const suite: CryptoSuite = {
    ...nodeSuite,
    ed25519VerifyLoose: (...signed) => {
      const name = Buffer.concat(signed).toString('latin1');
      const known = verified.get(name) ?? nodeSuite.ed25519VerifyLoose(...signed);
      if (verified.size < 64) verified.set(name, known);
      return known;
    },
  };
  /** Returns which changes a check takes, and the codes of those it refuses. */
  function outcomes(
    file: Uint8Array,
    bitOf: BitOf,
    check: (file: Uint8Array) => unknown,
  ): { taken: number; codes: string[] } {
    const codes = new Set<string>();
    let taken = 0;
    for (let at = 0; at < file.length; at++) {
      const altered = file.slice();
      altered[at] = (altered[at] ?? 0) ^ (1 << bitOf(at));
      try {
        check(altered);
        taken++;
      } catch (error) {
        // An expect() for each of the many would cost more than the check.
        if (!isSealcamError(error) || error.message === '') throw error;
        codes.add(error.code);
      }
    }
    return { taken, codes: [...codes].sort() };
  }

  const [long, short] = [one, two].map((world) => makeEvidence(nodeSuite, world.source, world.id('event 3')));
  /** Every bit of a file with a small picture; of the long one of version 1, one of each byte. */
  const changes = [
    { name: 'version 1, one bit of each byte', file: long, bitOf: (at: number) => at % 8 },
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((bit) => ({
      name: `version 2, bit ${String(bit)} of each byte`,
      file: short,
      bitOf: () => bit,
    })),
  ];

  it.each(changes)('is refused with a reason: $name', ({ file = new Uint8Array(0), bitOf }) => {
    expect(verifyEvidence(suite, file).pictures).toHaveLength(1);
    const { taken, codes } = outcomes(file, bitOf, (altered) => verifyEvidence(suite, altered));
    expect(taken).toBe(0);
    expect(codes).toEqual(expect.arrayContaining(['bad-signature', 'malformed', 'seal-refused']));
    // With one of its two upper bits changed a version is no CBOR integer.
    expect(codes.includes('unsupported')).toBe(bitOf(0) < 6);
    expect(codes).not.toContain('internal');
  });

  it('the control: its shape alone would take most of them', () => {
    const file = short ?? new Uint8Array(0);
    const { taken } = outcomes(file, (at) => at % 8, decodeEvidence);
    expect(taken).toBeGreaterThan(file.length * 0.9);
  });
});

describe('the keys in a file', () => {
  /** Every sealed object of the history, with its context. */
  const objects = two.records.flatMap(({ record, media }) =>
    (record.value.media ?? []).flatMap((entry, at): (readonly [ObjectContext, SealedObject])[] => {
      const [sealed, event] = [media[at], eventOf(record.value)];
      if (sealed === null || sealed === undefined || event === undefined) return [];
      return [[contextOf(record.value, event, entry.id, entry.role), sealed]];
    }),
  );
  const { device, account, epoch } = two.claim.value;
  const owner = { device, account, epoch, claimHash: two.claim.hash };

  it('are E of the objects shown: each opens its own and nothing else, an index used twice included', () => {
    // A second camera process with the same chain: what a camera never does.
    const again = new Period(nodeSuite, { ...owner, periodId: two.periodId }, two.chainStart.slice());
    const twice = { eventId: two.id('event'), mediaId: two.id('used twice'), role: 'thumbnail' } as const;
    const reused = again.seal(twice, encodeContent({ detail: {}, jpeg: Uint8Array.of(1) }));
    const all = [...objects, [{ ...owner, ...twice }, reused] as const];
    const keys = decodeEvidence(eventFile).records.flatMap(({ objects: own }) =>
      own.flatMap((o) => (o ? [o.key] : [])),
    );
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const opened = all.filter(
        ([context, sealed]) => codeOf(() => openWithE(nodeSuite, key, context, sealed)) === 'accepted',
      );
      expect(opened).toHaveLength(1);
    }
    // The control: OK_0, from which E of the first object comes, opens the other one at its index too.
    const link = hkdf(nodeSuite, two.chainStart, 'object');
    const context = { ...owner, ...twice };
    const other = objectKey(
      nodeSuite,
      link,
      objectContextHash(nodeSuite, context, { periodId: two.periodId, index: 0 }),
    );
    expect(openWithE(nodeSuite, other, context, reused)).not.toHaveLength(0);
  });

  it('are never K of the period, CK_i or OK_i', () => {
    const file = Buffer.from(eventFile);
    let chain: Uint8Array = two.chainStart;
    const forbidden = [two.periodKey];
    for (let i = 0; i < 64; i++) {
      forbidden.push(chain, hkdf(nodeSuite, chain, 'object'));
      chain = hkdf(nodeSuite, chain, 'next');
    }
    expect(forbidden.filter((key) => file.includes(Buffer.from(key)))).toEqual([]);
    // The control: a key that is in it is found.
    expect(file.includes(Buffer.from(decodeEvidence(eventFile).records[0]?.objects[0]?.key ?? ''))).toBe(true);
  });

  it('are K in suite 1, which opens one object and no other', () => {
    const file = makeEvidence(nodeSuite, one.source, one.id('event'));
    const keys = decodeEvidence(file).records.flatMap(({ objects: own }) => own.flatMap((o) => (o ? [o.key] : [])));
    const sealed = one.records.flatMap(({ media }) => media).filter((object) => object !== null);
    expect([keys.length, sealed.length]).toEqual([2, 4]);
    for (const key of keys) {
      expect(sealed.filter((object) => codeOf(() => openWithK(nodeSuite, key, object)) === 'accepted')).toHaveLength(1);
    }
  });

  it('open nothing of another event, whose objects are left out', () => {
    const places = decodeEvidence(eventFile).records.map(({ objects: own }) => own.map((object) => object !== null));
    // Start, clip, another event's snapshot, clip, end.
    expect(places).toEqual([[true], [], [false], [], [true]]);
  });
});

describe('making evidence', () => {
  const { source } = two;
  const made = (change: Partial<typeof source>): Uint8Array =>
    makeEvidence(nodeSuite, { ...source, ...change }, two.id('event'));

  it.each([1, 2] as const)('finds the keys with the secrets of the owner, version %i', async (version) => {
    const world = version === 1 ? one : two;
    const reader = new Reader(nodeSuite, ownerSecrets(nodeSuite, seedOf(nodeSuite, 'owner master')));
    const keyRecords = world.records.flatMap(({ record, media: [sealed] }) =>
      record.value.kind === 'key' && sealed ? [{ record, body: sealed.body }] : [],
    );
    const keys = await reader.openEpoch(world.claim.value, keyRecords);
    const own = makeEvidence(nodeSuite, { ...world.source, keys }, world.id('event'));
    expect(own).toEqual(makeEvidence(nodeSuite, world.source, world.id('event')));
    const stranger = new Reader(nodeSuite, ownerSecrets(nodeSuite, seedOf(nodeSuite, 'a stranger')));
    expect(await asyncCodeOf(() => stranger.openEpoch(world.claim.value, keyRecords))).toBe('seal-refused');
    if (version === 1) return;
    // Without its key record nothing of the period opens.
    const none = await reader.openEpoch(world.claim.value, []);
    expect(codeOf(() => makeEvidence(nodeSuite, { ...world.source, keys: none }, world.id('event')))).toBe(
      'evidence-incomplete',
    );
  });

  it('needs every record of the event, and the accept', () => {
    const without = (seq: number): typeof source.records =>
      source.records.filter(({ record }) => record.value.seq !== seq);
    for (const seq of [0, 3, 4]) expect(codeOf(() => made({ records: without(seq) }))).toBe('evidence-incomplete');
    expect(codeOf(() => makeEvidence(nodeSuite, source, two.id('no such event')))).toBe('evidence-incomplete');
    // The control: a record after them may be missing.
    expect(verifyEvidence(nodeSuite, made({ records: without(7) })).after).toBeNull();
  });

  it('counts what is not at hand', () => {
    const records = source.records.map(({ record }) => ({ record, media: [] }));
    const evidence = verifyEvidence(nodeSuite, made({ records, segments: new Map() }));
    expect(evidence).toMatchObject({ absent: 5, pictures: [], clipParts: [] });
    const { doesNotProve } = statementsOf(evidence);
    expect(doesNotProve).toContain('No picture: this file has none.');
    expect(doesNotProve).toContain('Not all that was sealed: 5 objects are named and not in this file.');
  });
});

it('says what a file proves, and what not', () => {
  const { proves, doesNotProve } = statementsOf(verifyEvidence(nodeSuite, eventFile));
  expect(proves.join('\n')).toContain(toHex(two.claim.value.device));
  expect(proves.join('\n')).toContain('signed 5 records (2 to 6)');
  expect(proves.join('\n')).toContain('1 picture is whole');
  expect(proves.join('\n')).toContain('3 segments of video');
  expect(proves.join('\n')).toContain('its record 7 names the last one');
  expect(proves.join('\n')).toContain('2026-01-02T03:05:05.000Z');
  expect(doesNotProve.join('\n')).toContain('Not when it was');
  expect(doesNotProve.join('\n')).toContain('Not who or what stood before the lens');
  expect(looksLikeEvidence(eventFile)).toBe(true);
  expect(looksLikeEvidence(eventFile.subarray(1))).toBe(false);
});
