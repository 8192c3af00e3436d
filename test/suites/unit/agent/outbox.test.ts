import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { openDatabase } from '../../../../agent/outbox/database.js';
import { noteBeforePublish, noteOwnership } from '../../../../agent/outbox/published.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { codeOf } from '../../../support/codes.js';
import { claimed, close, MIB, motion, open, picture } from '../../../support/worlds/outbox-world.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';

describe('outbox', () => {
  it('records nothing without an owner', () => {
    const world = new CameraWorld();
    const opened = open(world, tempFolder());
    expect(codeOf(() => opened.outbox.append({ kind: 'scene', time: world.time(1), scene: { class: 'stall' } }))).toBe(
      'unclaimed',
    );
    expect(opened.outbox.queued()).toEqual({ records: 0, bytes: 0 });
    close(opened);
  });

  it('chains records from the claim on, and keeps them over a restart', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const first = claimed(world, folder);
    const media = picture(5000);
    const a = motion(world, first.outbox, 10, [media]);
    const b = motion(world, first.outbox, 20);
    expect(toHex(b.value.prev ?? new Uint8Array(0))).toBe(toHex(a.hash));
    close(first);
    const second = open(world, folder);
    const queued = second.outbox.read({ epoch: 0, seq: -1 }, 10);
    expect(queued.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(queued[1]?.media[0]).toEqual(media.sealed);
    const c = motion(world, second.outbox, 30);
    expect(c.value.seq).toBe(3);
    expect(c.value.prev).toEqual(b.hash);
    expect(brokenSums(second.outbox)).toEqual([]);
    close(second);
  });

  it('deletes a record only on a receipt with its hash', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const claim = outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    const records = [10, 20, 30].map((at) => motion(world, outbox, at, [picture(100)]));
    const fork = outbox.applyReceipt(world.receipt(claim, [[0, 2, new Uint8Array(32)]]), world.time(0));
    expect(fork).toMatchObject({ deleted: 0, otherHistory: 1 });
    expect(outbox.queued().records).toBe(4);
    const two = records[1]?.hash ?? new Uint8Array(0);
    expect(outbox.applyReceipt(world.receipt(claim, [[0, 2, two]]), world.time(0))).toMatchObject({
      deleted: 3,
      otherHistory: 0,
    });
    expect(outbox.applyReceipt(world.receipt(claim, [[0, 2, two]]), world.time(0))).toMatchObject({
      deleted: 0,
      otherHistory: 0,
    });
    expect(outbox.read({ epoch: 0, seq: -1 }, 10).map(({ seq }) => seq)).toEqual([3]);
    const three = records[2]?.hash ?? new Uint8Array(0);
    outbox.applyReceipt(world.receipt(claim, [[3, 3, three]]), world.time(0));
    expect(outbox.queued()).toEqual({ records: 0, bytes: 0 });
    expect(outbox.totals()).toEqual({ produced: 4, receipted: 4, queued: 0, quarantined: 0, lost: 0 });
    close(opened);
  });

  it('moves rejected records to the quarantine, and counts them', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const claim = outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    const record = motion(world, outbox, 10, [picture(100)]);
    const wrong = world.receipt(claim, [], { rejects: [[1, new Uint8Array(32), 'malformed']] });
    expect(outbox.applyReceipt(wrong, world.time(0)).quarantined).toBe(0);
    const right = world.receipt(claim, [], { rejects: [[1, record.hash, 'malformed']] });
    expect(outbox.applyReceipt(right, world.time(0)).quarantined).toBe(1);
    expect(outbox.totals()).toMatchObject({ quarantined: 1, queued: 1 });
    expect(outbox.flushLosses(world.time(20))?.value.loss).toEqual([{ reason: 'quarantined', seqs: [1, 1] }]);
    expect(brokenSums(outbox)).toEqual([]);
    close(opened);
  });

  it('names a rejected record in a signed loss, and again what that record had named', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const claim = outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    outbox.countLoss('failed', 2);
    const gap = outbox.flushLosses(world.time(1));
    if (gap === null) throw new Error('no gap');
    expect(outbox.flushLosses(world.time(2))).toBeNull();
    outbox.applyReceipt(world.receipt(claim, [], { rejects: [[gap.value.seq, gap.hash, 'malformed']] }), world.time(2));
    expect(outbox.flushLosses(world.time(3))?.value.loss).toEqual([
      { reason: 'failed', count: 2 },
      { reason: 'quarantined', seqs: [gap.value.seq, gap.value.seq] },
    ]);
    expect(brokenSums(outbox)).toEqual([]);
    close(opened);
  });

  it('discards and counts media sealed for a claim that is no longer the current one', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const before = outbox.totals();
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const content = { kind: 'motion', time: world.time(1), event } as const;
    expect(outbox.append(content, [picture(10)], realRandom.bytes(32))).toBeNull();
    expect(outbox.append(content, [picture(10)], opened.claimHash)).not.toBeNull();
    expect(outbox.totals().produced).toBe(before.produced + 1);
    expect(outbox.flushLosses(world.time(2))?.value.loss).toEqual([{ reason: 'claim-changed', count: 1 }]);
    close(opened);
  });

  it('drops pictures of the oldest records first, then records, and names every loss in a signed gap', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder(), 40_000);
    const { outbox } = opened;
    const pictures = Array.from({ length: 8 }, () => picture(9000));
    for (const [i, media] of pictures.entries()) motion(world, outbox, 10 * i, [media]);
    expect(outbox.queued().bytes).toBeLessThanOrEqual(40_000);
    const kept = outbox.read({ epoch: 0, seq: -1 }, 20);
    expect(kept).toHaveLength(9);
    expect(kept[1]?.media).toEqual([null]);
    expect(kept[8]?.media[0]).toEqual(pictures[7]?.sealed);
    const gap = outbox.flushLosses(world.time(100));
    const lost = gap?.value.loss?.flatMap(({ media }) => media ?? []).map(toHex);
    expect(lost).toEqual(pictures.slice(0, lost?.length).map(({ media }) => toHex(media.id)));
    expect(lost?.length).toBeGreaterThan(2);
    expect(outbox.flushLosses(world.time(101))).toBeNull();

    for (let i = 0; i < 200; i++) motion(world, outbox, 1000 + i);
    const range = outbox.flushLosses(world.time(9999))?.value.loss?.find(({ seqs }) => seqs !== undefined);
    expect(range).toMatchObject({ reason: 'full' });
    // The accept stays: without it the cloud would store nothing of this epoch.
    expect(range?.seqs?.[0]).toBe(1);
    expect(outbox.read({ epoch: 0, seq: -1 }, 1)[0]?.seq).toBe(0);
    expect(brokenSums(outbox)).toEqual([]);
    expect(outbox.totals().lost).toBe(range?.seqs?.[1]);
    close(opened);
  });

  it('drops by age, but only under network time', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    motion(world, outbox, 10);
    // The next day, after a reboot.
    const late = { ...world.time(20, Date.UTC(2026, 10, 22)), boot: realRandom.bytes(16) };
    outbox.append({ kind: 'scene', time: { ...late, quality: 'rtc' }, scene: { class: 'stall' } });
    expect(outbox.totals().lost).toBe(0);
    outbox.append({ kind: 'scene', time: late, scene: { class: 'stall' } });
    expect(outbox.totals().lost).toBe(1);
    close(opened);
  });

  it('measures age within a boot on the monotonic clock, whatever a time server says', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    motion(world, outbox, 10);
    const inTenYears = world.time(20, Date.UTC(2036, 10, 22));
    outbox.append({ kind: 'scene', time: inTenYears, scene: { class: 'clock-jump' } });
    expect(outbox.totals().lost).toBe(0);
    outbox.append({ kind: 'scene', time: { ...inTenYears, monotonicMs: 3_600_011 }, scene: { class: 'stall' } });
    expect(outbox.totals().lost).toBe(1);
    close(opened);
  });

  it('keeps its sums under random operations', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }), (actions) => {
        const world = new CameraWorld();
        const opened = claimed(world, tempFolder(), 30_000);
        const { outbox } = opened;
        const claim = outbox.currentClaim();
        if (claim === null) throw new Error('unclaimed');
        for (const [i, action] of actions.entries()) {
          const queued = outbox.read({ epoch: 0, seq: -1 }, 3);
          const target = queued.at(-1);
          if (action <= 1) motion(world, outbox, i, action === 0 ? [picture(7000)] : []);
          else if (action === 2 && target !== undefined) {
            outbox.applyReceipt(world.receipt(claim, [[queued[0]?.seq ?? 0, target.seq, target.hash]]), world.time(0));
          } else if (action === 3 && target !== undefined) {
            outbox.applyReceipt(
              world.receipt(claim, [], { rejects: [[target.seq, target.hash, 'malformed']] }),
              world.time(0),
            );
          } else outbox.flushLosses(world.time(i));
          expect(brokenSums(outbox)).toEqual([]);
          expect(outbox.totals().queued).toBe(outbox.read({ epoch: 0, seq: -1 }, 1000).length);
          expect(outbox.queued().records).toBe(outbox.totals().queued);
        }
        close(opened);
      }),
      { numRuns: 15 },
    );
  });
});

describe('epochs', () => {
  it('end with a tombstone, and their records drain under their own epoch', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    motion(world, outbox, 10);
    const claim1 = outbox.currentClaim();
    if (claim1 === null) throw new Error('unclaimed');
    const claim2 = world.claim(2, claim1.hash);
    outbox.beginEpoch(claim2, world.time(20));
    const queued = outbox.read({ epoch: 0, seq: -1 }, 10).map(({ epoch, seq, bytes }) => {
      const { kind } = openSigned(recordKind, nodeSuite, bytes).value;
      return `${String(epoch)}/${String(seq)} ${kind}`;
    });
    expect(queued).toEqual(['1/0 accept', '1/1 motion', '1/2 tombstone', '2/0 accept']);
    const last = outbox.find({ epoch: 1, seq: 2 });
    outbox.applyReceipt(world.receipt(claim1, [[0, 2, last?.hash ?? new Uint8Array(32)]]), world.time(0));
    expect(outbox.claimOf(1)).toBeNull();
    expect(outbox.claimOf(2)?.hash).toEqual(claim2.hash);
    close(opened);
  });

  it('refuse a claim that does not follow the last one', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    for (const claim of [world.claim(3, opened.claimHash), world.claim(2, new Uint8Array(32)), world.claim(1)]) {
      expect(codeOf(() => opened.outbox.beginEpoch(claim, world.time(1)))).toBe('claim-refused');
    }
    expect(opened.outbox.ownership().lastEpoch).toBe(1);
    close(opened);
  });

  it('erase everything but the tombstone after a release; counter and claim hash survive', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const opened = claimed(world, folder);
    const pictures = [1, 2, 3].map(() => picture(3000));
    for (const [i, media] of pictures.entries()) motion(world, opened.outbox, i, [media]);
    const [accept] = opened.outbox.read({ epoch: 0, seq: -1 }, 1);
    const claim = opened.outbox.currentClaim();
    if (claim === null || accept === undefined) throw new Error('not claimed');
    opened.outbox.applyReceipt(world.receipt(claim, [[0, 0, accept.hash]]), world.time(0));
    opened.outbox.endEpoch('release', world.time(50));
    noteOwnership(opened.outbox, opened.mirror);
    const queued = opened.outbox.read({ epoch: 0, seq: -1 }, 10);
    expect(queued).toHaveLength(1);
    const tombstone = openSigned(recordKind, nodeSuite, queued[0]?.bytes ?? new Uint8Array(0)).value;
    expect(tombstone).toMatchObject({ kind: 'tombstone', tombstone: { reason: 'release' }, seq: 4 });
    expect(tombstone.loss).toEqual([{ reason: 'erased', seqs: [1, 3] }]);
    expect(opened.outbox.ownership()).toMatchObject({ lastEpoch: 1, claim: null });
    expect(opened.outbox.consumeFirstStart()).toBe(true);
    expect(opened.outbox.consumeFirstStart()).toBe(false);
    close(opened);
    const sealed = Buffer.from(pictures[0]?.sealed.body.subarray(0, 32) ?? '');
    expect(readFileSync(join(folder, 'outbox.mirror')).includes(Buffer.from(world.owner.publicKey))).toBe(false);
    expect(readFileSync(join(folder, 'outbox.db')).includes(sealed)).toBe(false);
  });
});

describe('damaged databases', () => {
  it('keeps a second agent out of the folder', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const opened = claimed(world, folder);
    expect(codeOf(() => openDatabase(join(folder, 'outbox.db'), { maxBytes: MIB }))).toBe('store-locked');
    close(opened);
  });

  it('sets a damaged database aside, takes the owner from the mirror, and continues with a signed gap', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const first = claimed(world, folder);
    for (let i = 0; i < 3; i++) motion(world, first.outbox, i);
    noteBeforePublish(first.outbox, first.mirror, first.outbox.read({ epoch: 0, seq: -1 }, 10));
    close(first);
    writeFileSync(join(folder, 'outbox.db'), 'this is not a database but a text of more than sixteen bytes');
    const second = open(world, folder);
    expect(readdirSync(folder)).toContain('outbox.db.corrupt-1');
    expect(second.outbox.ownership()).toMatchObject({ lastEpoch: 1 });
    expect(second.outbox.currentClaim()?.hash).toEqual(first.claimHash);
    const [gap] = second.outbox.read({ epoch: 0, seq: -1 }, 10);
    const { value } = openSigned(recordKind, nodeSuite, gap?.bytes ?? new Uint8Array(0));
    expect(value).toMatchObject({ kind: 'gap', seq: 4, prev: null, loss: [{ reason: 'state-lost', seqs: [0, 3] }] });
    expect(brokenSums(second.outbox)).toEqual([]);
    close(second);
  });

  it('continues after what was published when the database was rolled back', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const first = claimed(world, folder);
    motion(world, first.outbox, 1);
    first.outbox.close();
    copyFileSync(join(folder, 'outbox.db'), join(folder, 'backup'));
    first.mirror.close();
    const second = open(world, folder);
    motion(world, second.outbox, 2);
    motion(world, second.outbox, 3);
    noteBeforePublish(second.outbox, second.mirror, second.outbox.read({ epoch: 0, seq: -1 }, 10));
    close(second);
    copyFileSync(join(folder, 'backup'), join(folder, 'outbox.db'));
    const third = open(world, folder);
    const records = third.outbox
      .read({ epoch: 0, seq: -1 }, 10)
      .map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value);
    expect(records.map(({ seq, kind }) => `${String(seq)} ${kind}`)).toEqual(['0 accept', '1 motion', '4 gap']);
    expect(records[2]).toMatchObject({ prev: null, loss: [{ reason: 'state-lost', seqs: [2, 3] }] });
    expect(brokenSums(third.outbox)).toEqual([]);
    close(third);
  });

  it('does not bring a released owner back with an old database', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const first = claimed(world, folder);
    motion(world, first.outbox, 1);
    close(first);
    copyFileSync(join(folder, 'outbox.db'), join(folder, 'backup'));
    const second = open(world, folder);
    second.outbox.endEpoch('reset', world.time(9));
    noteOwnership(second.outbox, second.mirror);
    close(second);
    copyFileSync(join(folder, 'backup'), join(folder, 'outbox.db'));
    const third = open(world, folder);
    expect(third.outbox.currentClaim()).toBeNull();
    expect(third.outbox.queued().records).toBe(0);
    expect(third.outbox.ownership().lastEpoch).toBe(1);
    close(third);
  });

  it('survives a power cut during a write of the mirror', () => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const first = claimed(world, folder);
    motion(world, first.outbox, 1);
    noteBeforePublish(first.outbox, first.mirror, first.outbox.read({ epoch: 0, seq: -1 }, 10));
    close(first);
    const path = join(folder, 'outbox.mirror');
    const bytes = readFileSync(path);
    // The second write went to slot 0; tear it.
    bytes.fill(0xee, 100, 8000);
    writeFileSync(path, bytes);
    const second = open(world, folder);
    expect(second.mirror.state).toMatchObject({ epoch: 1, seq: null });
    expect(motion(world, second.outbox, 2).value.seq).toBe(2);
    close(second);
    expect(existsSync(`${path}.corrupt-1`)).toBe(false);
  });
});
