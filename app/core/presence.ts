import { isSilent } from './camera-state.js';
import type { Liveness } from './liveness.js';
import type { OwnerSession } from './owner-session.js';
import type { CameraView, SessionView } from './session-view.js';

/** Whether a camera is there, as far as this page can know. */
export type Presence =
  'released' | 'deleted' | 'unlisted' | 'unknown' | 'private' | 'silent' | 'offline' | 'unheard' | 'online';

/**
 * Knows until when the page heard the cloud. Silence after that is the page's own, as on a device that slept: it says nothing
 * about a camera.
 */
export class Hearing {
  private readonly liveness: Pick<Liveness, 'heardAtMs'>;
  private connection: SessionView['connection'] = 'connecting';
  private endedAtMs: number | null = null;

  constructor(session: Pick<OwnerSession, 'subscribe'>, liveness: Pick<Liveness, 'heardAtMs'>) {
    this.liveness = liveness;
    session.subscribe(({ connection }) => {
      // While the page reconnects it hears the cloud again, but has not yet fetched what it missed.
      if (this.connection === 'live' && connection !== 'live') this.endedAtMs = liveness.heardAtMs;
      this.connection = connection;
    });
  }

  /** Returns the time up to which silence is a camera's, UTC; null before the page was connected. */
  untilMs(): number | null {
    return this.connection === 'live' ? this.liveness.heardAtMs : this.endedAtMs;
  }
}

/** Returns whether a camera is there, judged at the time up to which the page heard the cloud. */
export function presenceOf(
  camera: CameraView,
  connection: SessionView['connection'],
  untilMs: number | null,
): Presence {
  if (camera.hasEnded) return 'released';
  if (camera.deletedAtMs !== null) return 'deleted';
  if (!camera.isListed) return 'unlisted';
  if (untilMs !== null && isSilent(camera, untilMs)) return 'silent';
  if (connection !== 'live') return 'unknown';
  if (camera.health?.body.privacy === true) return 'private';
  if (camera.isOnline === false) return 'offline';
  return camera.lastWordMs === null ? 'unheard' : 'online';
}

/** Returns each camera once, under its newest ownership. */
export function currentOf(cameras: readonly CameraView[]): readonly CameraView[] {
  return cameras.filter(
    ({ device, epoch }) => !cameras.some((other) => other.device === device && other.epoch > epoch),
  );
}

/**
 * Returns the cameras of which nothing was heard for too long: a list of events that does not name them looks quiet.
 *
 * @param device hex of a device id; null for all
 */
export function silentCameras(
  { cameras, connection }: Pick<SessionView, 'cameras' | 'connection'>,
  device: string | null,
  untilMs: number | null,
): readonly CameraView[] {
  return currentOf(cameras).filter(
    (camera) => (device === null || camera.device === device) && presenceOf(camera, connection, untilMs) === 'silent',
  );
}
