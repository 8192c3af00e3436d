import { realRandom } from '../../../common/adapters/real-random.js';
import { equal, toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { Counters } from '../../../common/counters.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { mediaReceiptKind, type MediaReceipt } from '../../../protocol/objects/media-receipt.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import type { PutBody, Upload, UploadAnswer } from '../../../agent/upload/put.js';
import type { QueuedSegment } from '../../../agent/outbox/outbox.js';
import { UploadLoop, type UplinkView, type UploadLoopDependencies } from '../../../agent/upload/upload-loop.js';
import { afterThisTest } from '../runner/after-test.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { CameraWorld } from './camera-world.js';
import { testLog, type LogEntry } from './test-agent.js';

export const UPLOAD_WINDOW_MS = 300_000;
export const BODY_BYTES = 65_552;

/** What a server of the tests answers to an upload. */
export type Answering = (upload: Upload, body: Uint8Array) => UploadAnswer | Promise<UploadAnswer>;

/** An answer without a receipt. */
export function status(code: number, retryAfterMs?: number): UploadAnswer {
  return { status: code, receipt: null, retryAfterMs };
}

/** A claimed camera with bodies in a queue, and the loop that uploads them to a server of the test. */
export class UploadWorld {
  readonly world: CameraWorld;
  readonly clock = new VirtualClock();
  readonly counters = new Counters();
  readonly log: LogEntry[] = [];
  readonly claim: Verified<ClaimV2>;
  /** In the order in which the outbox hands them out. */
  readonly queue: QueuedSegment[] = [];
  /** Hashes of the bodies that were asked for, in order, and when. */
  readonly asked: { readonly hash: string; readonly atMs: number }[] = [];
  /** Bodies that a refusal took away: the outbox signs their loss. */
  refused = 0;
  uplink: UplinkView = { isConnected: true, isSendingLive: false, windowMs: UPLOAD_WINDOW_MS };
  answering: Answering = (_, body) => this.stored(body);
  loop: UploadLoop;

  constructor(
    { bytesPerSecond = null, put, cloud }: { bytesPerSecond?: number | null; put?: PutBody; cloud?: Signer } = {},
    world = new CameraWorld(cloud === undefined ? {} : { cloud }),
  ) {
    this.world = world;
    this.claim = world.claimV2();
    this.loop = this.restarted({ bytesPerSecond, put: put ?? this.put() });
    afterThisTest(() => {
      this.loop.stop();
    });
  }

  /** Bytes of the bodies that wait. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Starts a program again on the same queue. */
  restarted(options: RestartOptions = {}): UploadLoop {
    const { bytesPerSecond = null, put = this.put(), clock = this.clock } = options;
    this.loop = new UploadLoop({
      put,
      clock,
      outbox: this.outbox(),
      uplink: () => this.uplink,
      suite: nodeSuite,
      device: this.world.deviceId,
      random: { bytes: (count) => realRandom.bytes(count), uniform: () => 0.5 },
      bytesPerSecond,
      counters: this.counters,
      log: testLog(this.log),
    });
    return this.loop;
  }

  /** Adds a body; the newest clip is first, and each clip is in the order of its segments. */
  add(body: Uint8Array = realRandom.bytes(BODY_BYTES), at = this.queue.length, epoch = 1): Uint8Array {
    const bodyHash = nodeSuite.sha256(body);
    this.queue.splice(at, 0, { epoch, bodyHash, length: body.length, read: () => body });
    return body;
  }

  /** Signs a media receipt, with these changes. */
  receipt(
    body: Uint8Array,
    result: MediaReceipt['entries'][number][1] = 'stored',
    change: Partial<MediaReceipt> = {},
    signer = this.world.cloud,
  ): UploadAnswer {
    const { bytes } = signObject(mediaReceiptKind, nodeSuite, signer, {
      version: 2,
      device: this.world.deviceId,
      epoch: 1,
      claimHash: this.claim.hash,
      entries: [[nodeSuite.sha256(body), result]],
      issuedAtMs: 0,
      ...change,
    });
    return { status: 200, receipt: bytes, retryAfterMs: undefined };
  }

  stored(body: Uint8Array): UploadAnswer {
    return this.receipt(body);
  }

  /** Lets time pass in steps in which promises settle. */
  async pass(ms: number, stepMs = 1000): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      this.clock.advance(Math.min(stepMs, leftMs));
      // A receipt is signed and verified, a part is sent: more turns than a timer of its own has.
      for (let i = 0; i < 30; i++) await Promise.resolve();
    }
  }

  private put(): PutBody {
    return {
      put: async (upload) => {
        this.asked.push({ hash: upload.path.split('/').at(-1) ?? '', atMs: this.clock.monotonicMs() });
        await upload.giveWay();
        const body = upload.read();
        return body === null ? null : this.answering(upload, body);
      },
      close: () => undefined,
    };
  }

  private outbox(): UploadLoopDependencies['outbox'] {
    return {
      segmentsToSend: (count) => this.queue.slice(0, count),
      claimOf: (epoch) => (epoch === 1 ? this.claim : null),
      applyMediaReceipt: ({ value }) => {
        let stored = 0;
        for (const [hash, result] of value.entries) {
          const at = this.queue.findIndex(({ bodyHash }) => equal(bodyHash, hash));
          if (at < 0) continue;
          this.queue.splice(at, 1);
          if (result === 'stored') stored++;
          else this.refused++;
        }
        return { stored, refused: value.entries.length - stored };
      },
    };
  }
}

interface RestartOptions {
  readonly bytesPerSecond?: number | null;
  readonly put?: PutBody;
  readonly clock?: Clock;
}

export function hashOf(body: Uint8Array): string {
  return toHex(nodeSuite.sha256(body));
}
