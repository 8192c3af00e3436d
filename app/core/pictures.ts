import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { ErrorCode } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import type { SealedContent, SealedDetail } from '../../protocol/seal/content.js';
import type { PeriodState } from '../../protocol/verify/history.js';
import type { OwnerSession } from './owner-session.js';
import { pictureKey, type EventPicture } from './timeline.js';

export type PictureState =
  | { readonly type: 'loading' }
  | { readonly type: 'ready'; readonly url: string; readonly detail: SealedDetail }
  /** The sealed content has no picture, or the cloud does not have it. */
  | { readonly type: 'none' }
  /** It cannot be opened before the page has a connection, before the operator ends the pause, or before its key has come. */
  | { readonly type: 'waiting'; readonly why: 'offline' | 'paused' | 'key' }
  /** The cloud did not give it; another attempt may succeed. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'refused'; readonly why: RefusedWhy; readonly message: string };

/** `not-sealed`: the camera did not seal to this person. `two-keys`: there are two key records. `altered`: it is not what was signed. */
export type RefusedWhy = 'not-sealed' | 'two-keys' | 'altered';

/** What pictures need of the page around them. */
export interface PicturesDependencies {
  readonly open: (picture: EventPicture) => Promise<SealedContent>;
  /** Returns what is known of the key record that a picture needs which was opened, or waits; null without one. */
  readonly keyStateOf: (picture: EventPicture) => PeriodState['state'] | null;
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
export const REFUSALS: readonly ErrorCode[] = [
  'cloud-lied',
  'seal-refused',
  'not-sealed-to-you',
  'malformed',
  'bad-signature',
  'foreign',
  'unsupported',
];

const TWO_KEYS: PictureState = {
  type: 'refused',
  why: 'two-keys',
  message: 'there are two key records of its period',
};

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
  /** Those that wait for a key record which had not come when they were opened. */
  private readonly keyless = new Set<string>();
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
      for (const { picture } of [...this.wanted.values()]) this.followKey(picture);
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
    const state = this.states.get(pictureKey(picture)) ?? { type: 'loading' };
    if (state.type === 'ready' && this.deps.keyStateOf(picture) === 'equivocation') return TWO_KEYS;
    const isOpen = state.type === 'loading' || state.type === 'failed';
    return isOpen && this.blocked !== null ? { type: 'waiting', why: this.blocked } : state;
  }

  /** Loads a picture and keeps it for as long as it is on the screen: until the function that is returned is called. */
  show(picture: EventPicture): () => void {
    const key = pictureKey(picture);
    const wanted = this.wanted.get(key) ?? { picture, users: 0 };
    wanted.users++;
    this.wanted.set(key, wanted);
    const known = this.states.get(key);
    if (known === undefined) this.enqueue(picture);
    else {
      // The end of the map are the pictures seen last.
      this.states.delete(key);
      this.states.set(key, known);
      this.followKey(picture);
    }
    return () => {
      if (--wanted.users === 0) this.hide(key);
    };
  }

  /** Loads a picture again that could not be opened. */
  retry(picture: EventPicture): void {
    const key = pictureKey(picture);
    const state = this.states.get(key);
    if (state === undefined || !isUnopened(state)) return;
    this.failures.delete(key);
    this.enqueue(picture);
    this.notifyListeners();
  }

  /** Takes a picture off the screen once there are two key records of its period, and opens one whose key record has come. */
  private followKey(picture: EventPicture): void {
    const key = pictureKey(picture);
    const known = this.states.get(key);
    const keyState = this.deps.keyStateOf(picture);
    if (known?.type === 'ready' && keyState === 'equivocation') {
      this.deps.urls.revoke(known.url);
      this.states.set(key, TWO_KEYS);
      this.notifyListeners();
    } else if (this.keyless.has(key) && keyState !== 'pending') {
      this.keyless.delete(key);
      this.enqueue(picture);
      this.notifyListeners();
    }
  }

  private enqueue(picture: EventPicture): void {
    this.states.set(pictureKey(picture), { type: 'loading' });
    // The picture requested last is the one on screen.
    this.queue.unshift(picture);
    this.startLoading();
  }

  private hide(key: string): void {
    this.wanted.delete(key);
    if (this.queue.some((picture) => pictureKey(picture) === key)) {
      this.queue = this.queue.filter((picture) => pictureKey(picture) !== key);
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
      if (!isUnopened(state)) continue;
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
    const key = pictureKey(picture);
    const state = await this.openedOrNot(picture);
    this.states.set(key, state);
    if (state.type === 'waiting' && this.deps.keyStateOf(picture) === 'pending') this.keyless.add(key);
    else this.keyless.delete(key);
    if (isUnopened(state)) this.retryLater(picture);
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
      if (code === 'key-pending') return { type: 'waiting', why: 'key' };
      if (!REFUSALS.includes(code)) return { type: 'failed', message };
      session.refusePicture(message, code, { device: toHex(picture.device), epoch: picture.epoch });
      const isContested = this.deps.keyStateOf(picture) === 'equivocation';
      const why = code === 'not-sealed-to-you' ? 'not-sealed' : isContested ? 'two-keys' : 'altered';
      return { type: 'refused', why, message };
    }
  }

  private retryLater(picture: EventPicture): void {
    const key = pictureKey(picture);
    const failures = this.failures.get(key) ?? 0;
    if (failures >= RETRIES_MAX) return;
    this.failures.set(key, failures + 1);
    this.deps.clock.after(RETRY_FIRST_MS * 2 ** failures, () => {
      // While nothing can be opened, the end of that opens it.
      const state = this.states.get(key);
      if (this.blocked !== null || state === undefined || !isUnopened(state) || !this.wanted.has(key)) return;
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
      this.keyless.delete(key);
    }
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Returns whether a picture was not opened that may open later. */
function isUnopened(state: PictureState): boolean {
  return state.type === 'failed' || state.type === 'waiting';
}
