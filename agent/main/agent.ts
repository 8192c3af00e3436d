import { toHex } from '../../common/bytes.js';
import { atMost } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { guard } from '../../common/guard.js';
import { VERSION } from '../../common/version.js';
import type { Config } from '../config/keys.js';
import { ConsolePort } from '../console/console-port.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OwnershipKeeper } from '../ownership/ownership.js';
import type { Uplink } from '../uplink/uplink.js';
import type { Identity } from './identity.js';
import { makeParts, type AgentDependencies, type AgentParts } from './parts.js';
import { captureSettings, recorderSettings } from './settings.js';

/** A button held this long resets the camera before it opens a claim window. */
const RESET_HOLD_MS = 10_000;
/** How long a stop waits for pictures that are being sealed. */
const STOP_PATIENCE_MS = 1200;

/**
 * One camera, from start to stop. Its parts are made and connected in parts.ts; the policies that concern several of them
 * are in privacy.ts and housekeeping.ts.
 */
export class Agent {
  readonly identity: Identity;
  readonly counters: Counters;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly ownership: OwnershipKeeper;
  readonly uplink: Uplink;
  private readonly deps: AgentDependencies;
  private readonly parts: AgentParts;
  private readonly unsubscribe: (() => void)[] = [];
  private config: Config;

  /** Opens keys and outbox. @throws SealcamError if either cannot be used */
  constructor(config: Config, deps: AgentDependencies) {
    this.config = config;
    this.deps = deps;
    this.parts = makeParts(() => this.config, deps);
    this.identity = this.parts.identity;
    this.counters = this.parts.counters;
    this.outbox = this.parts.outbox;
    this.mirror = this.parts.mirror;
    this.ownership = this.parts.ownership;
    this.uplink = this.parts.uplink;
  }

  /** Whether the owner ordered privacy: then no frame is taken. */
  get isPrivate(): boolean {
    return this.parts.privacy.isOn;
  }

  /** Returns what the console may do with this agent. */
  consolePort(): ConsolePort {
    const { random, clock, log } = this.deps;
    const { device, signer } = this.identity;
    return new ConsolePort({
      ...this.parts,
      random,
      clock,
      device,
      signer,
      log: log.child('console'),
      version: VERSION,
      thumbnail: () => recorderSettings(this.config).thumbnail,
      isPrivate: () => this.isPrivate,
      checkKey: this.identity.checkKey,
      vitals: () => this.deps.vitals?.() ?? null,
    });
  }

  start(): void {
    const { hal, log } = this.deps;
    const { outbox, ownership, uplink, periods, health, privacy, housekeeping } = this.parts;
    const { lastEpoch, ownerKey } = ownership.facts();
    const device = toHex(this.identity.device);
    log.info({ device, epoch: lastEpoch, owned: ownerKey !== null, version: VERSION }, 'sealcam starts');
    privacy.showRestingState();
    this.subscribe();
    periods.start();
    uplink.start();
    if (outbox.consumeFirstStart()) ownership.openWindow();
    health.start();
    privacy.start();
    hal.watchdog.ready();
    housekeeping.start();
  }

  /** Stops the camera, finishes the pictures in hand, then closes the connection. The outbox is on disk all the time. */
  async stop(): Promise<void> {
    const { clock, log } = this.deps;
    const {
      outbox,
      mirror,
      ownership,
      uplink,
      uploads,
      periods,
      recorder,
      orders,
      clips,
      looks,
      health,
      privacy,
      housekeeping,
      now,
    } = this.parts;
    looks.endAll('camera-failed');
    const cameraDone = privacy.stop();
    housekeeping.stop();
    health.stop();
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    const workDone = cameraDone.then(() => Promise.all([recorder.idle(), orders.idle()]));
    await atMost(clock, STOP_PATIENCE_MS, workDone);
    recorder.abandon();
    orders.abandon();
    clips?.stop();
    guard(log, 'withheld events could not be recorded', () => {
      recorder.recordWithheld(now(), true);
    });
    periods.stop();
    ownership.stop();
    uplink.stop();
    uploads.stop();
    const { records: queued } = outbox.queued();
    const { receipted } = outbox.totals();
    const segments = outbox.segmentTotals();
    mirror.close();
    outbox.close();
    const framesSeen = this.counters.get('frames.seen');
    const framesDropped = this.counters.get('frames.dropped');
    const framesDecoded = this.counters.get('frames.decoded');
    log.info(
      {
        queued,
        receipted,
        framesSeen,
        framesDropped,
        framesDecoded,
        segmentsReceipted: segments.receipted,
        segmentsQueued: segments.queued,
        segmentsLost: segments.lost,
      },
      'sealcam stopped',
    );
  }

  /** Applies a configuration that differs in live keys only. */
  reconfigure(config: Config): void {
    const { camera, recorder, orders, clips } = this.parts;
    const areMasksNew = JSON.stringify(config['privacy.masks']) !== JSON.stringify(this.config['privacy.masks']);
    this.config = config;
    if (areMasksNew) clips?.wipe();
    this.deps.log.setLevel(config['log.level']);
    camera.configure(captureSettings(config, orders.standing));
    recorder.configure(recorderSettings(config));
  }

  /** Connects button and sensors. */
  private subscribe(): void {
    const { hal, log } = this.deps;
    const { camera, ownership } = this.parts;
    this.unsubscribe.push(
      hal.button.onPress((heldMs) => {
        guard(log, 'the button had no effect', () => {
          if (heldMs >= RESET_HOLD_MS) ownership.end('reset');
          ownership.openWindow();
        });
      }),
      // A hint for troubleshooting only: the picture decides.
      hal.motionSensor.onMotion(() => {
        this.counters.add('motion-sensor.hints');
        log.debug({}, 'the motion sensor saw something');
      }),
      hal.light.onSwitch((mode, monotonicMs) => {
        this.counters.add('light.switches');
        log.info({ mode }, 'the infrared-cut filter switched');
        camera.lightSwitched(monotonicMs);
      }),
    );
  }
}
