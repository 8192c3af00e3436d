import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import type { Mirror } from '../../../agent/outbox/mirror.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { noteOwnership } from '../../../agent/outbox/published.js';
import { PeriodKeeper } from '../../../agent/record/period-keeper.js';
import { Recorder } from '../../../agent/record/recorder.js';
import { Sealer } from '../../../agent/record/sealer.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { NO_EVENT } from '../../../protocol/objects/ids.js';
import { anyRecordKind, type AnyRecord, type RecordTime } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeContent } from '../../../protocol/seal/content.js';
import { decodeInForce, type InForce } from '../../../protocol/seal/in-force.js';
import { wrapKey, type WrapJob, type WrapKey } from '../../../protocol/seal/key-record.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { storeOf } from '../outbox-store.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { CameraWorld } from './camera-world.js';
import { RECORDER_SETTINGS } from './recorder-world.js';

const ALL = { epoch: 0, seq: -1 };

/** Wraps in this process, as the child does. */
export const wrapHere: WrapKey = (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job));

/** Wraps when it is let. */
export function gate(): { readonly wrap: WrapKey; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wrap: (job) => opened.then(() => wrapHere(job)), open };
}

/** Lets promises run. */
export async function letPromisesRun(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

interface OpenedObject {
  readonly seq: number;
  readonly role: 'thumbnail' | 'detail' | 'mini';
  /** Null where it does not open. */
  readonly content: Uint8Array | null;
}

interface PeriodWorldOptions {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly wrap?: WrapKey;
}

/** A camera in an epoch of version 2, with an outbox on disk and a keeper of its periods. */
export class PeriodWorld {
  readonly camera = new CameraWorld();
  readonly clock = new VirtualClock(1000);
  readonly counters = new Counters();
  readonly folder = tempFolder();
  readonly limits: { maxBytes: number; maxAgeMs: number; clipMaxBytes: number };
  /** Jobs that came to be wrapped. */
  readonly jobs: WrapJob[] = [];
  wrap: WrapKey;
  outbox!: Outbox;
  mirror!: Mirror;
  keeper!: PeriodKeeper;
  sealer!: Sealer;
  claim: Verified<ClaimV2>;
  /** Which period each sealed record needs, by its seq, in hex. */
  private readonly needs = new Map<number, string>();
  /** Seqs that the cloud has. */
  private readonly receipted = new Set<string>();

  constructor({ maxBytes = 2 ** 22, maxAgeMs = 3_600_000, wrap = wrapHere }: PeriodWorldOptions = {}) {
    this.limits = { maxBytes, maxAgeMs, clipMaxBytes: 2 ** 24 };
    this.wrap = wrap;
    this.claim = this.camera.claimV2();
    this.open();
    this.outbox.beginEpoch(this.claim, this.time(), this.camera.kemKeys);
    noteOwnership(this.outbox, this.mirror);
  }

  /** Opens outbox and keeper, as a start of the program does. */
  open(): void {
    const { outbox, mirror } = openOutbox({
      folder: this.folder,
      signer: this.camera.outboxSigner(),
      limits: this.limits,
      sha256: (data) => nodeSuite.sha256(data),
      time: this.time(),
      log: silentLog,
    });
    this.outbox = outbox;
    this.mirror = mirror;
    this.keeper = new PeriodKeeper({
      suite: nodeSuite,
      random: realRandom,
      clock: this.clock,
      outbox,
      wrap: (job) => {
        this.jobs.push({ ...job, key: job.key.slice() });
        return this.wrap(job);
      },
      now: () => this.time(),
      counters: this.counters,
      log: silentLog,
    });
    this.sealer = new Sealer(nodeSuite, realRandom, () => Promise.resolve(), this.keeper);
  }

  /** Returns a recorder of motion events. `messageTargetBytes` is what the broker takes. */
  recorder(settings = RECORDER_SETTINGS, messageTargetBytes: number | null = null): Recorder {
    return new Recorder(
      {
        outbox: this.outbox,
        sealer: this.sealer,
        random: realRandom,
        counters: this.counters,
        log: silentLog,
        messageTargetBytes: () => messageTargetBytes,
        timeOf: (ms) => this.camera.time(ms),
        onRecorded: () => undefined,
        nowMs: () => this.clock.monotonicMs(),
      },
      settings,
    );
  }

  close(): void {
    this.keeper.stop();
    this.mirror.close();
    this.outbox.close();
  }

  time(): RecordTime {
    return this.camera.time(this.clock.monotonicMs());
  }

  /** Starts the keeper, and waits for the first period. */
  async start(): Promise<void> {
    this.keeper.ownerChanged();
    await letPromisesRun();
  }

  /** Appends a record without anything sealed. */
  scene(): Verified<AnyRecord> {
    const record = this.outbox.append({ kind: 'scene', time: this.time(), scene: { class: 'stall' } });
    if (record === null) throw new Error('not appended');
    return record;
  }

  /** Seals a picture of this size, and appends it. */
  async event(bytes = 1000): Promise<Verified<AnyRecord>> {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const content = { detail: {}, jpeg: realRandom.bytes(bytes) };
    const media = await this.sealer.seal(this.claim, event.id, 'thumbnail', content);
    const record = this.outbox.append({ kind: 'motion', time: this.time(), event }, [media], this.claim.hash);
    if (record === null) throw new Error('not appended');
    this.needs.set(record.value.seq, toHex(media.periodId ?? new Uint8Array(0)));
    return record;
  }

  records(): Verified<AnyRecord>[] {
    return this.outbox.read(ALL, 1000).map(({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes));
  }

  keyRecords(): Verified<AnyRecord>[] {
    return this.records().filter(({ value }) => value.kind === 'key');
  }

  /** Gives the outbox a receipt for this range. */
  receipt(from: number, to: number): void {
    const last = this.records().find(({ value }) => value.seq === to);
    if (last === undefined) throw new Error('not queued');
    for (const { value } of this.keyRecords()) {
      if (value.seq >= from && value.seq <= to) this.receipted.add(toHex(value.key?.periodId ?? new Uint8Array(0)));
    }
    this.outbox.applyReceipt(this.camera.receipt(this.claim, [[from, to, last.hash]]), this.time());
  }

  /** Returns the seqs of queued records whose key record is neither here, whole, nor in the cloud: nobody can open them. */
  unopenable(): number[] {
    const here = this.outbox.read(ALL, 1000);
    const known = new Set(this.receipted);
    for (const { bytes, media } of here) {
      const { key } = openSigned(anyRecordKind, nodeSuite, bytes).value;
      if (key !== undefined && media[0] !== null && media[0] !== undefined) known.add(toHex(key.periodId));
    }
    return here.flatMap(({ seq }) => {
      const needed = this.needs.get(seq);
      return needed === undefined || known.has(needed) ? [] : [seq];
    });
  }

  /** Number of pictures that are queued. */
  queuedPictures(): number {
    const whole = this.outbox.read(ALL, 1000).flatMap(({ media }) => media.filter((item) => item !== null));
    return whole.filter(({ header }) => header.length > 0).length;
  }

  /** Opens every queued picture as the owner does, by the queued key records. Returns their sizes. */
  async openedPictures(): Promise<number[]> {
    const opened = await this.openedSights();
    return opened.flatMap(({ role, content }) =>
      role === 'thumbnail' && content !== null ? [decodeContent(content).jpeg?.length ?? 0] : [],
    );
  }

  /** Opens what is queued of events as the owner does, by the queued key records. */
  openedSights(): Promise<OpenedObject[]> {
    return this.opened(({ event }) => event?.id);
  }

  /** Opens every queued answer to an order as the owner does: what it says is in force, null for one that says nothing. */
  async openedAnswers(): Promise<{ readonly record: AnyRecord; readonly inForce: InForce | null }[]> {
    const opened = await this.opened(({ command }) => (command === undefined ? undefined : NO_EVENT));
    return this.records().flatMap(({ value: record }) => {
      if (record.command === undefined) return [];
      const content = opened.find(({ seq }) => seq === record.seq)?.content ?? null;
      return [{ record, inForce: content === null ? null : decodeInForce(content) }];
    });
  }

  /** Opens the queued objects of the records for which `eventIdOf` has an id; also those that do not open. */
  private async opened(eventIdOf: (record: AnyRecord) => Uint8Array | undefined): Promise<OpenedObject[]> {
    const here = this.outbox.read(ALL, 1000).map(({ bytes, media }) => ({
      record: openSigned(anyRecordKind, nodeSuite, bytes).value,
      media,
    }));
    const periods: OpenedPeriod[] = [];
    for (const {
      record,
      media: [sealed],
    } of here) {
      if (record.key === undefined || sealed === null || sealed === undefined) continue;
      const { device, account, epoch, claimHash, key } = record;
      periods.push(
        await openPeriod({
          suite: nodeSuite,
          context: { device, account, epoch, claimHash, periodId: key.periodId },
          commit: key.commit,
          body: sealed.body,
          recipients: this.claim.value.recipients.length,
          own: 0,
          decapsulate: (enc) => this.camera.ownerKem.decapsulate(enc),
        }),
      );
    }
    return here.flatMap(({ record, media }) => {
      const { device, account, epoch, claimHash, seq } = record;
      const eventId = eventIdOf(record);
      return media.flatMap((sealed, i): OpenedObject[] => {
        const { id: mediaId, role } = record.media?.[i] ?? {};
        if (sealed === null || eventId === undefined || mediaId === undefined) return [];
        if (role !== 'thumbnail' && role !== 'detail' && role !== 'mini') return [];
        const context = { device, account, epoch, claimHash, eventId, mediaId, role };
        for (const period of periods) {
          try {
            return [{ seq, role, content: period.open(context, sealed) }];
          } catch {
            // Of another period.
          }
        }
        return [{ seq, role, content: null }];
      });
    });
  }

  /** The control: an outbox that knows nothing of periods, and deletes by size, age and reject alone. */
  forgetPeriods(): void {
    storeOf(this.outbox).queries.device.database.exec('DELETE FROM period_use; DELETE FROM period');
  }
}
