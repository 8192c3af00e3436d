import { realClock } from '../../common/adapters/real-clock.js';
import type { PageNews, PageRequest, PageState } from '../core/page-state.js';
import { scriptUrl } from './script-url.js';

/** Relative to the page, so that the page may lie below any path; it serves that path and nothing above. */
const WORKER = 'sw.js';
/** A page that is left open asks this often whether there is a newer one. */
const CHECK_INTERVAL_MS = 6 * 60 * 60_000;
/** How long a worker may take to answer: it may fetch the whole page in between. */
const ANSWER_TIMEOUT_MS = 120_000;

/** What this browser keeps of the page, as its service worker says. */
class PageWorker {
  /** Null until the worker answered, and where the browser has none. */
  state: PageState | null = null;
  private registration: ServiceWorkerRegistration | null = null;
  private readonly listeners = new Set<() => void>();

  /**
   * Registers the worker and asks it to look at what the host offers, now and then. Where the browser has no workers or refuses
   * this one (a private window, a page from a file) nothing happens: the page needs none of it.
   */
  async start(): Promise<void> {
    try {
      // Its script is fetched past every cache: a host that keeps it for long cannot hold back the next one.
      const options = { updateViaCache: 'none' } as const;
      this.registration = await navigator.serviceWorker.register(scriptUrl('sealcam-worker', WORKER), options);
      navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<Partial<PageNews> | null>) => {
        if (data?.sealcamPageState !== undefined) this.show(data.sealcamPageState);
      });
      await navigator.serviceWorker.ready;
      await this.checkForever();
    } catch {
      // The next visit tries again.
    }
  }

  /** Calls `listener` after each change. Returns the function that ends the subscription. */
  observe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Uses the newer page from the next load on. The newer worker that may wait begins with it. */
  async use(): Promise<void> {
    await this.ask('use');
    const { waiting } = this.registration ?? {};
    if (waiting === null || waiting === undefined) return;
    const hasBegun = new Promise<void>((resolve) => {
      waiting.addEventListener('statechange', () => {
        if (waiting.state === 'activated') resolve();
      });
    });
    waiting.postMessage({ sealcamPage: 'begin' } satisfies PageRequest);
    await hasBegun;
  }

  private async checkForever(): Promise<void> {
    await this.ask('check');
    realClock.after(CHECK_INTERVAL_MS, () => {
      void this.checkForever();
    });
  }

  private async ask(what: PageRequest['sealcamPage']): Promise<void> {
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise<PageState | null>((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<PageState>) => {
        resolve(data);
      };
      realClock.after(ANSWER_TIMEOUT_MS, () => {
        resolve(null);
      });
    });
    active?.postMessage({ sealcamPage: what } satisfies PageRequest, [port2]);
    const state = await answered;
    port1.close();
    if (state !== null) this.show(state);
  }

  private show(state: PageState): void {
    this.state = state;
    for (const listener of [...this.listeners]) listener();
  }
}

export const pageWorker = new PageWorker();
