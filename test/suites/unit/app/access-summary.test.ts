import { describe, expect, it } from 'vitest';
import { summarizeAccess } from '../../../../app/core/access-summary.js';
import type { AccessEntry } from '../../../../app/core/cloud-answers.js';
import type { MemberKeys } from '../../../../app/core/member-keys.js';

const OWN = 'aa';
const BEN = 'bb';
const PHONE = 'dd';

function read(reader: string, atMs: number, seqs: readonly [number, number] | null, what = 'records'): AccessEntry {
  return { reader, atMs, what, device: 'd', epoch: 1, fromSeq: seqs?.[0] ?? null, toSeq: seqs?.[1] ?? null };
}

const named = (hex: string, role: 'owner' | 'member'): MemberKeys => ({
  ed25519: new Uint8Array([Number.parseInt(hex, 16)]),
  role,
});
const household = [named(OWN, 'owner'), named(BEN, 'member'), named(PHONE, 'owner')];
const namedIn = (_device: string, epoch: number): readonly MemberKeys[] | null => (epoch === 1 ? household : null);

describe('the summary of the access log', () => {
  it("folds one's own reads into one line, and raises no alarm over the household", () => {
    const entries = [
      read(OWN, 50, [0, 60]),
      read(OWN, 40, [3, 3], 'media'),
      read(BEN, 30, [61, 70], 'stream'),
      read(BEN, 20, [0, 60]),
      read(BEN, 10, [3, 3], 'media'),
    ];
    const { own, others } = summarizeAccess(entries, OWN, namedIn);
    expect(own).toEqual({ reads: 2, fromMs: 40, untilMs: 50 });
    expect(others).toEqual([
      {
        reader: BEN,
        role: 'member',
        device: 'd',
        epoch: 1,
        seqs: [0, 70],
        reads: 3,
        pictures: 1,
        isExport: false,
        fromMs: 10,
        untilMs: 30,
      },
    ]);
  });

  it('keeps ranges apart that do not touch, and reads of nothing in particular', () => {
    const entries = [read(BEN, 1, [0, 5]), read(BEN, 2, [7, 9], 'export'), read(BEN, 3, null), read(BEN, 4, null)];
    const { own, others } = summarizeAccess(entries, OWN, namedIn);
    expect(own).toBeNull();
    expect(others.map(({ seqs, reads, isExport }) => [seqs, reads, isExport])).toEqual([
      [null, 2, false],
      [[7, 9], 1, true],
      [[0, 5], 1, false],
    ]);
  });

  it('puts first whom no claim names, then what this page cannot judge', () => {
    const entries = [
      read(BEN, 9, [0, 1]),
      { ...read('cc', 8, [0, 1]), epoch: 2 },
      read('cc', 7, [0, 1]),
      { ...read(OWN, 6, [0, 1]), epoch: 2 },
    ];
    const { others } = summarizeAccess(entries, BEN, namedIn);
    expect(others.map(({ reader, role, epoch }) => [reader, role, epoch])).toEqual([
      ['cc', 'stranger', 1],
      ['cc', 'unknown', 2],
      [OWN, 'unknown', 2],
    ]);
    expect(summarizeAccess([read(OWN, 1, null)], BEN, namedIn).others[0]?.role).toBe('owner');
  });

  it("tells the owner's further browsers from members", () => {
    const entries = [read(BEN, 1, [0, 1]), read(PHONE, 1, [0, 1])];
    const { others } = summarizeAccess(entries, OWN, namedIn);
    expect(others.map(({ reader, role }) => [reader, role])).toEqual([
      [BEN, 'member'],
      [PHONE, 'browser'],
    ]);
  });
});
