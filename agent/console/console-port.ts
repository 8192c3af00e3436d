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
import type { LastLook } from '../capture/capture.js';
import type { PictureSettings } from '../capture/jpeg.js';
import type { ConsoleAgent } from './command.js';
import type { Health } from '../health/health.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OwnershipKeeper } from '../ownership/ownership.js';
import type { Recorder } from '../record/recorder.js';
import { freshFrame, takeSnapshot, type Snapshot, type SnapshotDependencies } from '../record/snapshot.js';
import type { Uplink } from '../uplink/uplink.js';

/** The parts of an agent that the console works with. */
export interface ConsolePortParts
  extends
    SnapshotDependencies,
    Pick<ConsoleAgent, 'version' | 'device' | 'signer' | 'outbox' | 'uplink' | 'ownership' | 'counters'> {
  readonly recorder: Recorder;
  readonly health: Health;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => RecordTime;
  readonly thumbnail: () => PictureSettings;
  readonly camera: CameraSession;
  readonly isPrivate: () => boolean;
}

/** What may be done to an agent from its console. */
export class ConsolePort implements ConsoleAgent {
  readonly version: string;
  readonly device: Uint8Array;
  readonly signer: Signer;
  readonly outbox: Outbox;
  readonly uplink: Uplink;
  readonly ownership: OwnershipKeeper;
  readonly counters: Counters;
  private readonly parts: ConsolePortParts;

  constructor(parts: ConsolePortParts) {
    this.parts = parts;
    this.version = parts.version;
    this.device = parts.device;
    this.signer = parts.signer;
    this.outbox = parts.outbox;
    this.uplink = parts.uplink;
    this.ownership = parts.ownership;
    this.counters = parts.counters;
  }

  get lastLook(): LastLook | null {
    return this.parts.camera.lastLook;
  }

  get lastFrame(): Frame | null {
    return this.parts.camera.lastFrame;
  }

  get camera(): { readonly state: CameraState; readonly info: CameraInfo | null } {
    return this.parts.camera;
  }

  get isPrivate(): boolean {
    return this.parts.isPrivate();
  }

  health(): Promise<RecordHealth> {
    return this.parts.health.measure();
  }

  async snapshot(): Promise<Snapshot> {
    const taken = await takeSnapshot(this.parts, this.freshFrame(), this.parts.thumbnail());
    this.recordCommand({ action: 'snapshot', result: 'done' });
    return taken;
  }

  triggerMotion(): void {
    const { recorder, outbox } = this.parts;
    if (outbox.currentClaim() === null) throw new SealcamError('unclaimed', 'there is no owner to seal a picture to');
    if (recorder.hasOpenEvent) throw new SealcamError('usage-invalid', 'an event is going on already');
    const frame = this.freshFrame();
    const { index, monotonicMs } = frame;
    const span = { startFrame: index, startMs: monotonicMs, onsetFrame: index, onsetMs: monotonicMs };
    const sighting = { frame, index, timeMs: monotonicMs, area: 0, box: null, zones: [] };
    recorder.recordTransition({ type: 'start', span, sighting }, true);
    const end = { endFrame: index, endMs: monotonicMs, peakArea: 0, reason: 'motion-ended', sighting: null } as const;
    recorder.recordTransition({ type: 'end', span, ...end }, true);
  }

  recordCommand(command: Omit<RecordCommand, 'source'>): void {
    const { outbox, log, now } = this.parts;
    if (outbox.currentClaim() === null) return;
    guard(log, 'an order at the console could not be recorded', () => {
      outbox.append({ kind: 'command', time: now(), command: { source: 'console', ...command } });
    });
  }

  factoryReset(): void {
    this.ownership.end('reset');
    this.ownership.openWindow();
  }

  private freshFrame(): Frame {
    return freshFrame(this.lastFrame, this.parts.clock.monotonicMs(), this.parts.isPrivate());
  }
}
