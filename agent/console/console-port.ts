import { SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { CameraInfo, Frame } from '../../hal/camera.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import type { RecordCommand, RecordHealth, RecordTime } from '../../protocol/objects/record.js';
import type { CameraSession } from '../capture/camera-session.js';
import type { CameraState } from '../capture/camera-loop.js';
import type { LastInspection } from '../capture/capture.js';
import type { PictureSettings } from '../capture/jpeg.js';
import type { Clips } from '../clip/clips.js';
import type { Health } from '../health/health.js';
import type { AgentVitals } from '../health/vitals.js';
import type { Looks } from '../look/looks.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OwnershipKeeper } from '../ownership/ownership.js';
import type { Recorder } from '../record/recorder.js';
import { freshFrame, takeSnapshot, type Snapshot, type SnapshotDependencies } from '../record/snapshot.js';
import type { Uplink } from '../uplink/uplink.js';
import type { UploadLoop } from '../upload/upload-loop.js';

/** The parts of an agent that the console works with. */
export interface ConsolePortParts extends SnapshotDependencies {
  readonly version: string;
  readonly device: Uint8Array;
  readonly signer: Signer;
  readonly uplink: Uplink;
  readonly uploads: UploadLoop;
  readonly ownership: OwnershipKeeper;
  readonly counters: Counters;
  readonly recorder: Recorder;
  readonly health: Health;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => RecordTime;
  readonly thumbnail: () => PictureSettings;
  readonly camera: CameraSession;
  readonly clips: Clips | null;
  readonly looks: Looks;
  readonly isPrivate: () => boolean;
  readonly checkKey: () => void;
  readonly vitals: () => AgentVitals | null;
}

/** All that a console command may read of an agent and do to it. */
export class ConsolePort {
  readonly version: string;
  readonly device: Uint8Array;
  readonly signer: Signer;
  readonly outbox: Outbox;
  readonly uplink: Uplink;
  readonly uploads: UploadLoop;
  readonly ownership: OwnershipKeeper;
  readonly counters: Counters;
  /** Null where `clip.codec` is off. */
  readonly clips: Clips | null;
  readonly looks: Looks;
  private readonly parts: ConsolePortParts;

  constructor(parts: ConsolePortParts) {
    this.parts = parts;
    this.version = parts.version;
    this.device = parts.device;
    this.signer = parts.signer;
    this.outbox = parts.outbox;
    this.uplink = parts.uplink;
    this.uploads = parts.uploads;
    this.ownership = parts.ownership;
    this.counters = parts.counters;
    this.clips = parts.clips;
    this.looks = parts.looks;
  }

  /** Result for the last inspected frame; null before the first. */
  get lastInspection(): LastInspection | null {
    return this.parts.camera.lastInspection;
  }

  get lastFrame(): Frame | null {
    return this.parts.camera.lastFrame;
  }

  get camera(): { readonly state: CameraState; readonly info: CameraInfo | null } {
    return this.parts.camera;
  }

  /** Whether the owner ordered privacy: the camera records and shows nothing. */
  get isPrivate(): boolean {
    return this.parts.isPrivate();
  }

  /** How the agent itself is; null where nothing measures it. */
  get vitals(): AgentVitals | null {
    return this.parts.vitals();
  }

  /** Compares two signatures of the device key. @throws SealcamError `key-check-failed` */
  checkKey(): void {
    this.parts.checkKey();
  }

  /** Measures the values of a health record. */
  health(): Promise<RecordHealth> {
    return this.parts.health.measure();
  }

  /**
   * Records a picture of now, and the order.
   * @throws SealcamError `unclaimed`, `camera-unavailable`, `privacy-mode`, and others of {@link takeSnapshot}
   */
  async snapshot(): Promise<Snapshot> {
    const taken = await takeSnapshot(this.parts, this.freshFrame(), this.parts.thumbnail());
    this.recordCommand({ action: 'snapshot', result: 'done' });
    return taken;
  }

  /**
   * Records an event of the present frame.
   * @throws SealcamError `unclaimed`, `camera-unavailable`, `privacy-mode`, `usage-invalid` during an event
   */
  triggerMotion(): void {
    const { recorder, outbox } = this.parts;
    if (outbox.currentClaim() === null)
      throw new SealcamError('unclaimed', 'the camera has no owner to seal a picture for');
    if (recorder.hasOpenEvent) throw new SealcamError('usage-invalid', 'an event is in progress');
    const frame = this.freshFrame();
    const { index, monotonicMs } = frame;
    const span = { startFrame: index, startMs: monotonicMs, onsetFrame: index, onsetMs: monotonicMs };
    const sighting = { frame, index, timeMs: monotonicMs, area: 0, box: null, zones: [] };
    recorder.recordTransition({ type: 'start', span, sighting }, true);
    const end = { endFrame: index, endMs: monotonicMs, peakArea: 0, reason: 'motion-ended', sighting: null } as const;
    recorder.recordTransition({ type: 'end', span, ...end }, true);
  }

  /** Records what was ordered at the console, so that the owner learns of it. Without an owner there is no record. */
  recordCommand(command: Omit<RecordCommand, 'source'>): void {
    const { outbox, log, now } = this.parts;
    if (outbox.currentClaim() === null) return;
    guard(log, 'a console command could not be recorded', () => {
      outbox.append({ kind: 'command', time: now(), command: { source: 'console', ...command } });
    });
  }

  /** Ends the ownership and opens the claim window. */
  factoryReset(): void {
    this.ownership.end('reset');
    this.ownership.openWindow();
  }

  private freshFrame(): Frame {
    return freshFrame(this.lastFrame, this.parts.clock.monotonicMs(), this.parts.isPrivate());
  }
}
