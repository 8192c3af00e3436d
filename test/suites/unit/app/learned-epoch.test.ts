import { expect, it } from 'vitest';
import { withLearned } from '../../../../app/core/learned-epoch.js';
import type { KnownEpoch } from '../../../../app/core/storage.js';

const known = (change: Partial<KnownEpoch> = {}): KnownEpoch => ({
  device: 'aa',
  epoch: 1,
  claim: Uint8Array.of(1),
  isAccepted: true,
  head: { seq: 7, hash: Uint8Array.of(7), atMs: 7000 },
  ...change,
});

const head = (seq: number, hash = seq): KnownEpoch['head'] => ({ seq, hash: Uint8Array.of(hash), atMs: 1000 * seq });

it('a new epoch, and a head that is further, are kept', () => {
  expect(withLearned(undefined, known())).toEqual(known());
  expect(withLearned(known(), known({ head: head(9) })).head).toEqual(head(9));
  expect(withLearned(known({ head: null }), known({ head: head(0) })).head).toEqual(head(0));
});

it('takes back nothing that the page stored: not the head, not that the claim was accepted, not the accept record', () => {
  const accept = Uint8Array.of(5);
  const stored = known({ accept });
  expect(withLearned(stored, known({ head: head(6), isAccepted: false }))).toEqual(stored);
  expect(withLearned(stored, known({ head: null }))).toEqual(stored);
  // Another record at the same place is for the page to judge: it knows the one before.
  expect(withLearned(stored, known({ head: head(7, 8) })).head).toEqual(head(7));
  expect(withLearned(known(), known({ accept })).accept).toEqual(accept);
});

it('another claim takes the place of one that no camera accepted, and of no other', () => {
  const other = known({ claim: Uint8Array.of(2), head: head(1) });
  expect(withLearned(known(), other)).toEqual(known());
  const never = known({ isAccepted: false, head: null });
  expect(withLearned(never, other)).toEqual(other);
  expect(withLearned(never, { ...other, isAccepted: false })).toEqual(never);
});
