import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { LIMITS } from '../../../../common/limits.js';
import { RecentRecords } from '../../../../agent/outbox/recent-records.js';

it('remembers a record for as long as an order over it is not stale, and no longer', () => {
  const recent = new RecentRecords();
  const hashes = Array.from({ length: 200 }, () => realRandom.bytes(32));
  // One each quarter of a minute: 200 are fifty minutes.
  const madeMs = (seq: number): number => seq * 15_000;
  for (const [seq, hash] of hashes.entries()) recent.add(1, seq, hash, madeMs(seq));
  const [first, last] = [hashes[0], hashes[199]];
  if (first === undefined || last === undefined) throw new Error('no hashes');
  expect(recent.size).toBe(LIMITS.commandMaxAgeMs / 15_000 + 1);
  expect(recent.ageMs(1, 199, last, madeMs(199) + 7)).toBe(7);
  expect(recent.ageMs(1, 199, first, madeMs(199))).toBeNull();
  expect(recent.ageMs(1, 0, first, madeMs(199))).toBeNull();
  const oldest = 199 - LIMITS.commandMaxAgeMs / 15_000;
  expect(recent.ageMs(1, oldest, hashes[oldest] ?? first, madeMs(199))).toBe(LIMITS.commandMaxAgeMs);
});

it('has a limit where a camera makes thousands in half an hour', () => {
  const recent = new RecentRecords();
  const hash = realRandom.bytes(32);
  for (let seq = 0; seq < 5000; seq++) recent.add(1, seq, hash, seq);
  expect(recent.size).toBe(4096);
  expect(recent.ageMs(1, 903, hash, 5000)).toBeNull();
  expect(recent.ageMs(1, 904, hash, 5000)).toBe(4096);
});
