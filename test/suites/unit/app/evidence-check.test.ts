import { describe, expect, it } from 'vitest';
import { checkEvidence, clipsIn, type ChosenFile } from '../../../../app/core/evidence-check.js';
import type { Clock } from '../../../../common/clock.js';
import { concat } from '../../../../common/bytes.js';
import { LIMITS } from '../../../../common/limits.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { makeEvidence } from '../../../../protocol/evidence/make.js';
import { encodeSpan } from '../../../../protocol/evidence/span-file.js';
import { checkFile } from '../../../../protocol/evidence/span.js';
import { EvidenceWorld } from '../../../../scripts/vectors/evidence-world.js';
import { asyncCodeOf } from '../../../support/codes.js';

const world = new EvidenceWorld(nodeSuite, 2);
const files = ['event', 'event 3'].map((name) => makeEvidence(nodeSuite, world.source, world.id(name)));
const span = concat(...encodeSpan(files));

function chosen(bytes: Uint8Array, size = bytes.length): ChosenFile {
  return { size, arrayBuffer: () => Promise.resolve(new Uint8Array(bytes).buffer) };
}

/** A clock by which each look at it takes this long. */
function slowClock(stepMs: number): Clock & { readonly pauses: () => number } {
  let [nowMs, pauses] = [0, 0];
  return {
    monotonicMs: () => (nowMs += stepMs),
    wallMs: () => 0,
    after: (_, callback) => {
      pauses++;
      queueMicrotask(callback);
      return () => undefined;
    },
    pauses: () => pauses,
  };
}

describe('a check of evidence in the page', () => {
  const { signal } = new AbortController();
  const onProgress = (): void => undefined;

  it('gives what the check in one go gives, and lets the page draw in between', async () => {
    const clock = slowClock(20);
    const shares: number[] = [];
    const deps = {
      suite: nodeSuite,
      clock,
      signal,
      onProgress: ({ done, total }: { done: number; total: number }) => shares.push(done / total),
    };
    expect(await checkEvidence(deps, chosen(span))).toEqual(checkFile(nodeSuite, span));
    expect(clock.pauses()).toBeGreaterThan(5);
    expect(shares).toHaveLength(clock.pauses());
    // The control: where steps take no time there is one slice.
    const fast = slowClock(0);
    await checkEvidence({ ...deps, clock: fast }, chosen(span));
    expect(fast.pauses()).toBe(0);
  });

  it('gives nothing out once it is stopped', async () => {
    const stop = new AbortController();
    const deps = { suite: nodeSuite, clock: slowClock(20), signal: stop.signal };
    const stopped = checkEvidence(
      {
        ...deps,
        onProgress: () => {
          stop.abort();
        },
      },
      chosen(span),
    );
    expect(await stopped).toBeNull();
  });

  it('does not read what is too large, and says what is no evidence', async () => {
    const deps = { suite: nodeSuite, clock: slowClock(0), signal, onProgress };
    const unread: ChosenFile = {
      size: LIMITS.evidenceSpanMaxBytes + 1,
      arrayBuffer: () => Promise.reject(new Error('read')),
    };
    expect(await asyncCodeOf(() => checkEvidence(deps, unread))).toBe('too-large');
    expect(await asyncCodeOf(() => checkEvidence(deps, { ...unread, size: 1 }))).toBe('request-invalid');
    for (const bytes of [new Uint8Array(0), new Uint8Array(100).fill(0x83)]) {
      expect(await asyncCodeOf(() => checkEvidence(deps, chosen(bytes)))).toBe('request-invalid');
    }
  });
});

describe('the clips of a checked event', () => {
  const part = (index: number, clip = 0) => ({ seq: 1, clip, index, bytes: Uint8Array.of(index) });
  const lengths = (parts: readonly ReturnType<typeof part>[]): unknown[] =>
    clipsIn({ clipParts: parts }).map(({ number, bytes, behindHole, form }) => [number, [...bytes], behindHole, form]);

  it('go as far as they go from their beginning, each by itself', () => {
    expect(lengths([part(0), part(1), part(3), part(0, 1)])).toEqual([
      [0, [0, 1], 1, null],
      [1, [0], 0, null],
    ]);
    expect(lengths([part(1), part(2)])).toEqual([]);
  });

  it('take the first of an index that is named twice', () => {
    const twice = { ...part(1), bytes: Uint8Array.of(9) };
    expect(lengths([part(0), part(1), twice])).toEqual([[0, [0, 1], 0, null]]);
  });
});
