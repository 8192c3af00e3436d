import { describe, expect, it } from 'vitest';
import { applyWord, isSilent, newCameraState } from '../../../../app/core/camera-state.js';
import type { VerifiedRecord } from '../../../../app/core/history-keeper.js';
import { LIMITS } from '../../../../common/limits.js';
import type { RecordTime } from '../../../../protocol/objects/record.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 29);

function record(
  seq: number,
  wallMs: number | null,
  quality: RecordTime['quality'],
  receivedAtMs: number,
): VerifiedRecord {
  return { record: { value: { seq, time: { wallMs, quality } } }, receivedAtMs } as unknown as VerifiedRecord;
}

function lastWordOf(...records: readonly VerifiedRecord[]): number | null {
  const camera = newCameraState(new Uint8Array(32), 1);
  for (const one of records) applyWord(camera, one);
  return camera.lastWord?.atMs ?? null;
}

function isSilentAfter(lastWordMs: number | null, isReportedSilent = false, hasEnded = false): boolean {
  return isSilent({ lastWordMs, isReportedSilent, hasEnded }, NOW_MS);
}

describe('the last word of a camera', () => {
  it('is that of the highest seq, in whatever order records arrive', () => {
    const older = record(4, NOW_MS - 5000, 'ntp', NOW_MS - 4000);
    const newer = record(5, NOW_MS - 1000, 'ntp', NOW_MS);
    expect(lastWordOf(older, newer)).toBe(NOW_MS - 1000);
    expect(lastWordOf(newer, older)).toBe(NOW_MS - 1000);
    expect(lastWordOf()).toBeNull();
  });

  it('is the signed time, whatever the cloud says of the receipt', () => {
    expect(lastWordOf(record(1, NOW_MS - 30 * DAY_MS, 'ntp', NOW_MS))).toBe(NOW_MS - 30 * DAY_MS);
    // The control: nothing better is known of a camera whose clock is not synchronised.
    expect(lastWordOf(record(1, NOW_MS - 30 * DAY_MS, 'rtc', NOW_MS))).toBe(NOW_MS);
    expect(lastWordOf(record(1, null, 'unset', NOW_MS))).toBe(NOW_MS);
  });
});

describe('isSilent', () => {
  it('follows from the last word, though the cloud reports the camera as heard', () => {
    expect(isSilentAfter(NOW_MS - 30 * DAY_MS)).toBe(true);
    expect(isSilentAfter(NOW_MS - 2 * LIMITS.healthCadenceMs - 1)).toBe(true);
    expect(isSilentAfter(NOW_MS - 2 * LIMITS.healthCadenceMs)).toBe(false);
  });

  it('is made worse by what the cloud reports, never better', () => {
    expect(isSilentAfter(NOW_MS, true)).toBe(true);
    expect(isSilentAfter(null, true)).toBe(true);
    expect(isSilentAfter(null)).toBe(false);
  });

  it('says nothing of an ownership that is over', () => {
    expect(isSilentAfter(NOW_MS - 30 * DAY_MS, true, true)).toBe(false);
  });
});
