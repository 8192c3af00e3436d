import { toHex } from '../../common/bytes.js';
import { atMost, sleep, type CancelTimer, type Clock } from '../../common/clock.js';
import { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { VERSION } from '../../common/version.js';
import type { Hal } from '../../hal/hal.js';
import type { IndicatorState } from '../../hal/peripherals.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { RecordScene, RecordTime } from '../../protocol/objects/record.js';
import { encodeStatus } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import { CameraSession } from '../capture/camera-session.js';
import type { Config } from '../config/keys.js';
import { ConsolePort } from '../console/console-port.js';
import { Health } from '../health/health.js';
import { loadIdentity, outboxSigner, type Identity } from './identity.js';
import { captureSettings, recorderSettings } from './settings.js';
import type { LevelLog } from '../../common/adapters/pino-log.js';
import { consumeFirstStart } from '../outbox/epochs.js';
import type { Mirror } from '../outbox/mirror.js';
import { openOutbox } from '../outbox/open-outbox.js';
import type { Outbox } from '../outbox/outbox.js';
import { OwnerOrders, type StandingOrders } from '../ownership/owner-orders.js';
import { OwnershipKeeper } from '../ownership/ownership.js';
import { ClockWatch, recordTime } from '../record/record-time.js';
import { Recorder, type StageTimes } from '../record/recorder.js';
import { Sealer } from '../record/sealer.js';
import { freshFrame, takeSnapshot } from '../record/snapshot.js';
import { Downlink } from '../uplink/downlink.js';
import type { OpenSocket } from '../uplink/socket.js';
import { Uplink, type UplinkStore } from '../uplink/uplink.js';

export interface AgentDependencies {
  readonly hal: Hal;
  readonly suite: CryptoSuite;
  /** Its monotonic time must be the HAL clock's. */
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LevelLog;
  readonly openSocket: (will: { readonly topic: string; readonly payload: Uint8Array }, device: string) => OpenSocket;
  readonly uplinkStore: UplinkStore;
  readonly isClockSet?: () => boolean;
  /** The claim window opened or closed; the code is for a person, never for a log. */
  readonly onWindow: (open: boolean) => void;
}

const HOUSEKEEPING_MS = 10_000;
const RESET_HOLD_MS = 10_000;
/** SIGTERM waits no longer than this for pictures that are being made. */
const STOP_PATIENCE_MS = 1200;

/** One camera: everything wired together, with its life from start to stop. */
export class Agent {
  readonly identity: Identity;
  readonly counters = new Counters();
  readonly outbox: Outbox;
  readonly uplink: Uplink;
  readonly ownership: OwnershipKeeper;
  private readonly deps: AgentDependencies;
  readonly mirror: Mirror;
  private readonly sealer: Sealer;
  private readonly recorder: Recorder;
  private readonly health: Health;
  private readonly camera: CameraSession;
  private readonly orders: OwnerOrders;
  private readonly clockWatch: ClockWatch;
  private isRunning = false;
  private config: Config;
  private cancelHousekeeping: CancelTimer = () => undefined;
  private readonly unsubscribe: (() => void)[] = [];

  /** Opens keys and queue. @throws SealcamError when either is unusable */
  constructor(config: Config, deps: AgentDependencies) {
    this.config = config;
    this.deps = deps;
    const { hal, suite, random, clock, log } = deps;
    this.identity = loadIdentity(hal, suite, random);
    const { device } = this.identity;
    const { outbox, mirror } = openOutbox({
      folder: config['data.folder'],
      signer: outboxSigner(suite, this.identity),
      limits: { maxBytes: config['outbox.maxBytes'], maxAgeMs: config['outbox.maxAge'] },
      sha256: (data) => suite.sha256(data),
      time: this.now(),
      log: log.child('outbox'),
    });
    this.outbox = outbox;
    this.mirror = mirror;
    this.clockWatch = new ClockWatch(hal.clock);
    this.ownership = this.makeOwnership();
    this.uplink = this.makeUplink(device);
    this.sealer = new Sealer(suite, random, () => sleep(clock, 0));
    this.recorder = this.makeRecorder();
    this.health = new Health({
      clock,
      outbox,
      system: hal.system,
      counters: this.counters,
      log: log.child('health'),
      intervalMs: config['health.interval'],
      agentVersion: VERSION,
      now: () => this.now(),
      cameraState: () => this.camera.state,
      isPrivate: () => this.isPrivate,
      connects: () => this.uplink.status().attempts,
      onRecorded: () => {
        this.uplink.recordsAppended(1);
      },
    });
    this.orders = this.makeOrders();
    this.camera = this.makeCamera();
  }

  /** The owner closed the eye: no frame is taken, whatever else is asked. */
  get isPrivate(): boolean {
    return this.orders.standing.privacy;
  }

  /** What may be done to this agent from its console. */
  consolePort(): ConsolePort {
    const { hal, random, clock, log } = this.deps;
    const { outbox, uplink, ownership, counters, recorder, health, sealer } = this;
    return new ConsolePort({
      outbox,
      uplink,
      ownership,
      counters,
      recorder,
      health,
      sealer,
      random,
      clock,
      log: log.child('console'),
      version: VERSION,
      device: this.identity.device,
      signer: this.identity.signer,
      now: () => this.now(),
      timeOf: (monotonicMs) => recordTime(hal.clock, monotonicMs),
      thumbnail: () => recorderSettings(this.config).thumbnail,
      camera: this.camera,
      isPrivate: () => this.isPrivate,
    });
  }

  start(): void {
    const { hal, log } = this.deps;
    const facts = this.ownership.facts();
    log.info(
      { device: toHex(this.identity.device), epoch: facts.lastEpoch, owned: facts.ownerKey !== null, version: VERSION },
      'sealcam starts',
    );
    this.showState();
    this.unsubscribe.push(
      hal.button.onPress((heldMs) => {
        this.buttonPressed(heldMs);
      }),
      // Hints only, and of use to whoever looks for a fault: the picture decides.
      hal.motionSensor.onMotion(() => {
        this.counters.add('motion-sensor.hints');
        log.debug({}, 'the motion sensor saw something');
      }),
      hal.light.onSwitch((mode, monotonicMs) => {
        this.counters.add('light.switches');
        log.info({ mode }, 'the infrared-cut filter switched');
        this.camera.lightSwitched(monotonicMs);
      }),
    );
    this.uplink.start();
    if (consumeFirstStart(this.outbox)) this.ownership.openWindow();
    this.health.start();
    this.isRunning = true;
    if (!this.isPrivate) this.camera.start();
    hal.watchdog.ready();
    this.housekeeping();
  }

  /** Camera first, then what it still has in hand, then the connection; the queue is on the disk all the time. */
  async stop(): Promise<void> {
    this.isRunning = false;
    const cameraDone = this.camera.stop();
    this.cancelHousekeeping();
    this.health.stop();
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    await atMost(
      this.deps.clock,
      STOP_PATIENCE_MS,
      cameraDone.then(() => Promise.all([this.recorder.idle(), this.orders.idle()])),
    );
    this.guard('what was withheld could not be said', () => {
      this.recorder.recordWithheld(this.now(), true);
    });
    this.ownership.stop();
    this.uplink.stop();
    const { records } = this.outbox.queued();
    this.mirror.close();
    this.outbox.close();
    const [framesSeen, framesDropped] = ['seen', 'dropped'].map((name) => this.counters.get(`frames.${name}`));
    this.deps.log.info({ queued: records, framesSeen, framesDropped }, 'sealcam stopped');
  }

  /** Takes a configuration of which only live keys differ. */
  reconfigure(config: Config): void {
    this.config = config;
    this.deps.log.setLevel(config['log.level']);
    this.camera.configure(captureSettings(config, this.orders.standing));
    this.recorder.configure(recorderSettings(config));
  }

  private now(): RecordTime {
    return recordTime(this.deps.hal.clock, this.deps.hal.clock.monotonicMs());
  }

  private makeOwnership(): OwnershipKeeper {
    const { suite, random, clock, hal, log, onWindow } = this.deps;
    return new OwnershipKeeper({
      suite,
      random,
      clock,
      counters: this.counters,
      outbox: this.outbox,
      mirror: this.mirror,
      ...this.identity,
      indicator: hal.indicator,
      log: log.child('ownership'),
      now: () => this.now(),
      onOffer: (offer) => {
        this.uplink.publishOffer(offer);
      },
      onWindow: (open) => {
        this.uplink.setClaimWindow(open);
        onWindow(open);
      },
      restingState: () => this.restingState(),
      onChanged: () => {
        this.orders.ownerChanged();
        this.uplink.recordsAppended(1);
      },
    });
  }

  private makeOrders(): OwnerOrders {
    const { suite, clock, random, hal, log } = this.deps;
    const { outbox, mirror, sealer, counters } = this;
    const timeOf = (monotonicMs: number): RecordTime => recordTime(hal.clock, monotonicMs);
    return new OwnerOrders({
      suite,
      outbox,
      mirror,
      clock,
      counters,
      log: log.child('orders'),
      now: () => this.now(),
      snapshot: async () => {
        const frame = freshFrame(this.camera.lastFrame, clock.monotonicMs(), this.isPrivate);
        await takeSnapshot({ outbox, sealer, random, timeOf }, frame, recorderSettings(this.config).thumbnail);
      },
      onOrders: (orders) => {
        this.applyStandingOrders(orders);
      },
      onRelease: () => {
        this.ownership.end('release');
      },
      onRecorded: () => {
        this.uplink.recordsAppended(1);
      },
    });
  }

  /** Standing orders changed, or whose they are. */
  private applyStandingOrders(orders: StandingOrders): void {
    this.camera.configure(captureSettings(this.config, orders));
    this.showState();
    if (!this.isRunning || orders.privacy === this.camera.isStopped) return;
    if (orders.privacy) void this.camera.stop();
    else this.camera.start();
    // Not at the next cadence: whoever gave the order waits to see that it was followed.
    this.recordHealthNow();
  }

  private restingState(): IndicatorState {
    if (this.isPrivate) return 'privacy';
    return this.outbox.currentClaim() === null ? 'off' : 'recording';
  }

  private showState(): void {
    if (this.ownership.windowLeftMs() === null) this.deps.hal.indicator.show(this.restingState());
  }

  private makeUplink(device: Uint8Array): Uplink {
    const { clock, random, hal, log, openSocket, uplinkStore, suite, isClockSet } = this.deps;
    const { config, outbox, mirror } = this;
    const downlink = new Downlink({
      suite,
      outbox,
      counters: this.counters,
      log: log.child('downlink'),
      onReceipt: (receipt) => {
        this.uplink.receiptApplied(receipt);
      },
      onClaim: (claim, mac) => {
        this.ownership.handleClaim(claim, mac);
      },
      onOfferRequest: () => {
        this.ownership.offerToOwner();
      },
      onCommand: (command) => {
        this.orders.handleCommand(command);
      },
    });
    const will = { topic: topicOf(device, 'status'), payload: encodeStatus({ online: false, agent: VERSION }) };
    return new Uplink({
      clock,
      random,
      device,
      outbox,
      mirror,
      agentVersion: VERSION,
      store: uplinkStore,
      isClockSet,
      settings: {
        initialWindowMs: config['uplink.initialWindow'],
        connectTimeoutMs: config['uplink.connectTimeout'],
        ackTimeoutMs: config['uplink.ackTimeout'],
      },
      boot: toHex(hal.clock.bootId),
      openSocket: openSocket(will, toHex(device)),
      onMessage: (payload) => {
        downlink.handleMessage(payload);
      },
      onConnected: () => {
        this.ownership.repeatOffer();
      },
      log: log.child('uplink'),
    });
  }

  private makeRecorder(): Recorder {
    const { random, hal, clock, log } = this.deps;
    return new Recorder(
      {
        outbox: this.outbox,
        random,
        counters: this.counters,
        log: log.child('recorder'),
        sealer: this.sealer,
        timeOf: (monotonicMs) => recordTime(hal.clock, monotonicMs),
        nowMs: () => clock.monotonicMs(),
        onRecorded: (stages) => {
          this.recorded(stages);
        },
      },
      recorderSettings(this.config),
    );
  }

  private recorded({ phase, decidedMs, thumbnailMs, sealMs, storeMs, seq }: StageTimes): void {
    const fields = { phase, seq, decidedMs, thumbnailMs, sealMs, storeMs, storedWallMs: this.deps.clock.wallMs() };
    this.deps.log.debug(fields, 'recorded');
    this.uplink.recordsAppended(1);
  }

  private makeCamera(): CameraSession {
    const { hal, clock, log } = this.deps;
    return new CameraSession(captureSettings(this.config, this.orders.standing), {
      camera: hal.camera,
      clock,
      counters: this.counters,
      log: (part) => log.child(part),
      onTransition: (transition) => {
        this.recorder.recordTransition(transition);
      },
      // A camera that is gone must not wait for the next cadence: whoever took it has until then.
      onSilence: () => {
        this.recordHealthNow();
      },
      onScene: (scene, monotonicMs) => {
        this.recordScene(scene, recordTime(hal.clock, monotonicMs));
      },
      wallMsOf: (monotonicMs) => recordTime(hal.clock, monotonicMs).wallMs,
    });
  }

  private recordHealthNow(): void {
    void this.health.record().catch((error: unknown) => {
      const { code, message } = asSealcamError(error);
      this.deps.log.error({ code }, `no health record: ${message}`);
    });
  }

  private buttonPressed(heldMs: number): void {
    this.guard('the button did nothing', () => {
      if (heldMs >= RESET_HOLD_MS) this.ownership.end('reset');
      this.ownership.openWindow();
    });
  }

  private recordScene(scene: RecordScene, time: RecordTime): void {
    this.guard('a scene could not be recorded', () => {
      if (this.outbox.currentClaim() === null) return;
      this.outbox.append({ kind: 'scene', time, scene });
      this.uplink.recordsAppended(1);
    });
  }

  /** What the outside world sets off must not end the program, with a full disk say. */
  private guard(failure: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const { code, message, hint } = asSealcamError(error);
      this.deps.log.error({ code, hint }, `${failure}: ${message}`);
    }
  }

  /** What has no moment of its own: losses that nobody said yet, a wall clock that was set, the watchdog. */
  private housekeeping(): void {
    const { hal, clock, log } = this.deps;
    try {
      const jumpMs = this.clockWatch.jumpMs();
      if (jumpMs !== null) this.recordScene({ class: 'clock-jump', durationMs: Math.abs(jumpMs) }, this.now());
      if (this.recorder.recordWithheld(this.now())) this.uplink.recordsAppended(1);
      if (this.outbox.flushLosses(this.now()) !== null) this.uplink.recordsAppended(1);
      hal.watchdog.alive();
    } catch (error) {
      const { code, message } = asSealcamError(error);
      log.error({ code }, `housekeeping failed: ${message}`);
    }
    const delayMs = Math.min(HOUSEKEEPING_MS, hal.watchdog.intervalMs ?? HOUSEKEEPING_MS);
    this.cancelHousekeeping = clock.after(delayMs, () => {
      this.housekeeping();
    });
  }
}
