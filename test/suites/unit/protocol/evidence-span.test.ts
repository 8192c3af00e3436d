import { describe, expect, it } from 'vitest';
import { concat } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { looksLikeEvidence } from '../../../../protocol/evidence/evidence-file.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { checkFile, checkFileInSteps, recordsBetween } from '../../../../protocol/evidence/span.js';
import { encodeSpan, looksLikeSpan } from '../../../../protocol/evidence/span-file.js';
import { limitsOfSpan } from '../../../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../../../protocol/evidence/verify.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { codeOf } from '../../../support/codes.js';
import { suites } from '../../../support/runner/suites.js';
import { hex, readVectors } from '../../../support/vectors.js';

interface SpansJson {
  readonly spans: readonly { readonly name: string; readonly file: string; readonly events: readonly string[] }[];
  readonly badSpans: readonly { readonly name: string; readonly file: string; readonly expect: string }[];
}
const vectors = readVectors<SpansJson>('evidence');

const world = new EvidenceWorld(nodeSuite, 2);
const [first, second, third] = ['event', 'event 2', 'event 3'].map((name) =>
  makeEvidence(nodeSuite, world.source, world.id(name)),
) as [Uint8Array, Uint8Array, Uint8Array];
const span = (...files: readonly Uint8Array[]): Uint8Array => concat(...encodeSpan(files));

describe.each(suites)('spans by the suite $name', (suite) => {
  it.each(vectors.spans)('decides $name event by event', ({ file, events }) => {
    const checked = checkFile(suite, hex(file)).events;
    expect(checked.map((event) => (event.type === 'good' ? 'good' : event.error.code))).toEqual(events);
  });

  it.each(vectors.badSpans)('refuses $name whole', ({ file, expect: code }) => {
    expect(codeOf(() => checkFile(suite, hex(file)))).toBe(code);
  });
});

it('gives of each event what its own file gives, and a file of one event as it is', () => {
  const { isSpan, events } = checkFile(nodeSuite, span(first, second, third));
  const own = [first, second, third].map((file) => ({ type: 'good', evidence: verifyEvidence(nodeSuite, file) }));
  expect([isSpan, events]).toEqual([true, own]);
  expect(checkFile(nodeSuite, third)).toEqual({ isSpan: false, events: own.slice(2) });
  expect([looksLikeSpan(span(first)), looksLikeEvidence(span(first)), looksLikeSpan(first)]).toEqual([
    true,
    true,
    false,
  ]);
});

it('goes in steps, which end where the file does, and gives nothing out before the last', () => {
  const file = span(first, third);
  const steps = checkFileInSteps(nodeSuite, file);
  const done: number[] = [];
  for (let step = steps.next(); step.done !== true; step = steps.next()) {
    expect(step.value.total).toBe(file.length);
    done.push(step.value.done);
  }
  expect(done).toEqual(done.slice().sort((a, b) => a - b));
  expect(done.length).toBeGreaterThan(8);
  expect(done.at(-1)).toBeLessThanOrEqual(file.length);
});

it('says what lies between its events, and which were refused', () => {
  const between = (...files: readonly Uint8Array[]): number | null =>
    recordsBetween(checkFile(nodeSuite, span(...files)).events);
  // Records 2 to 6 and 7; the event of record 4 stands within the first.
  expect([between(first, third), between(first, second, third), between(second, third)]).toEqual([0, 0, 2]);
  expect(limitsOfSpan(checkFile(nodeSuite, span(first, third)))).toEqual([]);
  const limits = limitsOfSpan(checkFile(nodeSuite, span(second, Uint8Array.of(0), third))).join('\n');
  expect(limits).toContain('Nothing of 1 event');
  expect(limits).toContain('2 records lie between them');
});

it('is refused where it would be too large', () => {
  const many = Array.from({ length: LIMITS.evidenceSpanEventsMax + 1 }, () => Uint8Array.of(0));
  expect(codeOf(() => encodeSpan(many))).toBe('too-large');
  // The control.
  expect(codeOf(() => encodeSpan(many.slice(1)))).toBe('accepted');
  expect(codeOf(() => encodeSpan([new Uint8Array(LIMITS.evidenceSpanMaxBytes)]))).toBe('too-large');
});
