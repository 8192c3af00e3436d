import type { LevelLog } from '../../common/adapters/pino-log.js';
import { toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { Counters } from '../../common/counters.js';
import { guard } from '../../common/guard.js';
import type { Random } from '../../common/random.js';
import type { Hal } from '../../hal/hal.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { WrapKey } from '../../protocol/seal/key-record.js';
import { encodeStatus } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import { CameraSession } from '../capture/camera-session.js';
import type { Clips } from '../clip/clips.js';
import type { Config } from '../config/keys.js';
import { Health } from '../health/health.js';
import type { AgentVitals } from '../health/vitals.js';
import type { Mirror } from '../outbox/mirror.js';
import { openOutbox } from '../outbox/open-outbox.js';
import type { Outbox } from '../outbox/outbox.js';
import { LookLight } from '../look/look-light.js';
import type { Looks, LooksDependencies } from '../look/looks.js';
import { OwnerOrders } from '../ownership/owner-orders.js';
import { OwnershipKeeper } from '../ownership/ownership.js';
import { ClockWatch, recordTime } from '../record/record-time.js';
import { PeriodKeeper } from '../record/period-keeper.js';
import { Recorder } from '../record/recorder.js';
import { recordScene } from '../record/scene.js';
import { Sealer } from '../record/sealer.js';
import { freshFrame, takeSnapshot } from '../record/snapshot.js';
import { Downlink } from '../uplink/downlink.js';
import type { OpenSocket } from '../uplink/socket.js';
import { Uplink, type UplinkStore } from '../uplink/uplink.js';
import type { PutBody } from '../upload/put.js';
import type { UploadLoop } from '../upload/upload-loop.js';
import { clipsOf } from './clips.js';
import { forbiddenBy } from './forbidden.js';
import { Housekeeping } from './housekeeping.js';
import { looksOf } from './looks.js';
import { loadIdentity, outboxSigner, type Identity } from './identity.js';
import { Privacy } from './privacy.js';
import { captureSettings, inForceOf, recorderSettings } from './settings.js';
import { makeUploads } from './uploads.js';

export interface AgentDependencies {
  /** How the program names itself in what it signs and sends. */
  readonly agentName: string;
  readonly hal: Hal;
  readonly suite: CryptoSuite;
  /** Its monotonic time must be the HAL clock's. */
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LevelLog;
  readonly openSocket: (will: { readonly topic: string; readonly payload: Uint8Array }, device: string) => OpenSocket;
  readonly uplinkStore: UplinkStore;
  /** Brings the bodies of clips to their server. */
  readonly put: PutBody;
  /** Wraps period keys and tries KEM keys, in a process that ends. */
  readonly wrap: WrapKey;
  /** Makes a shared secret for a viewer, likewise. */
  readonly encapsulate: LooksDependencies['encapsulate'];
  readonly isClockSet?: () => boolean;
  /** How the process is; absent where nothing measures it. */
  readonly vitals?: () => AgentVitals;
  /** Whether the heap is nearly full; absent where nothing watches it. */
  readonly isHeapFull?: () => boolean;
  readonly onHeapFull?: () => void;
  /** The claim window opened or closed. */
  readonly onWindow: (open: boolean) => void;
}

export interface AgentParts {
  readonly identity: Identity;
  readonly counters: Counters;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly ownership: OwnershipKeeper;
  readonly uplink: Uplink;
  readonly uploads: UploadLoop;
  readonly periods: PeriodKeeper;
  readonly sealer: Sealer;
  readonly recorder: Recorder;
  readonly orders: OwnerOrders;
  readonly camera: CameraSession;
  /** Null where `clip.codec` is off. */
  readonly clips: Clips | null;
  readonly looks: Looks;
  readonly health: Health;
  readonly privacy: Privacy;
  readonly housekeeping: Housekeeping;
  /** Returns the record time of a monotonic time. */
  readonly timeOf: (monotonicMs: number) => RecordTime;
  /** The size that a message should keep to, as the broker allows; null without a limit. */
  readonly messageTargetBytes: () => number | null;
  readonly now: () => RecordTime;
}

/**
 * Makes the parts of one camera and connects them, from the outbox upwards. Nothing runs yet.
 *
 * @param config returns the configuration in force: its live keys may change
 * @throws SealcamError if keys or outbox cannot be used
 */
export function makeParts(config: () => Config, deps: AgentDependencies): AgentParts {
  const {
    agentName,
    hal,
    suite,
    random,
    clock,
    log,
    openSocket,
    uplinkStore,
    put,
    wrap,
    encapsulate,
    isClockSet,
    onWindow,
  } = deps;
  const settings = config();
  const indicator = new LookLight(hal.indicator);
  const counters = new Counters();
  const timeOf = (monotonicMs: number): RecordTime => recordTime(hal.clock, monotonicMs);
  const now = (): RecordTime => timeOf(hal.clock.monotonicMs());
  const identity = loadIdentity(hal, suite, random);
  const { device } = identity;

  const { outbox, mirror } = openOutbox({
    folder: settings['data.folder'],
    signer: outboxSigner(suite, identity),
    limits: {
      maxBytes: settings['outbox.maxBytes'],
      maxAgeMs: settings['outbox.maxAge'],
      clipMaxBytes: settings['clip.maxBytes'],
    },
    sha256: (data) => suite.sha256(data),
    time: now(),
    log: log.child('outbox'),
  });
  outbox.onAppended((count) => {
    // After the call that appended has finished: a claim or a release is noted in the mirror before it is published.
    queueMicrotask(() => {
      guard(log, 'new records could not be sent', () => {
        uplink.recordsAppended(count);
      });
    });
  });

  const periods = new PeriodKeeper({ suite, random, clock, outbox, wrap, now, counters, log: log.child('periods') });

  const ownership: OwnershipKeeper = new OwnershipKeeper({
    wrap,
    version: () => uplink.version,
    suite,
    random,
    clock,
    counters,
    outbox,
    mirror,
    now,
    ...identity,
    indicator,
    log: log.child('ownership'),
    onOffer: (offer, offerV2) => {
      uplink.publishOffer(offer, offerV2);
    },
    onWindow: (open) => {
      uplink.setClaimWindow(open);
      onWindow(open);
    },
    restingState: () => privacy.restingState(),
    onEnding: () => {
      recorder.recordWithheld(now(), true);
    },
    onEpochEnding: () => {
      looks.endAll('claim-changed');
      clips?.ownershipEnding();
    },
    onChanged: () => {
      looks.endAll('claim-changed');
      clips?.ownerChanged();
      periods.ownerChanged();
      orders.ownerChanged();
    },
  });

  const downlink = new Downlink({
    suite,
    outbox,
    counters,
    now,
    log: log.child('downlink'),
    onReceipt: (receipt, { keysRejected }) => {
      if (keysRejected > 0) periods.renew();
      uplink.receiptApplied(receipt);
    },
    onClaim: (claim, mac, kemKeys) => {
      ownership.handleClaim(claim, mac, kemKeys);
    },
    onHello: (versions) => {
      if (uplink.noteVersions(versions)) ownership.greeted();
    },
    onOfferRequest: () => {
      ownership.offerToOwner();
    },
    onCommand: (command) => {
      orders.handleCommand(command);
    },
    onLook: (order) => {
      looks.handleOrder(order);
    },
  });

  const will = { topic: topicOf(device, 'status'), payload: encodeStatus({ online: false, agent: agentName }) };
  const uplink = new Uplink({
    clock,
    random,
    device,
    outbox,
    mirror,
    isClockSet,
    agentVersion: agentName,
    store: uplinkStore,
    settings: {
      initialWindowMs: settings['uplink.initialWindow'],
      connectTimeoutMs: settings['uplink.connectTimeout'],
      ackTimeoutMs: settings['uplink.ackTimeout'],
      oversizeHoldMs: settings['uplink.oversizeHold'],
    },
    counters,
    boot: toHex(hal.clock.bootId),
    openSocket: openSocket(will, toHex(device)),
    onMessage: (payload) => {
      downlink.handleMessage(payload);
    },
    onConnected: () => {
      ownership.connected();
      uploads.connected();
    },
    log: log.child('uplink'),
  });

  const uploads = makeUploads({
    settings,
    put,
    outbox,
    suite,
    device,
    clock,
    random,
    counters,
    log,
    uplink: () => uplink,
  });

  const messageTargetBytes = (): number | null => uplink.messageTargetBytes;
  const sealer = new Sealer(suite, random, () => sleep(clock, 0), periods);
  const recorder = new Recorder(
    {
      outbox,
      random,
      counters,
      sealer,
      timeOf,
      messageTargetBytes,
      log: log.child('recorder'),
      nowMs: () => clock.monotonicMs(),
      onRecorded: (stages) => {
        log.debug({ ...stages, storedWallMs: clock.wallMs() }, 'recorded');
      },
      onQueued: (transition, eventId, claim) => {
        clips?.eventQueued(transition, eventId, claim);
      },
    },
    recorderSettings(settings),
  );

  const isPrivate = (): boolean => privacy.isOn;
  const forbidden = forbiddenBy(config, isPrivate, timeOf);
  const clips = clipsOf({
    config,
    video: hal.video,
    clock,
    counters,
    outbox,
    sealer,
    timeOf,
    log: log.child('clips'),
    isPrivate,
    forbidden,
    onUnit: (unit, info) => {
      looks.addUnit(unit, info);
    },
    eventsRecorded: () => recorder.idle(),
  });

  const looks = looksOf({
    config,
    suite,
    outbox,
    clock,
    counters,
    now,
    forbidden,
    encapsulate,
    light: indicator,
    link: uplink,
    log: log.child('look'),
    isSeeing: () => camera.state === 'ok' || camera.state === 'starting',
  });

  const orders = new OwnerOrders({
    suite,
    sealer: {
      isReady: (claim) => sealer.isReady(claim),
      ready: (claim) => sealer.ready(claim),
      seal: (claim, standing) => sealer.sealInForce(claim, inForceOf(config(), standing)),
    },
    outbox,
    mirror,
    clock,
    counters,
    now,
    log: log.child('orders'),
    snapshot: async () => {
      const frame = freshFrame(camera.lastFrame, clock.monotonicMs(), privacy.isOn);
      await takeSnapshot(
        { outbox, sealer, random, timeOf, messageTargetBytes },
        frame,
        recorderSettings(config()).thumbnail,
      );
    },
    onOrders: (standing) => {
      privacy.applyOrders(standing);
    },
    onRelease: () => {
      ownership.end('release');
    },
  });

  const camera = new CameraSession(captureSettings(settings, orders.standing), {
    clock,
    counters,
    camera: hal.camera,
    log: (part) => log.child(part),
    onFrame: (frame) => {
      looks.addFrame(frame);
    },
    onTransition: (transition) => {
      recorder.recordTransition(transition);
    },
    onOpened: () => {
      clips?.cameraOpened();
    },
    onClosing: () => {
      clips?.cameraClosed();
    },
    onArmed: () => {
      periods.armed();
    },
    // Now rather than at the next interval, which would give a thief until then.
    onSilence: () => void health.record(),
    onScene: (scene, monotonicMs) => {
      recordScene({ outbox, log }, scene, timeOf(monotonicMs));
    },
    wallMsOf: (monotonicMs) => timeOf(monotonicMs).wallMs,
  });

  const health = new Health({
    clock,
    outbox,
    counters,
    now,
    system: hal.system,
    log: log.child('health'),
    intervalMs: settings['health.interval'],
    agentVersion: agentName,
    cameraState: () => camera.state,
    isPrivate: () => privacy.isOn,
    connects: () => uplink.status().attempts,
    vitals: deps.vitals,
    ringMs: () => clips?.status().heldMs ?? null,
    hasLight: hal.indicator.isPresent,
  });

  const privacy: Privacy = new Privacy({
    camera,
    orders,
    indicator,
    captureSettings: (standing) => captureSettings(config(), standing),
    hasOwner: () => outbox.currentClaim() !== null,
    isClaimWindowOpen: () => ownership.windowLeftMs() !== null,
    cameraState: () => camera.state,
    recordHealth: () => void health.record(),
    wipeVideo: () => {
      looks.endAll('privacy');
      clips?.privacyOrdered();
    },
  });

  const housekeeping = new Housekeeping({
    clock,
    outbox,
    recorder,
    now,
    log,
    clockWatch: new ClockWatch(hal.clock),
    watchdog: hal.watchdog,
    vitals: deps.vitals,
    isHeapFull: deps.isHeapFull,
    onHeapFull: deps.onHeapFull,
    showIndicator: () => {
      privacy.showRestingState();
    },
  });

  return {
    identity,
    counters,
    outbox,
    mirror,
    ownership,
    uplink,
    uploads,
    periods,
    sealer,
    recorder,
    orders,
    camera,
    clips,
    looks,
    health,
    privacy,
    housekeeping,
    timeOf,
    messageTargetBytes,
    now,
  };
}
