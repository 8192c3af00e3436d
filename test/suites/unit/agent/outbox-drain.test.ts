import { describe, expect, it } from 'vitest';
import { Sender } from '../../../../agent/uplink/sender.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { claimed, close, motion } from '../../../support/worlds/outbox-world.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { storeOf } from '../../../support/outbox-store.js';

const MINUTE_MS = 60_000;

/** Drains like a connected camera for this many minutes of a virtual clock; every record is receipted immediately. */
function drain(minutes: number, liveAtMs: number) {
  const world = new CameraWorld();
  const opened = claimed(world, tempFolder());
  const { outbox } = opened;
  storeOf(outbox).transaction(() => {
    for (let i = 0; i < 300; i++) motion(world, outbox, i);
  });
  const claim = outbox.currentClaim();
  if (claim === null) throw new Error('unclaimed');
  const sender = new Sender(outbox, 0, 1 / MINUTE_MS, null);
  const sent: { atMs: number; isLive: boolean; records: number }[] = [];
  let hasLive = false;
  for (let nowMs = 0; nowMs < minutes * MINUTE_MS;) {
    if (!hasLive && nowMs >= liveAtMs) {
      motion(world, outbox, nowMs);
      hasLive = true;
    }
    for (let parcel = sender.next(nowMs); parcel !== null; parcel = sender.next(nowMs)) {
      sent.push({ atMs: nowMs, isLive: parcel.isLive, records: parcel.records.length });
      sender.markAcknowledged(parcel, nowMs, 300_000, 0.5);
      for (const { epoch, seq, hash } of parcel.records) {
        outbox.applyReceipt(world.receipt(claim, [[seq, seq, hash]]), world.time(0));
        sender.markReceipted(epoch, seq, seq);
      }
    }
    const wakeMs = Math.ceil(sender.wakeMs());
    nowMs = Math.max(nowMs + 1, hasLive ? wakeMs : Math.min(wakeMs, liveAtMs));
  }
  const { queued } = outbox.totals();
  const broken = brokenSums(outbox);
  close(opened);
  return { sent, queued, broken };
}

describe('the drain of a long outbox', () => {
  it('runs at five times the own rate, evenly, and a live record does not wait for it', () => {
    const liveAtMs = 9.5 * MINUTE_MS;
    const { sent, queued, broken } = drain(20, liveAtMs);
    const backlog = sent.filter(({ isLive }) => !isLive);
    // Own rate: one record a minute. Drain: five, one every twelve seconds.
    expect(backlog.length).toBeGreaterThanOrEqual(99);
    expect(backlog.length).toBeLessThanOrEqual(100);
    const waits = backlog.slice(1).map(({ atMs }, i) => atMs - (backlog[i]?.atMs ?? 0));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(11_999);
    expect(Math.max(...waits)).toBeLessThanOrEqual(12_002);
    // The accept, without which the cloud stores nothing of this epoch, does not wait either.
    const atOnce = sent.filter(({ isLive }) => isLive).map(({ atMs }) => atMs);
    expect(atOnce).toEqual([0, liveAtMs]);
    expect(queued).toBe(302 - backlog.length - atOnce.length);
    expect(broken).toEqual([]);
  });
});
