import type { Counters } from '../../common/counters.js';
import { ERROR_CODES } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Frame } from '../../hal/camera.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedContent, SealedDetail } from '../../protocol/seal/content.js';
import type { Box } from '../capture/detect/observation.js';
import type { Transition } from '../capture/event-tracker.js';
import { decodeView, type PictureSettings, type Thumbnail, type View } from '../capture/jpeg.js';
import { boxWithin, cropFor } from '../capture/picture-choice.js';
import type { SealedMedia } from '../outbox/outbox.js';
import { hasRoomForMini, miniRoom, pictureRoom, type Sealer } from './sealer.js';

export interface EventPictureSettings extends PictureSettings {
  readonly maxBytes: number;
  readonly crop: 'none' | 'subject';
  /** Whether the first picture of an event has a copy that fits into a notification. */
  readonly mini: boolean;
}

export interface EventPicturesDependencies {
  readonly sealer: Sealer;
  readonly counters: Counters;
  readonly log: Log;
  /** The size that a message should keep to, as the broker allows; null without a limit. */
  readonly messageTargetBytes: () => number | null;
}

/** What a record of a motion event shows, before it is sealed. */
export type EventPicture =
  | {
      readonly type: 'picture';
      readonly detail: SealedDetail;
      readonly jpeg: Uint8Array;
      /** The same picture for a notification; null where it has none. */
      readonly mini: SealedContent | null;
    }
  | { readonly type: 'none' | 'too-large'; readonly detail: SealedDetail };

/** Makes and seals the pictures of motion events, each with what was seen. */
export class EventPictures {
  private readonly deps: EventPicturesDependencies;
  private settings: EventPictureSettings;
  private smallestRoom = Infinity;

  constructor(settings: EventPictureSettings, deps: EventPicturesDependencies) {
    this.settings = settings;
    this.deps = deps;
  }

  configure(settings: EventPictureSettings): void {
    this.settings = settings;
  }

  /** Returns the largest picture that the broker takes, null if it takes none: then one of the usual size waits. */
  room(): number | null {
    const room = pictureRoom(this.deps.messageTargetBytes());
    if (room !== null && room < Math.min(this.settings.maxBytes, this.smallestRoom)) {
      this.smallestRoom = room;
      const { hint } = ERROR_CODES['broker-limit'];
      this.deps.log.warn({ code: 'broker-limit', bytes: room, hint }, 'pictures are made smaller, to fit the broker');
    }
    return room;
  }

  /** Makes the picture of a transition, at most `room` bytes of JPEG, and a mini picture of the same frame where one is wanted. */
  async make(transition: Transition<Frame>, room: number, wantsMini: boolean): Promise<EventPicture> {
    const { sighting } = transition;
    const without = { type: 'none', detail: detailOf(transition, null, null) } as const;
    if (sighting === null) return without;
    try {
      const { settings } = this;
      const crop = cropFor(settings.crop, sighting.box);
      this.deps.counters.add('pictures.decoded');
      const view = await decodeView(sighting.frame.jpeg, settings, crop);
      const fitted = await view.fitThumbnail(Math.min(room, settings.maxBytes));
      if (fitted === null) return { ...without, type: 'too-large' };
      const detail = detailOf(transition, fitted, crop);
      const mini = wantsMini && settings.mini ? await this.mini(view, detail, fitted.jpeg.length) : null;
      return { type: 'picture', detail, jpeg: fitted.jpeg, mini };
    } catch (error) {
      this.deps.counters.add('frames.corrupt');
      this.deps.log.warn({ code: asSealcamError(error).code }, 'the picture of an event could not be decoded');
      return without;
    }
  }

  /**
   * Seals what a record shows: one object, or a picture and its mini picture.
   * @throws SealcamError `too-large`, `randomness-repeats`, `period-unavailable`
   */
  async seal(claim: Verified<AnyClaim>, eventId: Uint8Array, picture: EventPicture): Promise<readonly SealedMedia[]> {
    const { sealer } = this.deps;
    const { type, detail } = picture;
    if (type !== 'picture') return [await sealer.seal(claim, eventId, 'detail', { detail, jpeg: null })];
    const media = await sealer.seal(claim, eventId, 'thumbnail', { detail, jpeg: picture.jpeg });
    if (picture.mini === null) return [media];
    const mini = sealer.sealMini(claim, eventId, picture.mini);
    if (mini === null) this.leaveOutMini();
    return mini === null ? [media] : [media, mini];
  }

  private async mini(view: View, detail: SealedDetail, pictureBytes: number): Promise<SealedContent | null> {
    const hasRoom = hasRoomForMini(this.deps.messageTargetBytes(), pictureBytes);
    const fitted = hasRoom ? await view.fitMini(miniRoom(detail)) : null;
    if (fitted === null) this.leaveOutMini();
    return fitted === null ? null : { detail: { ...detail, size: [fitted.width, fitted.height] }, jpeg: fitted.jpeg };
  }

  private leaveOutMini(): void {
    this.deps.counters.add('pictures.mini-left-out');
  }
}

function detailOf(transition: Transition<Frame>, picture: Thumbnail | null, crop: Box | null): SealedDetail {
  const { span, sighting } = transition;
  const scale = (fraction: number): number => Math.round(Math.min(1, Math.max(0, fraction)) * 65_535);
  const seen = sighting?.box ?? null;
  // The box is drawn on the picture, so it is in fractions of the picture's part of the view.
  const box = seen === null || crop === null ? seen : boxWithin(crop, seen);
  const zones = sighting?.zones ?? [];
  const area = transition.type === 'end' ? transition.peakArea : transition.sighting.area;
  return {
    reason: transition.type === 'end' ? transition.reason : 'motion',
    area: Math.round(Math.min(1, area) * 1000),
    startedMs: Math.max(0, Math.round(span.onsetMs)),
    ...(box === null ? {} : { box: [scale(box.left), scale(box.top), scale(box.width), scale(box.height)] as const }),
    ...(zones.length === 0 ? {} : { zones: zones.slice(0, 8) }),
    ...(transition.type === 'end' ? { endedMs: Math.max(0, Math.round(transition.endMs)) } : {}),
    ...(picture === null ? {} : { size: [picture.width, picture.height] as const }),
  };
}
