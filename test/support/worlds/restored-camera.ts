import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { silentLog, type Log } from '../../../common/log.js';
import type { QueuedRecord } from '../../../agent/outbox/outbox.js';
import { noteBeforePublish } from '../../../agent/outbox/published.js';
import { Downlink } from '../../../agent/uplink/downlink.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import type { AnyReceipt } from '../../../protocol/objects/receipt.js';
import { recordKind, type AnyRecord, type RecordTime, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { encodeDown } from '../../../protocol/transport/messages.js';
import { tempFolder } from '../runner/temp.js';
import { CameraWorld } from './camera-world.js';
import { claimed, close, motion, open, type Opened } from './outbox-world.js';

export type OutboxFile = 'outbox.db' | 'outbox.mirror';
export const BOTH_FILES: readonly OutboxFile[] = ['outbox.db', 'outbox.mirror'];

export interface RestoredOptions {
  readonly world?: CameraWorld;
  readonly log?: Log;
  /** What the camera verifies receipts with. */
  readonly suite?: CryptoSuite;
}

/** A camera that published an accept and three records, and then started with files from when it had the first of them. */
export class RestoredCamera {
  readonly world: CameraWorld;
  readonly counters = new Counters();
  readonly folder = tempFolder();
  /** Records 2 and 3, which were published and which the older files do not have. */
  readonly gone: readonly Verified<SealcamRecord>[];
  readonly claim: Verified<AnyClaim>;
  /** What was published before the image, and is in it. */
  readonly before: readonly Verified<SealcamRecord>[];
  /** The camera's clock. */
  time: RecordTime;
  private opened: Opened;
  private downlink: Downlink | null = null;
  private readonly options: RestoredOptions;

  constructor(files: readonly OutboxFile[], options: RestoredOptions = {}) {
    const { folder } = this;
    const { world = new CameraWorld() } = options;
    this.world = world;
    this.options = options;
    this.time = world.time(1000);
    const first = claimed(world, folder);
    motion(world, first.outbox, 1);
    this.before = signed(first.outbox.read({ epoch: 0, seq: -1 }, 10));
    close(first);
    for (const name of BOTH_FILES) copyFileSync(join(folder, name), join(folder, `${name}.old`));
    const second = open(world, folder);
    for (const atMs of [2, 3]) motion(world, second.outbox, atMs);
    this.gone = signed(second.outbox.read({ epoch: 1, seq: 1 }, 10));
    noteBeforePublish(second.outbox, second.mirror, second.outbox.read({ epoch: 0, seq: -1 }, 10));
    close(second);
    for (const name of files) copyFileSync(join(folder, `${name}.old`), join(folder, name));
    this.opened = open(world, folder);
    const claim = this.outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    this.claim = claim;
  }

  get outbox(): Opened['outbox'] {
    return this.opened.outbox;
  }

  get mirror(): Opened['mirror'] {
    return this.opened.mirror;
  }

  motion(): Verified<AnyRecord> {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const record = this.outbox.append({ kind: 'motion', time: this.time, event });
    if (record === null) throw new Error('not appended');
    return record;
  }

  /** Gives the camera a receipt, as it comes from the cloud. */
  give(receipt: Verified<AnyReceipt>): void {
    const nothing = (): void => undefined;
    const { suite = nodeSuite, log = silentLog } = this.options;
    this.downlink ??= new Downlink({
      suite,
      log,
      outbox: this.outbox,
      counters: this.counters,
      now: () => this.time,
      onReceipt: nothing,
      onClaim: nothing,
      onOfferRequest: nothing,
      onCommand: nothing,
    });
    this.downlink.handleMessage(encodeDown({ type: 'receipt', receipt: receipt.bytes }));
  }

  /** Rejects a record, as a cloud does that has another one for its seq and ends at `headSeq`. */
  reject(
    { value, hash }: Verified<AnyRecord>,
    headSeq: number,
    headHash: Uint8Array = new Uint8Array(32),
  ): Verified<AnyReceipt> {
    return this.world.receipt(this.claim, [[headSeq, headSeq, headHash]], {
      rejects: [[value.seq, hash, 'equivocation']],
    });
  }

  /** Stops and starts the camera's program. */
  restart(between: () => void = () => undefined): void {
    close(this.opened);
    between();
    this.downlink = null;
    this.opened = open(this.world, this.folder);
  }

  signed(fromSeq = 0): Verified<SealcamRecord>[] {
    return signed(this.outbox.read({ epoch: 1, seq: fromSeq - 1 }, 1000));
  }

  /** Returns the queued records from a seq on. */
  records(fromSeq = 0): AnyRecord[] {
    return this.signed(fromSeq).map(({ value }) => value);
  }

  close(): void {
    close(this.opened);
  }
}

function signed(records: readonly QueuedRecord[]): Verified<SealcamRecord>[] {
  return records.map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes));
}

/** Describes records in one line: kind, seq and losses. */
export function describeRecords(records: readonly AnyRecord[]): string {
  return records
    .map(({ kind, seq, loss = [] }) => {
      const losses = loss.map(({ reason, seqs, count }) => `${reason} ${seqs?.join(' to ') ?? String(count)}`);
      return `${kind} ${String(seq)}${losses.length === 0 ? '' : ` (${losses.join(', ')})`}`;
    })
    .join(', ');
}
