import { describe, expect, it } from 'vitest';
import type { Outbox } from '../../../../agent/outbox/outbox.js';
import { recordKind, type RecordLoss, type SealcamRecord } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { claimed, close, motion, open, picture } from '../../../support/worlds/outbox-world.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { storeOf } from '../../../support/outbox-store.js';

/** Faults in the outbox's sums that the simulated world (`npm run sim`) found. */

function queued(outbox: Outbox): SealcamRecord[] {
  return outbox.read({ epoch: 0, seq: -1 }, 1000).map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value);
}

function namedLosses(outbox: Outbox, epoch: number): RecordLoss[] {
  return queued(outbox).flatMap((record) => (record.epoch === epoch ? (record.loss ?? []) : []));
}

describe('losses', () => {
  it('take a record of a closed epoch with its picture: nobody could sign the loss of the picture alone', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder(), 60_000);
    const { outbox } = opened;
    for (let i = 0; i < 5; i++) motion(world, outbox, i, [picture(10_000)]);
    const first = outbox.currentClaim();
    outbox.beginEpoch(world.claim(2, first?.hash ?? null), world.time(10));
    for (let i = 0; i < 4; i++) motion(world, outbox, 20 + i, [picture(10_000)]);
    const old = outbox.read({ epoch: 0, seq: -1 }, 100).filter(({ epoch, media }) => epoch === 1 && media.length > 0);
    expect(old.length).toBeGreaterThan(0);
    expect(old.every(({ media }) => media.every((sealed) => sealed !== null))).toBe(true);
    // The open epoch counts them.
    outbox.flushLosses(world.time(30));
    const counted = namedLosses(outbox, 2).reduce(
      (sum, { reason, count = 0 }) => sum + (reason === 'full' ? count : 0),
      0,
    );
    const kept = queued(outbox).filter(({ epoch }) => epoch === 1).length;
    expect(counted).toBe(7 - kept);
    close(opened);
  });

  it('are named again if the gap record that named them is dropped', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder(), 60_000);
    const { outbox } = opened;
    outbox.countLoss('failed', 3);
    outbox.flushLosses(world.time(1));
    for (let i = 0; i < 200; i++) motion(world, outbox, i, [picture(2000)]);
    // The accept stays: without it the cloud would store nothing of this epoch.
    const [first, second] = queued(outbox);
    expect(first?.kind).toBe('accept');
    expect(second?.seq).toBeGreaterThan(1);
    outbox.flushLosses(world.time(300));
    expect(namedLosses(outbox, 1)).toContainEqual({ reason: 'failed', count: 3 });
    close(opened);
  });

  it('of an epoch with nothing else in the queue are named in its tombstone', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const claim = outbox.currentClaim();
    const accept = outbox.find({ epoch: 1, seq: 0 });
    if (claim === null || accept === null) throw new Error('not claimed');
    outbox.applyReceipt(world.receipt(claim, [[0, 0, accept.hash]]), world.time(0));
    outbox.countLoss('failed', 3);
    // A receipt of records that were never made changes nothing of this.
    outbox.applyReceipt(world.receipt(claim, [[0, 9, new Uint8Array(32)]]), world.time(0));
    outbox.beginEpoch(world.claim(2, claim.hash), world.time(10));
    outbox.flushLosses(world.time(11));
    expect(namedLosses(outbox, 1)).toEqual([{ reason: 'failed', count: 3 }]);
    expect(namedLosses(outbox, 2)).toEqual([]);
    close(opened);
  });

  it('are all named before an epoch ends, in as many records as that takes', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const ids = Array.from({ length: 40 }, () => picture(1).media.id);
    for (const id of ids) storeOf(outbox).losses.addMedia(1, 'full', id, 1);
    outbox.beginEpoch(world.claim(2, outbox.currentClaim()?.hash ?? null), world.time(10));
    expect(namedLosses(outbox, 1).flatMap(({ media = [] }) => media)).toHaveLength(40);
    expect(
      queued(outbox)
        .filter(({ epoch }) => epoch === 1)
        .at(-1)?.kind,
    ).toBe('tombstone');
    close(opened);
  });
});

describe('the end of an ownership', () => {
  it('keeps an unreceipted accept: without it the cloud never learns of the epoch and never receipts its end', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    motion(world, outbox, 1);
    outbox.endEpoch('reset', world.time(2));
    expect(queued(outbox).map(({ kind }) => kind)).toEqual(['accept', 'tombstone']);
    expect(namedLosses(outbox, 1)).toEqual([{ reason: 'erased', seqs: [1, 1] }]);
    close(opened);
  });

  it('erases a receipted accept: the control', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const claim = outbox.currentClaim();
    const [accept] = outbox.read({ epoch: 0, seq: -1 }, 1);
    if (claim === null || accept === undefined) throw new Error('not claimed');
    outbox.applyReceipt(world.receipt(claim, [[0, 0, accept.hash]]), world.time(0));
    motion(world, outbox, 1);
    outbox.endEpoch('reset', world.time(2));
    expect(queued(outbox).map(({ kind }) => kind)).toEqual(['tombstone']);
    close(opened);
  });
});

it('starts with a full disk: the mark of the first start is not written again', () => {
  const world = new CameraWorld();
  const opened = open(world, tempFolder());
  expect(opened.outbox.consumeFirstStart()).toBe(true);
  storeOf(opened.outbox).transaction = () => {
    throw new Error('full');
  };
  expect(opened.outbox.consumeFirstStart()).toBe(false);
  close(opened);
});
