import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../common/limits.js';
import { PacketLimit } from '../../../../agent/uplink/packet-limit.js';

const HOUR_MS = 3_600_000;
const TOPIC = 'sealcam/v1/up';
const OVERHEAD = 10 + TOPIC.length;
const made = (): PacketLimit => new PacketLimit(TOPIC);

describe("the broker's limit on a message", () => {
  it('is what it announces on each connection, less topic and header', () => {
    const limit = made();
    expect(limit.maxBytes(0)).toBe(LIMITS.messageMaxBytes);
    expect(limit.targetBytes).toBeNull();
    limit.setAnnounced(5000);
    expect([limit.maxBytes(0), limit.targetBytes]).toEqual([5000 - OVERHEAD, 5000 - OVERHEAD]);
    limit.setAnnounced(null);
    expect(limit.maxBytes(0)).toBe(LIMITS.messageMaxBytes);
  });

  it('is learned from one named refusal, from two ends, from three other refusals', () => {
    const learned = (evidence: 'named' | 'closed' | 'refused'): number => {
      const limit = made();
      limit.noteAcknowledged(300);
      for (let times = 1; ; times++) if (limit.noteRefused(12_000, evidence, 0)) return times;
    };
    expect([learned('named'), learned('closed'), learned('refused')]).toEqual([1, 2, 3]);
  });

  it('is not learned from the size of what passed before, nor from a broker that refuses everything', () => {
    const limit = made();
    limit.noteAcknowledged(20_000);
    for (let i = 0; i < 9; i++) expect(limit.noteRefused(12_000, 'closed', 0)).toBe(false);
    const closed = made();
    for (let i = 0; i < 9; i++) expect(closed.noteRefused(12_000, 'refused', 0)).toBe(false);
    // The control: once something smaller passed, the same refusals are about the size.
    closed.noteAcknowledged(300);
    expect([1, 2, 3].map(() => closed.noteRefused(12_000, 'refused', 0))).toEqual([false, false, true]);
    // A refusal that names the size counts always: the broker may have a smaller limit than yesterday.
    expect(limit.noteRefused(12_000, 'named', 0)).toBe(true);
  });

  it('is never learned below what records without pictures need, whatever a broker says', () => {
    const limit = made();
    for (const bytes of [400, 4097, 4096, 300]) limit.noteRefused(bytes, 'named', 0);
    expect(limit.maxBytes(0)).toBe(4096);
    // The control: what it announces on a connection counts as it is.
    limit.setAnnounced(1000);
    expect(limit.maxBytes(0)).toBe(1000 - OVERHEAD);
  });

  it('asks for messages of half of what was refused, and keeps to the largest that passed', () => {
    const limit = made();
    limit.noteRefused(12_001, 'named', 0);
    expect([limit.maxBytes(0), limit.targetBytes]).toEqual([12_000, 6000]);
    limit.noteReceipted(7000, 1);
    expect(limit.targetBytes).toBe(7000);
    limit.noteRefused(6001, 'named', 2);
    expect(limit.targetBytes).toBe(6000);
  });

  it('is tried again after an hour, then after two and four, at most a day; a receipt of a larger one ends it', () => {
    const limit = made();
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 7; i++) {
      limit.noteRefused(12_000, 'named', nowMs);
      waits.push((limit.nextRetryMs - nowMs) / HOUR_MS);
      expect(limit.maxBytes(limit.nextRetryMs - 1)).toBe(11_999);
      nowMs = limit.nextRetryMs;
      expect(limit.maxBytes(nowMs)).toBe(LIMITS.messageMaxBytes);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 24, 24]);
    limit.noteReceipted(12_000, nowMs);
    expect(limit.targetBytes).toBeNull();
    expect(limit.nextRetryMs).toBe(Infinity);
  });
});
