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
  /** The sealed content has no picture, or the cloud does not have it. */
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly message: string };

const PICTURES_MAX = 200;
const CONCURRENT_LOADS_MAX = 4;
const RETRY_MS = 5000;
/**
 * Codes which prove that the bytes are not those the camera signed and sealed. After any other error it loads again.
 */
const REFUSALS: readonly ErrorCode[] = [
  'cloud-lied',
  'seal-refused',
  'malformed',
  'bad-signature',
  'foreign',
  'unsupported',
];

/** Opened pictures as object URLs; above the limit the oldest are released. */
export class Pictures {
  private readonly owner: Owner;
  private readonly session: OwnerSession;
  private readonly states = new Map<string, PictureState>();
  private readonly listeners = new Set<() => void>();
  private readonly wanted: EventPicture[] = [];
  private loading = 0;

  constructor(owner: Owner, session: OwnerSession) {
    this.owner = owner;
    this.session = session;
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Returns the state of a picture. The first call starts to load it. */
  get(picture: EventPicture): PictureState {
    const key = keyOf(picture);
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const loading: PictureState = { type: 'loading' };
    this.states.set(key, loading);
    // The picture requested last is the one on screen.
    this.wanted.unshift(picture);
    this.startLoading();
    return loading;
  }

  private startLoading(): void {
    while (this.loading < CONCURRENT_LOADS_MAX) {
      const next = this.wanted.shift();
      if (next === undefined) return;
      this.loading++;
      void this.load(next).finally(() => {
        this.loading--;
        this.startLoading();
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
        this.session.markPictureMissing(picture.media.id);
        state = { type: 'none' };
      } else if (!REFUSALS.includes(code)) {
        this.loadLater(picture);
        return;
      } else {
        this.session.refusePicture(message, code, { device: toHex(picture.device), epoch: picture.epoch });
        state = { type: 'refused', message };
      }
    }
    this.states.set(keyOf(picture), state);
    this.forgetOldest();
    this.notifyListeners();
  }

  /** Loads again only when the session is live: without the delay an offline page would retry in a loop. */
  private loadLater(picture: EventPicture): void {
    realClock.after(RETRY_MS, () => {
      if (!this.session.isLive) {
        this.loadLater(picture);
        return;
      }
      this.states.delete(keyOf(picture));
      this.notifyListeners();
    });
  }

  private forgetOldest(): void {
    for (const [key, state] of this.states) {
      if (this.states.size <= PICTURES_MAX) return;
      if (state.type === 'ready') URL.revokeObjectURL(state.url);
      this.states.delete(key);
    }
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function keyOf({ device, epoch, media }: EventPicture): string {
  return `${epochKey(device, epoch)}/${toHex(media.id)}`;
}
