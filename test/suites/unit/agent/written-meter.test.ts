import { describe, expect, it } from 'vitest';
import { WrittenMeter } from '../../../../agent/health/written-meter.js';
import { readWrittenBytes } from '../../../../hal/linux/process-io.js';

const HOUR_MS = 3_600_000;

describe('bytes written within a day', () => {
  it('are all of them on the first day, and those of a day later on', () => {
    const meter = new WrittenMeter();
    expect(meter.lastDay(0, 500)).toBe(500);
    let bytes = 500;
    for (let hour = 1; hour <= 100; hour++) {
      bytes += 1000;
      const day = meter.lastDay(hour * HOUR_MS, bytes);
      expect(day).toBe(hour <= 24 ? bytes : 24_000);
    }
    expect(meter.lastDay(200 * HOUR_MS, bytes)).toBe(0);
  });

  it('are not known where the kernel does not tell', () => {
    expect(new WrittenMeter().lastDay(0, null)).toBeNull();
    const here = readWrittenBytes();
    expect(here === null || here >= 0).toBe(true);
  });
});
