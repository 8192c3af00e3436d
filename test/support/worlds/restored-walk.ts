import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal } from '../../../common/bytes.js';
import { noteBeforePublish } from '../../../agent/outbox/published.js';
import type { QueuedRecord } from '../../../agent/outbox/outbox.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind, type RecordTime, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { brokenSums } from '../outbox-sums.js';
import { tempFolder } from '../runner/temp.js';
import { CameraWorld } from './camera-world.js';
import { claimed, close, motion, open, type Opened } from './outbox-world.js';

const FILES = { database: ['outbox.db'], mirror: ['outbox.mirror'], both: ['outbox.db', 'outbox.mirror'] } as const;

/** What a walk can do. `n` chooses among images, records and the like. */
export type WalkStep =
  | { readonly do: 'append' | 'publish' | 'publish-unanswered' | 'flush' | 'image' | 'restart' | 'pass-time' }
  | { readonly do: 'receipt-ahead'; readonly n: number }
  | { readonly do: 'restore'; readonly what: keyof typeof FILES; readonly n: number };

const HOUR_MS = 3_600_000;
const RECORDS_MAX = 1000;
/** Each round passes a day, so each may move the camera once. */
const ROUNDS_MAX = 8;

/**
 * A camera with real files and a modelled cloud that keeps the first record of each seq. Files are put back from older
 * images at will. The walk sees every record and notes each contradiction as a sentence.
 */
export class RestoredWalk {
  readonly wrong: string[] = [];
  /** How often a reject moved the camera on. */
  moved = 0;
  private readonly world = new CameraWorld();
  private readonly folder = tempFolder();
  private readonly stored = new Map<number, { readonly hash: Uint8Array; readonly record: AnyRecord }>();
  private readonly namesHead: boolean;
  private images = 0;
  private atMs = 0;
  private opened: Opened;
  /** Records that this database held; cleared when it is replaced by an older one, which knows nothing of them. */
  private readonly held = new Map<number, Uint8Array>();
  private rejected = 0;
  /** The camera learned that the cloud has another record for one of its seqs. */
  private isForked = false;

  /** `namesHead` false is the control: a cloud whose rejects do not say where its records end. */
  constructor(namesHead = true) {
    this.namesHead = namesHead;
    this.opened = claimed(this.world, this.folder);
  }

  step(step: WalkStep): void {
    const { outbox } = this.opened;
    switch (step.do) {
      case 'append':
        motion(this.world, outbox, this.pass(1000).monotonicMs);
        break;
      case 'publish':
        this.publish(true);
        break;
      case 'publish-unanswered':
        this.publish(false);
        break;
      case 'flush':
        outbox.flushLosses(this.pass(0));
        break;
      case 'restart':
        this.restart(() => undefined);
        break;
      case 'pass-time':
        this.pass(5 * HOUR_MS);
        break;
      case 'image':
        this.restart(() => {
          const image = ++this.images;
          for (const name of FILES.both) copyFileSync(this.path(name), this.path(`${name}.${String(image)}`));
        });
        break;
      case 'receipt-ahead': {
        const { claim } = this;
        const at = 10_000 + step.n;
        const { ahead, deleted } = outbox.applyReceipt(
          this.world.receipt(claim, [[0, at, new Uint8Array(32)]]),
          this.pass(0),
        );
        if (ahead !== 1 || deleted !== 0) this.wrong.push('a receipt ahead had an effect');
        break;
      }
      case 'restore': {
        if (this.images === 0) return;
        const image = 1 + (step.n % this.images);
        this.restart(() => {
          for (const name of FILES[step.what]) copyFileSync(this.path(`${name}.${String(image)}`), this.path(name));
          if (step.what === 'mirror') return;
          // The camera forgets with its database, also the gap that it had not sent yet.
          this.held.clear();
          this.isForked = false;
        });
      }
    }
    this.observe();
  }

  /** Lets camera and cloud talk until nothing is left to say, then checks that everything was said. */
  deliverAll(): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.rejected = 0;
      this.step({ do: 'append' });
      for (let i = 0; i < RECORDS_MAX && this.opened.outbox.queued().records > 0; i++) this.step({ do: 'publish' });
      this.step({ do: 'flush' });
      this.step({ do: 'publish' });
      if (this.rejected === 0 && this.opened.outbox.queued().records === 0) break;
      for (let i = 0; i < 5; i++) this.step({ do: 'pass-time' });
    }
    if (this.rejected > 0) this.wrong.push('the camera still signs what the cloud has otherwise');
    const covered = (seq: number): boolean =>
      [...this.stored.values()].some(({ record }) =>
        (record.loss ?? []).some(({ seqs }) => seqs !== undefined && seqs[0] <= seq && seq <= seqs[1]),
      );
    for (const [seq, hash] of this.held) {
      const there = this.stored.get(seq);
      if ((there === undefined || !equal(there.hash, hash)) && !covered(seq)) {
        this.wrong.push(`record ${String(seq)} vanished without a receipt or a signed loss`);
      }
    }
    const hasSaid = [...this.stored.values()].some(({ record }) => record.loss?.some((l) => l.reason === 'state-lost'));
    if (this.isForked && !hasSaid) this.wrong.push('a seq was signed twice, and no gap says so');
    const head = Math.max(...this.stored.keys());
    for (let seq = 0; seq <= head; seq++) {
      if (!this.stored.has(seq) && !covered(seq)) this.wrong.push(`nobody knows what became of seq ${String(seq)}`);
    }
    close(this.opened);
  }

  private get claim(): NonNullable<ReturnType<Opened['outbox']['currentClaim']>> {
    const claim = this.opened.outbox.currentClaim();
    if (claim === null) throw new Error('unclaimed');
    return claim;
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  private pass(ms: number): RecordTime {
    this.atMs += ms;
    return this.world.time(this.atMs, null);
  }

  private restart(between: () => void): void {
    close(this.opened);
    between();
    this.opened = open(this.world, this.folder);
  }

  /** Publishes some records. The cloud stores those whose seq it does not have, and rejects others. */
  private publish(isAnswered: boolean): void {
    const { outbox, mirror } = this.opened;
    const records = outbox.read({ epoch: 0, seq: -1 }, 4);
    noteBeforePublish(outbox, mirror, records);
    const isRejected = records.map((record) => this.isRejected(record));
    if (!isAnswered || records.length === 0) return;
    const ranges = records.flatMap(({ seq, hash }, i): [number, number, Uint8Array][] =>
      isRejected[i] === true ? [] : [[seq, seq, hash]],
    );
    const rejects = records.flatMap(({ seq, hash }, i) =>
      isRejected[i] === true ? [[seq, hash, 'equivocation'] as const] : [],
    );
    const head = Math.max(...this.stored.keys());
    const there = this.stored.get(head);
    if (rejects.length > 0 && this.namesHead && there !== undefined) ranges.push([head, head, there.hash]);
    this.rejected += rejects.length;
    this.isForked ||= rejects.length > 0;
    const { movedTo } = outbox.applyReceipt(
      this.world.receipt(this.claim, ranges, rejects.length === 0 ? {} : { rejects }),
      this.pass(0),
    );
    if (movedTo !== null) this.moved++;
  }

  private isRejected({ seq, hash, bytes }: QueuedRecord): boolean {
    const there = this.stored.get(seq);
    if (there === undefined) {
      this.stored.set(seq, { hash, record: openSigned(anyRecordKind, nodeSuite, bytes).value });
      return false;
    }
    return !equal(there.hash, hash);
  }

  private observe(): void {
    const { outbox } = this.opened;
    for (const { seq, hash } of outbox.read({ epoch: 0, seq: -1 }, RECORDS_MAX)) {
      const before = this.held.get(seq);
      if (before !== undefined && !equal(before, hash)) this.wrong.push(`seq ${String(seq)} was signed twice`);
      this.held.set(seq, hash);
    }
    this.wrong.push(...brokenSums(outbox));
  }
}
