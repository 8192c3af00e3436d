import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { SealcamError } from '../../../common/errors.js';
import { LookLight } from '../../../agent/look/look-light.js';
import type { LiveLink } from '../../../agent/look/look-session.js';
import { Looks, type LooksDependencies } from '../../../agent/look/looks.js';
import { MockIndicator } from '../../../hal/mock/peripherals.js';
import type { VideoInfo, VideoUnit } from '../../../hal/video-source.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { encapsulate, xwingKeys, type XWingKeys } from '../../../protocol/crypto/xwing.js';
import { lookKind, type Look } from '../../../protocol/objects/look.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { liveKey } from '../../../protocol/seal/live-key.js';
import { LiveOpener, type LiveArrival } from '../../../protocol/transport/live-session.js';
import { codeOf } from '../codes.js';
import { storeOf } from '../outbox-store.js';
import { testLog, type LogEntry } from './test-agent.js';
import { jpegOf } from './filming-world.js';
import { household, type OrderWorld } from './order-world.js';
import { letPromisesRun } from './period-world.js';

type Answer = NonNullable<AnyRecord['command']>;

/** An indicator that is seen to work, or not. */
class TestIndicator extends MockIndicator {
  works = true;

  override isShown(): Promise<boolean> {
    return Promise.resolve(this.works);
  }
}

/** What a viewer sent and keeps. */
export interface Asked {
  readonly order: Verified<Look>;
  readonly keys: XWingKeys;
  /** Code of its refusal, or `accepted`. */
  readonly code: string;
}

/** A camera of version 2 with a household, through which its members look; frames and units come from the test. */
export class LookWorld {
  readonly orders: OrderWorld = household();
  readonly clock = this.orders.clock;
  readonly counters = new Counters();
  readonly log: LogEntry[] = [];
  readonly indicator = new TestIndicator(true);
  readonly light = new LookLight(this.indicator);
  readonly looks: Looks;
  /** Live messages that left, in order. */
  readonly sent: Uint8Array[] = [];
  /** Seq of records that did not reach the broker yet. */
  readonly unpublished = new Set<number>();
  readonly link: { -readonly [K in keyof LiveLink]: LiveLink[K] } = {
    hasLiveRoom: true,
    liveMessageMaxBytes: 128 * 1024,
    wasPublished: ({ seq }: { readonly seq: number }): boolean => !this.isHeldBack && !this.unpublished.has(seq),
    publishLive: (message: Uint8Array): void => void this.sent.push(message),
  };
  isHeldBack = false;
  forbidden: 'privacy' | 'off-schedule' | null = null;
  isSeeing = true;
  /** What the masks make of a frame. */
  masked: LooksDependencies['masked'] = ({ jpeg }) => Promise.resolve(jpeg);
  encapsulate: LooksDependencies['encapsulate'] = (key) => Promise.resolve(encapsulate(nodeSuite, realRandom, key));
  private index = 0;

  constructor(make = (deps: LooksDependencies) => new Looks(deps)) {
    const { outbox } = this.orders;
    this.light.show('recording');
    this.looks = make({
      suite: nodeSuite,
      outbox,
      clock: this.clock,
      counters: this.counters,
      log: testLog(this.log),
      now: () => this.orders.time(),
      light: this.light,
      link: this.link,
      encapsulate: (key) => this.encapsulate(key),
      forbidden: () => this.forbidden,
      isSeeing: () => this.isSeeing,
      masked: (frame) => this.masked(frame),
    });
  }

  /** Signs an order and gives it to the camera. */
  async ask(signer: Signer = this.orders.camera.owner, change: Partial<Look> = {}): Promise<Asked> {
    const keys = xwingKeys(nodeSuite, realRandom.bytes(32));
    const order = this.sign(signer, { kemKey: keys.publicKey, ...change });
    const code = await this.give(order.bytes);
    return { order, keys, code };
  }

  /** Signs an order, with any key. */
  sign(signer: Signer, change: Partial<Look> & Pick<Look, 'kemKey'>): Verified<Look> {
    const { claim, camera } = this.orders;
    return signObject<Look>(lookKind, nodeSuite, signer, {
      version: 2,
      device: camera.deviceId,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      session: realRandom.bytes(16),
      renewal: 0,
      seconds: 60,
      recent: change.recent ?? this.orders.recentRecord(),
      ...change,
    });
  }

  renew(asked: Asked, renewal: number, change: Partial<Look> = {}, signer = this.orders.camera.owner): Promise<Asked> {
    const { session } = asked.order.value;
    return this.ask(signer, { session, kemKey: null, renewal, ...change });
  }

  async give(order: Uint8Array): Promise<string> {
    const code = codeOf(() => {
      this.looks.handleOrder(order);
    });
    await letPromisesRun();
    return code;
  }

  /** Gives the camera frames for this long, four a second. */
  async film(ms: number, jpeg = jpegOf()): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.clock.advance(250);
      await this.frame(jpeg);
    }
  }

  /** Gives it a frame of now. */
  async frame(jpeg = jpegOf()): Promise<void> {
    this.looks.addFrame({ jpeg, monotonicMs: this.clock.monotonicMs(), index: this.index++ });
    await letPromisesRun();
  }

  /** Gives it a unit of video of now. */
  encode(unit: Partial<VideoUnit>, info: VideoInfo): void {
    this.looks.addUnit({ bytes: jpegOf(), isKey: true, monotonicMs: this.clock.monotonicMs(), ...unit }, info);
  }

  /** Returns all commands that the camera recorded, with their records. */
  answers(): { readonly record: Verified<AnyRecord>; readonly command: Answer }[] {
    return storeOf(this.orders.outbox)
      .queries.recordsAfter.all({ epoch: 0, seq: 0, limit: 1000 })
      .flatMap(({ bytes }) => {
        const record = openSigned(anyRecordKind, nodeSuite, new Uint8Array(bytes));
        const { command } = record.value;
        return command?.action === 'look' ? [{ record, command }] : [];
      });
  }

  /** Returns the result of each answer: its code where it was refused, `look`, `renewal`, or the reason of its end. */
  results(): string[] {
    return this.answers().map(({ command: { code, look, lookEnd } }) => {
      if (code !== undefined) return code;
      if (lookEnd !== undefined) return lookEnd.reason;
      return look?.ciphertext instanceof Uint8Array ? 'look' : 'renewal';
    });
  }

  /** Returns the viewer's end of a session, from the camera's own record. */
  openerOf({ order, keys }: Asked): LiveOpener {
    const answer = this.answers().find(({ command }) => Buffer.from(command.look?.order ?? []).equals(order.bytes));
    const ciphertext = answer?.command.look?.ciphertext;
    if (answer === undefined || !(ciphertext instanceof Uint8Array)) throw new SealcamError('not-found', 'no answer');
    const key = liveKey(nodeSuite, keys.decapsulate(ciphertext), {
      orderHash: order.hash,
      claimHash: this.orders.claim.hash,
      answerHash: answer.record.hash,
    });
    return new LiveOpener(nodeSuite, order.value.session, key);
  }

  /** Returns what a viewer can open of all that was sent. */
  seenBy(asked: Asked): LiveArrival[] {
    const opener = this.openerOf(asked);
    return this.sent.flatMap((message) => {
      const arrivals: LiveArrival[] = [];
      codeOf(() => {
        const arrival = opener.open(message);
        if (arrival !== null) arrivals.push(arrival);
      });
      return arrivals;
    });
  }
}
