import { describe, expect, it } from 'vitest';
import { Counters } from '../../../../common/counters.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { decodeUp } from '../../../../protocol/transport/messages.js';
import { Oversize } from '../../../../agent/uplink/oversize.js';
import { PacketLimit } from '../../../../agent/uplink/packet-limit.js';
import { Sender, type Parcel } from '../../../../agent/uplink/sender.js';
import { SizeWatch } from '../../../../agent/uplink/size-watch.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { claimed, close, motion, picture, type Opened } from '../../../support/worlds/outbox-world.js';
import { PeriodWorld } from '../../../support/worlds/period-world.js';
import { SegmentWorld } from '../../../support/worlds/segment-world.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';
import { tempFolder } from '../../../support/runner/temp.js';

type Next = (sender: Sender, nowMs: number) => Parcel | null;

const WINDOW_MS = 300_000;
/** Live records keep to their allowance of two per second. */
const LIVE_EVERY_MS = 500;

function receiptAccept(world: CameraWorld, { outbox }: Opened, epoch = 1): void {
  const claim = outbox.claimOf(epoch);
  const accept = outbox.find({ epoch, seq: 0 });
  if (claim === null || accept === null) throw new Error('no accept');
  outbox.applyReceipt(world.receipt(claim, [[0, 0, accept.hash]]), world.time(0));
}

/**
 * Walks a camera that reconnects with a backlog, over a link whose acknowledgements arrive late or never. A live record must
 * always be sent next, however much waits. Returns what is wrong, or null.
 */
function walk(seed: number, next: Next): string | null {
  const { uniform } = seededRandom(seed);
  const world = new CameraWorld();
  const queue = claimed(world, tempFolder());
  const { outbox } = queue;
  receiptAccept(world, queue);
  const claim = outbox.currentClaim();
  if (claim === null) throw new Error('unclaimed');
  const append = (): number =>
    outbox.append({ kind: 'scene', time: world.time(0), scene: { class: 'stall' } })?.value.seq ?? -1;
  for (let i = 0; i < 40; i++) append();
  let nowMs = 1000;
  const sender = new Sender(outbox, nowMs, uniform() / 1000, uniform() < 0.3 ? uniform() * 5000 : null);
  const held: Parcel[] = [];
  let liveAtMs = 0;
  let sent = 0;
  for (let at = 0; at < 80; at++) {
    nowMs += uniform() * 3000;
    if (uniform() < 0.1) sender.slowDown();
    if (uniform() < 0.1) sender.setDrainInterval(uniform() * 10_000);
    const hasLive = uniform() < 0.5 && nowMs - liveAtMs >= LIVE_EVERY_MS;
    const liveSeq = hasLive ? append() : null;
    if (hasLive) liveAtMs = nowMs;
    for (let first = true; ; first = false) {
      const parcel = next(sender, nowMs);
      const seqs = parcel?.records.map(({ seq }) => seq) ?? [];
      if (first && liveSeq !== null && !seqs.includes(liveSeq)) {
        close(queue);
        return `record ${String(liveSeq)} waited behind ${seqs.length === 0 ? 'nothing' : `record ${String(seqs[0])}`}`;
      }
      if (parcel === null) break;
      sent++;
      held.push(parcel);
    }
    for (const parcel of held.splice(0)) {
      if (uniform() < 0.3) continue;
      sender.markAcknowledged(parcel, nowMs, WINDOW_MS, uniform());
      // Receipts of the backlog may be missing: a repeat must not leave before a live record either.
      if (parcel.isLive || uniform() < 0.3)
        for (const { epoch, seq, hash } of parcel.records) {
          outbox.applyReceipt(world.receipt(claim, [[seq, seq, hash]]), world.time(0));
          sender.markReceipted(epoch, seq, seq);
        }
    }
  }
  close(queue);
  return sent > 20 ? null : `only ${String(sent)} messages left`;
}

/** Types of the messages that leave while a record waits for its receipt for half an hour. */
function typesWhileSilent({ isAnswered }: { readonly isAnswered: boolean }): string[] {
  const world = new CameraWorld();
  const queue = claimed(world, tempFolder());
  const { outbox } = queue;
  receiptAccept(world, queue);
  const claim = outbox.currentClaim();
  if (claim === null) throw new Error('unclaimed');
  const sender = new Sender(outbox, 0, 0, null);
  const [first, second] = [1, 2].map((at) =>
    outbox.append({ kind: 'scene', time: world.time(at), scene: { class: 'stall' } }),
  );
  if (first === null || first === undefined || second === null || second === undefined) throw new Error('no record');
  const types: string[] = [];
  for (let nowMs = 1000; nowMs < 1_800_000; nowMs += 1000) {
    for (let parcel = sender.next(nowMs); parcel !== null; parcel = sender.next(nowMs)) {
      const message = decodeUp(parcel.payload);
      types.push(message.type);
      if (message.type === 'accept') {
        expect(message.claim).toEqual(claim.bytes);
        expect(openSigned(recordKind, nodeSuite, message.record).value).toMatchObject({ kind: 'accept', epoch: 1 });
      }
      sender.markAcknowledged(parcel, nowMs, 0, 0.5);
    }
    if (isAnswered && nowMs === 2000) {
      const { seq, ...rest } = first.value;
      outbox.applyReceipt(world.receipt(claim, [[seq, seq, first.hash]]), rest.time);
      sender.markReceipted(1, seq, seq);
    }
  }
  close(queue);
  return types;
}

const SEEDS = Array.from({ length: 8 }, (_, i) => i + 1);

describe('the next message to leave', () => {
  it('is the accept again, once, where a cloud answers nothing: it may have been restored from a back-up', () => {
    const accepts = (types: readonly string[]): number => types.filter((type) => type === 'accept').length;
    const silent = typesWhileSilent({ isAnswered: false });
    expect(accepts(silent)).toBe(1);
    // Not at the first sign of a delay.
    expect(silent.indexOf('accept')).toBeGreaterThan(3);
    // The control: a cloud that answers for one record knows the epoch.
    expect(accepts(typesWhileSilent({ isAnswered: true }))).toBe(0);
  });

  it.each(SEEDS)('is a live record, whatever waits: seed %i', (seed) => {
    expect(walk(seed, (sender, nowMs) => sender.next(nowMs))).toBeNull();
  });

  it('the control: detects a sender that sends the backlog first', () => {
    const waiting: (Parcel | null)[] = [];
    // Delays every message by one, so that a live record leaves after the message before it.
    const late: Next = (sender, nowMs) => {
      waiting.push(sender.next(nowMs));
      return waiting.length > 1 ? (waiting.shift() ?? null) : null;
    };
    expect(walk(1, late)).toMatch(/waited behind/);
  });

  it('is never backlog while enough of it is in flight', () => {
    const world = new CameraWorld();
    const queue = claimed(world, tempFolder());
    receiptAccept(world, queue);
    motion(world, queue.outbox, 1);
    const sender = new Sender(queue.outbox, 0, 0, 1);
    expect(sender.next(1000, true)).toBeNull();
    const live = queue.outbox.append({ kind: 'scene', time: world.time(0), scene: { class: 'stall' } });
    expect(sender.next(1000, true)?.records.map(({ seq }) => seq)).toEqual([live?.value.seq]);
    expect(sender.next(1000, false)?.isLive).toBe(false);
    close(queue);
  });

  it('is a record that was too large for the broker, once a full outbox has dropped its picture', () => {
    const world = new CameraWorld();
    const queue = claimed(world, tempFolder(), 16_000);
    const { outbox } = queue;
    receiptAccept(world, queue);
    const limit = new PacketLimit('');
    limit.setAnnounced(5000);
    const sender = new Sender(outbox, 0, 0, 1, { limit, oversize: new Oversize(Infinity) });
    const leaving = (nowMs: number): string[] => {
      const names: string[] = [];
      for (let parcel = sender.next(nowMs); parcel !== null; parcel = sender.next(nowMs)) {
        sender.markAcknowledged(parcel, nowMs, WINDOW_MS, 0.5);
        names.push(...parcel.records.map(({ seq }) => `${String(seq)}${parcel.isBare ? ' bare' : ''}`));
      }
      return names;
    };
    motion(world, outbox, 1, [picture(8000)]);
    expect(leaving(1000)).toEqual(['1 bare']);
    // The control: while its picture is here, it waits for a larger limit.
    motion(world, outbox, 2);
    expect(leaving(2000)).toEqual(['2']);
    motion(world, outbox, 3, [picture(8000)]);
    expect(leaving(3000)).toEqual(['3 bare', '1']);
    close(queue);
  });

  it('is a record without its picture, with a line in the log, where the broker drops it in silence because of its size', () => {
    const world = new CameraWorld();
    const queue = claimed(world, tempFolder());
    const { outbox } = queue;
    const claim = outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    receiptAccept(world, queue);
    const log: LogEntry[] = [];
    const sizes = new SizeWatch({
      device: world.deviceId,
      clock: new VirtualClock(),
      counters: new Counters(),
      settings: { oversizeHoldMs: Infinity },
      log: testLog(log),
    });
    const sender = new Sender(outbox, 0, 0, 1, sizes);
    motion(world, outbox, 1, [picture(8000)]);
    let nowMs = 0;
    const learned = (): unknown => log.find(({ code }) => code === 'broker-limit')?.['evidence'];
    for (let receipted = 2; learned() === undefined && receipted < 9; receipted++) {
      nowMs += 2 * WINDOW_MS;
      const small = motion(world, outbox, receipted);
      for (let parcel = sender.next(nowMs); parcel !== null; parcel = sender.next(nowMs))
        sender.markAcknowledged(parcel, nowMs, WINDOW_MS, 0.5);
      nowMs++;
      sender.next(nowMs);
      const { seq } = small.value;
      outbox.applyReceipt(world.receipt(claim, [[seq, seq, small.hash]]), world.time(0));
      sender.markReceipted(1, seq, seq);
    }
    expect(learned()).toBe('silence');
    close(queue);
  });

  it('is the oldest accept without a receipt, and nothing of a later epoch before that receipt', () => {
    const world = new CameraWorld();
    const queue = claimed(world, tempFolder());
    const { outbox } = queue;
    motion(world, outbox, 1);
    outbox.beginEpoch(world.claim(2, outbox.currentClaim()?.hash ?? null), world.time(2));
    const sender = new Sender(outbox, 0, 0, 1);
    motion(world, outbox, 3);
    const leaving = (): string[] =>
      Array.from({ length: 9 }, () => sender.next(1e6)).flatMap((parcel) =>
        (parcel?.records ?? []).map(({ epoch, seq }) => `${String(epoch)}/${String(seq)}`),
      );
    expect(leaving()).toEqual(['1/0', '1/1']);
    // Without its receipt it is sent again, and the next epoch still waits.
    sender.markAcknowledged({ records: [{ epoch: 1, seq: 0 }] }, 1e6, WINDOW_MS, 0.5);
    expect(sender.next(1e6 + 1_000_000)?.records[0]).toMatchObject({ epoch: 1, seq: 0 });
    receiptAccept(world, queue);
    sender.markReceipted(1, 0, 0);
    // The control: with the receipt the next accept leaves, and the live record behind it.
    expect(leaving().slice(0, 2)).toEqual(['2/0', '2/1']);
    close(queue);
  });

  it.each([
    ['again the record that a receipt of another history names: nothing deleted it', false, [1]],
    ['no record that its receipt deleted: the control', true, []],
  ])('is %s', (_, isOwn, again) => {
    const world = new CameraWorld();
    const queue = claimed(world, tempFolder());
    const { outbox } = queue;
    receiptAccept(world, queue);
    const sender = new Sender(outbox, 0, 0, 1);
    const { hash } = motion(world, outbox, 1);
    const claim = outbox.currentClaim();
    const parcel = sender.next(1000);
    if (claim === null || parcel === null) throw new Error('nothing left');
    sender.markAcknowledged(parcel, 1000, WINDOW_MS, 0.5);
    const to = isOwn ? 1 : 9;
    outbox.applyReceipt(world.receipt(claim, [[0, to, hash]]), world.time(2));
    sender.markReceipted(1, 0, to);
    expect(sender.next(1e7)?.records.map(({ seq }) => seq) ?? []).toEqual(again);
    close(queue);
  });
});

describe('a key record in the backlog', () => {
  it.each([
    ['leaves before the live record that needs it', 'sealed', [1, 12]],
    ['leaves in its turn where nothing is live: the control', 'nothing', []],
  ] as const)('%s', async (_, live, expected) => {
    const world = new PeriodWorld();
    world.receipt(0, 0);
    await world.start();
    for (let i = 0; i < 10; i++) world.scene();
    const sender = new Sender(world.outbox, 1000, 0, null);
    if (live === 'sealed') await world.event();
    const sent: number[] = [];
    for (let parcel = sender.next(1000); parcel !== null; parcel = sender.next(1000))
      sent.push(...parcel.records.map(({ seq }) => seq));
    expect(sent).toEqual(expected);
    world.close();
  });

  it('is not sent twice, nor once it has its receipt', async () => {
    const world = new PeriodWorld();
    world.receipt(0, 0);
    await world.start();
    const sender = new Sender(world.outbox, 1000, 0, null);
    world.receipt(1, 1);
    await world.event();
    const seqsOfNext = (): number[] => sender.next(1000)?.records.map(({ seq }) => seq) ?? [];
    expect([seqsOfNext(), seqsOfNext()]).toEqual([[2], []]);
    world.close();
  });
});

describe('the records of clips', () => {
  it.each([
    ['keep no record of an event waiting', true, [3, 4, 5, 6, 7, 8]],
    ['would, if they were like any other: the control', false, [3, 4, 5, 6]],
  ])('%s', async (_, areClips, expected) => {
    const world = new SegmentWorld();
    await world.start();
    world.scene();
    world.receipt(0, 2);
    const sender = new Sender(world.outbox, 1000, 0, null);
    const clip = world.newClip();
    for (const phase of ['start', 'more'] as const) {
      if (areClips) world.clip(clip, phase, 1);
      else world.scene();
    }
    for (let i = 0; i < 4; i++) world.scene();
    expect(sender.next(1000)?.records.map(({ seq }) => seq)).toEqual(expected);
    world.close();
  });
});
