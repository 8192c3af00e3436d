import type { Browser, CDPSession, Page } from 'playwright-core';
import { Visitor } from '../../support/engines/browser.js';
import { limitMs, Patience, slowness } from '../../support/runner/speed.js';
import type { Site } from './site.js';

const PASSPHRASE = 'four unrelated test words';
/** A visit that shows no picture after this long, on an idle machine, did not work. */
const VISIT_TIMEOUT_MS = 180_000;
const POLL_MS = 50;
/** Without a new event for this long, the page has drawn a change. */
const CHANGE_WINDOW_MS = 1500;
/** About a screen of a phone. */
const PICTURES_PER_STEP = 3;

/** The line between browser, page's host and cloud, as Chromium imitates it. */
export interface Line {
  readonly kbitPerSecond: number;
  readonly latencyMs: number;
}

/** No limit that anybody would notice. */
export const FAST: Line = { kbitPerSecond: 1_000_000, latencyMs: 0 };

export interface VisitFigures {
  /** After the request for the page: first pixel, first event with its verdict, first opened picture. */
  readonly firstPaintMs: number;
  readonly firstEventMs: number;
  readonly firstPictureMs: number;
  /** One round trip and the bytes received until the first picture, at the line's rate: no page with as many is faster. */
  readonly floorMs: number;
  /** Received until the first picture. */
  readonly bytes: number;
  /** Time of the main thread's tasks above 50 ms until the first picture. */
  readonly longMs: number;
}

/** What something costs the page's main thread. */
export interface MainThreadFigures {
  /** The main thread's own time on the processor, which a busy machine does not lengthen. */
  readonly cpuMs: number;
  /** Time of its tasks above 50 ms. */
  readonly longMs: number;
}

/** What the page notes of itself; times in ms after the navigation began. */
interface Marks {
  readonly event: number | null;
  readonly picture: number | null;
  readonly paint: number | null;
  /** Time of tasks above 50 ms. */
  readonly longMs: number;
}

/** A browser in which the owner has the key. */
export class Owner {
  readonly page: Page;
  private readonly devtools: CDPSession;
  private readonly site: Site;
  private received = 0;

  private constructor(page: Page, devtools: CDPSession, site: Site) {
    this.page = page;
    this.devtools = devtools;
    this.site = site;
    devtools.on('Network.dataReceived', ({ encodedDataLength }) => {
      this.received += encodedDataLength;
    });
  }

  static async arrive(browser: Browser, site: Site): Promise<Owner> {
    const visitor = await Visitor.arrive(browser, { phone: true });
    visitor.context.setDefaultTimeout(limitMs(VISIT_TIMEOUT_MS));
    await visitor.restoreKey(site.pageUrl, site.keys.master, PASSPHRASE);
    const { page } = visitor;
    await page.addInitScript(NOTE_MARKS);
    const devtools = await visitor.context.newCDPSession(page);
    await devtools.send('Network.enable');
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new Owner(page, devtools, site);
  }

  /** Opens the page as on a first day (`cold`), or with what the browser has kept. */
  async visit(line: Line, isCold: boolean): Promise<VisitFigures> {
    const { page, devtools } = this;
    await page.goto('about:blank');
    if (isCold) await devtools.send('Network.clearBrowserCache');
    await this.throttle(line);
    this.received = 0;
    await page.goto(this.site.pageUrl, { waitUntil: 'commit' });
    await this.waitFor('window.sealcamMarks?.picture != null');
    const bytes = this.received;
    const marks = await page.evaluate<Marks>('window.sealcamMarks');
    await this.throttle(null);
    if (marks.event === null || marks.picture === null || marks.paint === null)
      throw new Error('the page noted nothing');
    return {
      firstPaintMs: Math.round(marks.paint),
      firstEventMs: Math.round(marks.event),
      firstPictureMs: Math.round(marks.picture),
      floorMs: Math.round(line.latencyMs + (bytes * 8) / line.kbitPerSecond),
      bytes,
      longMs: Math.round(marks.longMs),
    };
  }

  /**
   * Opens the page and scrolls through its first pictures. Without its worker the page opens them in its own thread.
   */
  async scroll(pictures: number, hasWorker: boolean): Promise<MainThreadFigures> {
    const { page } = this;
    await page.route('**/opener-*.js', (route) => (hasWorker ? route.continue() : route.abort()));
    await this.visit(FAST, false);
    await page.waitForTimeout(CHANGE_WINDOW_MS);
    const spent = await this.meter();
    for (let i = 0; i < pictures; i += PICTURES_PER_STEP) {
      const last = `document.querySelectorAll('.card')[${String(i + PICTURES_PER_STEP - 1)}]`;
      // Again each time: older events move what was the end of the list.
      await this.waitFor(`(${last}?.scrollIntoView(), ${last}?.querySelector('img')?.complete)`);
    }
    const figures = await spent();
    await page.unrouteAll();
    return figures;
  }

  /** Scrolls and presses "Show older events" until this many records were loaded, or there are no more. */
  async loadAll(progress: (text: string) => void): Promise<void> {
    const { page } = this;
    const more = page.getByRole('button', { name: 'Show older events' });
    for (let round = 0; (await more.count()) > 0; round++) {
      await page.evaluate("document.querySelector('.more')?.scrollIntoView()");
      await page.evaluate("document.querySelector('.more')?.click()");
      await this.waitFor("document.querySelector('.more')?.disabled !== true");
      if (round % 20 === 0) progress(`${String(await page.locator('.card').count())} events in the document`);
    }
  }

  /** Sends an event of a camera. Returns what it cost. */
  async change(index: number): Promise<MainThreadFigures> {
    const { page } = this;
    await page.evaluate('window.scrollTo(0, 0)');
    await page.waitForTimeout(CHANGE_WINDOW_MS);
    const spent = await this.meter();
    const before = await page.locator('.card').first().innerHTML();
    await this.site.sendEvent(index);
    await this.waitFor(`document.querySelector('.card')?.innerHTML !== ${JSON.stringify(before)}`);
    await page.waitForTimeout(CHANGE_WINDOW_MS);
    return spent();
  }

  /** Returns the script memory after a collection, in MiB, and the number of elements in the document. */
  async size(): Promise<{ readonly heapMiB: number; readonly elements: number }> {
    await this.devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await this.devtools.send('Runtime.getHeapUsage');
    const elements = await this.page.evaluate<number>("document.querySelectorAll('*').length");
    return { heapMiB: Math.round(usedSize / 2 ** 20), elements };
  }

  /** Returns a function that returns what the main thread has spent since. */
  private async meter(): Promise<() => Promise<MainThreadFigures>> {
    await this.page.evaluate('window.sealcamMarks.longMs = 0');
    const beforeMs = await this.cpuMs();
    return async () => ({
      cpuMs: Math.round((await this.cpuMs()) - beforeMs),
      longMs: Math.round(await this.page.evaluate<number>('window.sealcamMarks.longMs')),
    });
  }

  /** Returns the main thread's time on the processor so far. */
  private async cpuMs(): Promise<number> {
    const { metrics } = await this.devtools.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0);
  }

  /** Asks again and again: the page's content security policy forbids what Playwright's own wait would evaluate. */
  private async waitFor(condition: string): Promise<void> {
    const patience = new Patience(VISIT_TIMEOUT_MS, performance.now());
    while (!(await this.page.evaluate<boolean>(`Boolean(${condition})`))) {
      if (!patience.wait(performance.now(), slowness())) throw new Error(`the page never came to: ${condition}`);
      await this.page.waitForTimeout(POLL_MS);
    }
  }

  private async throttle(line: Line | null): Promise<void> {
    const bytesPerSecond = line === null ? -1 : (line.kbitPerSecond * 1000) / 8;
    await this.devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: line?.latencyMs ?? 0,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
  }
}

/** Runs inside the page, before its own script. This folder is compiled without a browser's types, so it is text. */
const NOTE_MARKS = `
  const marks = { event: null, picture: null, paint: null, longMs: 0 };
  window.sealcamMarks = marks;
  const observe = (type, each) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
  observe('paint', (entry) => { marks.paint ??= entry.startTime; });
  observe('longtask', (entry) => { marks.longMs += entry.duration; });
  new MutationObserver(() => {
    const event = document.querySelector('.card .card-button');
    // What stands below the screen is not there yet.
    if (event === null || event.getBoundingClientRect().top > innerHeight) return;
    marks.event ??= performance.now();
    const image = document.querySelector('.card img');
    if (image?.complete === true && image.naturalWidth > 0) marks.picture ??= performance.now();
    else image?.addEventListener('load', () => { marks.picture ??= performance.now(); }, { once: true });
  }).observe(document, { subtree: true, childList: true });`;
