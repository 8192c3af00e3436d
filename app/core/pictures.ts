import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { SealedContent, SealedDetail } from '../../protocol/seal/content.js';
import type { OwnerSession } from './owner-session.js';
import type { EventPicture } from './timeline.js';

export type PictureState =
  | { readonly type: 'loading' }
  | { readonly type: 'ready'; readonly url: string; readonly detail: SealedDetail }
  /** The sealed content has no picture, or the cloud does not have it. */
  | { readonly type: 'none' }
  /** It cannot be opened before the page has a connection, or before the operator ends the pause. */
  | { readonly type: 'waiting'; readonly why: 'offline' | 'paused' }
  /** The cloud did not give it; another attempt may succeed. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'refused'; readonly message: string };

/** What pictures need of the page around them. */
export interface PicturesDependencies {
  readonly open: (picture: EventPicture) => Promise<SealedContent>;
  readonly session: Pick<OwnerSession, 'subscribe' | 'markPictureMissing' | 'refusePicture'>;
  readonly clock: Clock;
  /** Object URLs in a browser. */
  readonly urls: { readonly create: (jpeg: Uint8Array) => string; readonly revoke: (url: string) => void };
}

/** Pictures kept beyond those on the screen. */
export const PICTURES_MAX = 200;
const CONCURRENT_LOADS_MAX = 4;
/** Attempts that the page makes by itself; each wait is twice the one before. */
const RETRIES_MAX = 3;
const RETRY_FIRST_MS = 5000;
/** Codes which prove that the bytes are not those the camera signed and sealed. After any other error it may load again. */
const REFUSALS: readonly ErrorCode[] = [
  'cloud-lied',
  'seal-refused',
  'malformed',
  'bad-signature',
  'foreign',
  'unsupported',
];

interface Wanted {
  readonly picture: EventPicture;
  /** How many parts of the page show it now. */
  users: number;
}

/**
 * Opens the pictures that are on the screen and keeps those seen last. One that is shown is never released, however many
 * there are: releasing it would fetch it again at once, and so on without end.
 */
export class Pictures {
  private readonly deps: PicturesDependencies;
  private readonly states = new Map<string, PictureState>();
  private readonly wanted = new Map<string, Wanted>();
  private readonly failures = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private queue: EventPicture[] = [];
  private loading = 0;
  /** Why nothing can be opened now, from the connection's last state that says so. */
  private blocked: 'offline' | 'paused' | null = null;

  constructor(deps: PicturesDependencies) {
    this.deps = deps;
    deps.session.subscribe(({ connection }) => {
      if (connection === 'offline' || connection === 'paused') this.block(connection);
      if (connection === 'live') this.unblock();
    });
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Returns the state of a picture, without loading it. */
  stateOf(picture: EventPicture): PictureState {
    const state = this.states.get(keyOf(picture)) ?? { type: 'loading' };
    const isOpen = state.type === 'loading' || state.type === 'failed';
    return isOpen && this.blocked !== null ? { type: 'waiting', why: this.blocked } : state;
  }

  /** Loads a picture and keeps it for as long as it is on the screen: until the function that is returned is called. */
  show(picture: EventPicture): () => void {
    const key = keyOf(picture);
    const wanted = this.wanted.get(key) ?? { picture, users: 0 };
    wanted.users++;
    this.wanted.set(key, wanted);
    const known = this.states.get(key);
    if (known === undefined) this.enqueue(picture);
    else {
      // The end of the map are the pictures seen last.
      this.states.delete(key);
      this.states.set(key, known);
    }
    return () => {
      if (--wanted.users === 0) this.hide(key);
    };
  }

  /** Loads a picture again that could not be opened. */
  retry(picture: EventPicture): void {
    const key = keyOf(picture);
    if (this.states.get(key)?.type !== 'failed') return;
    this.failures.delete(key);
    this.enqueue(picture);
    this.notifyListeners();
  }

  private enqueue(picture: EventPicture): void {
    this.states.set(keyOf(picture), { type: 'loading' });
    // The picture requested last is the one on screen.
    this.queue.unshift(picture);
    this.startLoading();
  }

  private hide(key: string): void {
    this.wanted.delete(key);
    if (this.queue.some((picture) => keyOf(picture) === key)) {
      this.queue = this.queue.filter((picture) => keyOf(picture) !== key);
      this.states.delete(key);
    }
    this.forgetOldest();
  }

  private block(why: 'offline' | 'paused'): void {
    if (this.blocked === why) return;
    this.blocked = why;
    this.notifyListeners();
  }

  private unblock(): void {
    if (this.blocked === null) return;
    this.blocked = null;
    this.failures.clear();
    for (const [key, state] of [...this.states]) {
      if (state.type !== 'failed') continue;
      this.states.delete(key);
      const wanted = this.wanted.get(key);
      if (wanted !== undefined) this.enqueue(wanted.picture);
    }
    this.startLoading();
    this.notifyListeners();
  }

  private startLoading(): void {
    while (this.loading < CONCURRENT_LOADS_MAX && this.blocked === null) {
      const next = this.queue.shift();
      if (next === undefined) return;
      this.loading++;
      void this.load(next).finally(() => {
        this.loading--;
        this.startLoading();
      });
    }
  }

  private async load(picture: EventPicture): Promise<void> {
    const key = keyOf(picture);
    const state = await this.openedOrNot(picture);
    this.states.set(key, state);
    if (state.type === 'failed') this.retryLater(picture);
    else this.failures.delete(key);
    this.forgetOldest();
    this.notifyListeners();
  }

  private async openedOrNot(picture: EventPicture): Promise<PictureState> {
    const { open, session, urls } = this.deps;
    try {
      const { jpeg, detail } = await open(picture);
      return jpeg === null ? { type: 'none' } : { type: 'ready', url: urls.create(jpeg), detail };
    } catch (error) {
      const { code, message } = asSealcamError(error);
      if (code === 'not-found') {
        session.markPictureMissing(picture.media.id);
        return { type: 'none' };
      }
      if (!REFUSALS.includes(code)) return { type: 'failed', message };
      session.refusePicture(message, code, { device: toHex(picture.device), epoch: picture.epoch });
      return { type: 'refused', message };
    }
  }

  private retryLater(picture: EventPicture): void {
    const key = keyOf(picture);
    const failures = this.failures.get(key) ?? 0;
    if (failures >= RETRIES_MAX) return;
    this.failures.set(key, failures + 1);
    this.deps.clock.after(RETRY_FIRST_MS * 2 ** failures, () => {
      // While nothing can be opened, the end of that opens it.
      if (this.blocked !== null || this.states.get(key)?.type !== 'failed' || !this.wanted.has(key)) return;
      this.enqueue(picture);
      this.notifyListeners();
    });
  }

  private forgetOldest(): void {
    for (const [key, state] of [...this.states]) {
      if (this.states.size <= PICTURES_MAX) return;
      if (this.wanted.has(key) || state.type === 'loading') continue;
      if (state.type === 'ready') this.deps.urls.revoke(state.url);
      this.states.delete(key);
      this.failures.delete(key);
    }
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Returns the key of a picture: its id alone is not unique. */
export function keyOf({ device, epoch, media }: EventPicture): string {
  return `${epochKey(device, epoch)}/${toHex(media.id)}`;
}
