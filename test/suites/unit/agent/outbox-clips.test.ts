import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { SegmentWorld, hashesOf, mediaIdsOf } from '../../../support/worlds/segment-world.js';

async function world(): Promise<SegmentWorld> {
  const made = new SegmentWorld();
  await made.start();
  return made;
}

describe('a clip in the outbox', () => {
  it('is sent only when its record has its receipt, newest clip first, from its beginning', async () => {
    const w = await world();
    const [older, newer] = [w.newClip(), w.newClip()];
    const first = w.clip(older, 'start', 2);
    const third = w.clip(older, 'more', 1);
    const second = w.clip(newer, 'start', 2);
    expect(w.outbox.segmentsToSend(10)).toEqual([]);
    let ready = 0;
    w.outbox.onSegmentsReady(() => ready++);
    w.receiptAll();
    expect(ready).toBe(1);
    const sent = w.outbox.segmentsToSend(10);
    expect(sent.map(({ bodyHash }) => bodyHash)).toEqual([...hashesOf(second), ...hashesOf(first), ...hashesOf(third)]);
    for (const segment of sent) {
      const body = segment.read();
      expect(body?.length).toBe(segment.length);
      expect(nodeSuite.sha256(body ?? new Uint8Array(0))).toEqual(segment.bodyHash);
    }
  });

  it('goes on a media receipt, and on nothing else', async () => {
    const w = await world();
    const record = w.clip(w.newClip(), 'start', 3);
    const [stored, refused, other] = hashesOf(record);
    if (stored === undefined || refused === undefined || other === undefined) throw new Error('no segments');
    // Before its record has its receipt, the body was never sent.
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 0, refused: 0 });
    w.receiptAll();
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 1, refused: 0 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 0, refused: 0 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([refused], 'quota'))).toEqual({ stored: 0, refused: 1 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([realRandom.bytes(32)]))).toEqual({ stored: 0, refused: 0 });
    expect(w.files()).toHaveLength(1);
    expect(w.outbox.segmentsToSend(9).map(({ bodyHash }) => bodyHash)).toEqual([other]);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 3, receipted: 1, queued: 1, lost: 1 });
    expect(w.namedLosses()).toEqual([{ reason: 'refused', media: [mediaIdsOf(record)[1]] }]);
  });

  it('that was sealed for another claim is discarded and counted', async () => {
    const w = await world();
    const clip = w.newClip();
    const content = { time: w.time(), clip: { eventId: clip.eventId, number: 0, phase: 'start' } } as const;
    expect(w.outbox.appendClip(content, w.segments(clip, 2), realRandom.bytes(32))).toBeNull();
    expect(w.files()).toEqual([]);
    expect(w.namedLosses()).toEqual([{ reason: 'claim-changed', count: 2 }]);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 0, queued: 0 });
  });
});
