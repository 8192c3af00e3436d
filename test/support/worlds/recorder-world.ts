import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import type { Random } from '../../../common/random.js';
import type { Transition } from '../../../agent/capture/event-tracker.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { Recorder, type RecorderSettings } from '../../../agent/record/recorder.js';
import { PICTURE_MAX_BYTES, Sealer } from '../../../agent/record/sealer.js';
import type { SnapshotDependencies } from '../../../agent/record/snapshot.js';
import type { Frame } from '../../../hal/camera.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../../protocol/seal/content.js';
import { unseal } from '../../../protocol/seal/seal.js';
import { CameraWorld } from './camera-world.js';
import { tempFolder } from '../runner/temp.js';
import { storeOf } from '../outbox-store.js';

export const atOnce = (): Promise<void> => Promise.resolve();
export const RECORDER_SETTINGS: RecorderSettings = {
  thumbnail: { width: 320, quality: 75, maxBytes: PICTURE_MAX_BYTES, crop: 'none', mini: true, masks: [] },
  maxEventsPerHour: 0,
};

interface WorldOptions {
  readonly random?: Random;
  readonly settings?: RecorderSettings;
  /** Limit of the outbox. */
  readonly maxBytes?: number;
}

/** A recorder with an outbox of its own; time stands still until `nowMs` is set. */
export class RecorderWorld {
  readonly camera = new CameraWorld();
  readonly counters = new Counters();
  readonly outbox: Outbox;
  readonly recorder: Recorder;
  readonly deps: SnapshotDependencies;
  /** Transitions that may have clips, each with its event's id in hex. */
  readonly queued: (readonly [type: string, eventId: string])[] = [];
  /** The content of each sealed object. */
  readonly sealedContents: SealedContent[] = [];
  nowMs = 0;
  /** What the broker takes. */
  messageTargetBytes: number | null = null;

  constructor({ random = realRandom, settings = RECORDER_SETTINGS, maxBytes = 2 ** 24 }: WorldOptions = {}) {
    this.outbox = openOutbox({
      folder: tempFolder(),
      signer: this.camera.outboxSigner(),
      limits: { maxBytes, maxAgeMs: 1e9, clipMaxBytes: 2 ** 24 },
      sha256: (data) => nodeSuite.sha256(data),
      time: this.camera.time(0),
      log: silentLog,
    }).outbox;
    this.deps = {
      outbox: this.outbox,
      sealer: this.listening(new Sealer(nodeSuite, random, atOnce)),
      random: realRandom,
      timeOf: (monotonicMs) => this.camera.time(monotonicMs),
      messageTargetBytes: () => this.messageTargetBytes,
    };
    const rest = { counters: this.counters, log: silentLog, onRecorded: () => undefined, nowMs: () => this.nowMs };
    const onQueued = ({ type }: Transition<Frame>, id: Uint8Array) => void this.queued.push([type, toHex(id)]);
    this.recorder = new Recorder({ ...this.deps, ...rest, onQueued }, settings);
  }

  private listening(sealer: Sealer): Sealer {
    const seal = sealer.seal.bind(sealer);
    sealer.seal = (...args) => {
      this.sealedContents.push(args[3]);
      return seal(...args);
    };
    return sealer;
  }

  claim(): void {
    this.outbox.beginEpoch(this.camera.claim(), this.camera.time(0));
  }

  records(): SealcamRecord[] {
    return storeOf(this.outbox)
      .queries.recordsAfter.all({ epoch: 0, seq: 0, limit: 1000 })
      .map(({ bytes }) => openSigned(recordKind, nodeSuite, new Uint8Array(bytes)).value);
  }

  async recordTransitions(...transitions: readonly Transition<Frame>[]): Promise<void> {
    for (const transition of transitions) this.recorder.recordTransition(transition);
    await this.recorder.idle();
  }

  /** Opens the queued pictures with the owner's key; each with its record. */
  pictures(): { readonly record: SealcamRecord; readonly jpeg: Uint8Array }[] {
    const publicKey = nodeSuite.x25519PublicKey(this.camera.ownerSecret);
    return this.outbox.read({ epoch: 0, seq: -1 }, 1000).flatMap(({ bytes, media }) => {
      const { value: record } = openSigned(recordKind, nodeSuite, bytes);
      const { device, account, epoch, claimHash, event } = record;
      return media.flatMap((sealed, i) => {
        const mediaId = record.media?.[i]?.id;
        if (sealed === null || event === undefined || mediaId === undefined) return [];
        const context = { device, account, epoch, claimHash, eventId: event.id, mediaId };
        const { jpeg } = unseal(nodeSuite, context, { secret: this.camera.ownerSecret, publicKey }, sealed);
        return jpeg === null ? [] : [{ record, jpeg }];
      });
    });
  }
}
