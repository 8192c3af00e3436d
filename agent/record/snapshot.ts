import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { Frame } from '../../hal/camera.js';
import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import { fitThumbnail, type PictureSettings } from '../capture/jpeg.js';
import type { Outbox } from '../outbox/outbox.js';
import { PICTURE_MAX_BYTES, pictureRoom, type Sealer } from './sealer.js';

export interface Snapshot {
  readonly record: Verified<AnyRecord>;
  /** The picture as the owner opens it; it leaves the camera in no other form. */
  readonly sealed: SealedObject;
}

export interface SnapshotDependencies {
  readonly outbox: Outbox;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly timeOf: (monotonicMs: number) => RecordTime;
  /** The size that a message should keep to, as the broker allows; null without a limit. */
  readonly messageTargetBytes: () => number | null;
}

/** An older frame is not a picture of now. */
const FRAME_MAX_AGE_MS = 5000;

/** Returns the last frame if it is fresh. @throws SealcamError `privacy-mode`, `camera-unavailable` */
export function freshFrame(frame: Frame | null, nowMs: number, isPrivate: boolean): Frame {
  if (isPrivate) throw new SealcamError('privacy-mode', 'the camera is off: the owner ordered privacy');
  if (frame === null || nowMs - frame.monotonicMs > FRAME_MAX_AGE_MS) {
    throw new SealcamError('camera-unavailable', 'no frame arrived in the last five seconds');
  }
  return frame;
}

/**
 * Seals and records one picture on order, like any other picture.
 *
 * @throws SealcamError `unclaimed`, `period-unavailable`, `too-large`, `frame-corrupt`, `claim-changed`
 */
export async function takeSnapshot(
  { outbox, sealer, random, timeOf, messageTargetBytes }: SnapshotDependencies,
  frame: Frame,
  thumbnail: PictureSettings,
): Promise<Snapshot> {
  const claim = outbox.currentClaim();
  if (claim === null) throw new SealcamError('unclaimed', 'the camera has no owner to seal a picture for');
  // An order is answered now: it does not wait for a key, as events do.
  if (!sealer.isReady(claim)) throw new SealcamError('period-unavailable', 'there is no period to seal in yet');
  const maxBytes = pictureRoom(messageTargetBytes()) ?? PICTURE_MAX_BYTES;
  const fitted = await fitThumbnail(frame.jpeg, thumbnail, maxBytes);
  if (fitted === null) throw new SealcamError('too-large', 'the picture does not fit into a sealed object');
  const id = random.bytes(16);
  const detail = { reason: 'snapshot', size: [fitted.width, fitted.height] as const };
  const media = await sealer.seal(claim, id, 'thumbnail', { detail, jpeg: fitted.jpeg });
  const event = { id, phase: 'single', revision: 0 } as const;
  const record = outbox.append({ kind: 'snapshot', time: timeOf(frame.monotonicMs), event }, [media], claim.hash);
  if (record === null) throw new SealcamError('claim-changed', 'the claim changed while the picture was being sealed');
  return { record, sealed: media.sealed };
}
