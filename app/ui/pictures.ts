import { toHex } from '../../common/bytes.js';
import { realClock } from '../../common/adapters/real-clock.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import type { SealedDetail } from '../../protocol/seal/content.js';
import type { Owner } from '../core/owner.js';
import type { OwnerSession } from '../core/owner-session.js';
import type { EventPicture } from '../core/timeline.js';
import { epochKey } from '../../protocol/objects/ids.js';

export type PictureState =
  | { readonly type: 'loading' }
  | { readonly type: 'ready'; readonly url: string; readonly detail: SealedDetail }
  /** Sealed content without a picture, or none there. */
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly message: string };

const KEPT = 200;
const AT_ONCE = 4;
const RETRY_MS = 5000;
/** What says that the bytes are not what the camera signed and sealed; any other error may pass. */
const REFUSALS: readonly ErrorCode[] = [
  'cloud-lied',
  'seal-refused',
  'malformed',
  'bad-signature',
  'foreign',
  'unsupported',
];

/** Opened pictures of this page's life, as object URLs; the oldest are let go. */
export class Pictures {
  private readonly owner: Owner;
  private readonly session: OwnerSession;
  private readonly states = new Map<string, PictureState>();
  private readonly listeners = new Set<() => void>();
  private readonly queue: EventPicture[] = [];
  private working = 0;

  constructor(owner: Owner, session: OwnerSession) {
    this.owner = owner;
    this.session = session;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** What is known; asking for one that is not known starts to load it. */
  get(picture: EventPicture): PictureState {
    const key = keyOf(picture);
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const loading: PictureState = { type: 'loading' };
    this.states.set(key, loading);
    // What was asked for last is what is looked at.
    this.queue.unshift(picture);
    this.work();
    return loading;
  }

  private work(): void {
    while (this.working < AT_ONCE) {
      const next = this.queue.shift();
      if (next === undefined) return;
      this.working++;
      void this.load(next).finally(() => {
        this.working--;
        this.work();
      });
    }
  }

  private async load(picture: EventPicture): Promise<void> {
    let state: PictureState;
    try {
      const { jpeg, detail } = await this.owner.openPicture(picture);
      if (jpeg === null) state = { type: 'none' };
      else {
        const blob = new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' });
        state = { type: 'ready', url: URL.createObjectURL(blob), detail };
      }
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code === 'not-found') {
        this.session.pictureMissing(picture.media.id);
        state = { type: 'none' };
      } else if (!REFUSALS.includes(code)) {
        this.tryLater(picture);
        return;
      } else {
        this.session.pictureRefused(message, code, { device: toHex(picture.device), epoch: picture.epoch });
        state = { type: 'refused', message };
      }
    }
    this.states.set(keyOf(picture), state);
    this.forgetOldest();
    this.changed();
  }

  /** Asked for again once the cloud shows something again: a page that asks at once asks for ever. */
  private tryLater(picture: EventPicture): void {
    realClock.after(RETRY_MS, () => {
      if (!this.session.isLive) {
        this.tryLater(picture);
        return;
      }
      this.states.delete(keyOf(picture));
      this.changed();
    });
  }

  private forgetOldest(): void {
    for (const [key, state] of this.states) {
      if (this.states.size <= KEPT) return;
      if (state.type === 'ready') URL.revokeObjectURL(state.url);
      this.states.delete(key);
    }
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function keyOf({ device, epoch, media }: EventPicture): string {
  return `${epochKey(device, epoch)}/${toHex(media.id)}`;
}
