import { realClock } from '../../common/adapters/real-clock.js';
import { sleep } from '../../common/clock.js';
import type { LookEnd } from '../../app/core/looks.js';
import { chromiumPath, launchChromium, type Browser, type Page } from '../chromium.js';
import { percentiles, type Percentiles } from './stages.js';

/** What the looks of a run came to, in a real browser. */
export interface LookSummary {
  readonly count: number;
  /** From the click to the first picture on the screen. */
  readonly first_painted_ms: Pick<Percentiles, 'p50' | 'p95'>;
  /** From a picture that was opened to the same one on the screen. */
  readonly handed_to_painted_ms: Pick<Percentiles, 'p50' | 'p95'>;
  /** Painted. */
  readonly frames: number;
  /** What the cameras signed as not sent. */
  readonly dropped: number;
  readonly seconds: number;
  readonly two_at_once: boolean;
}

interface Looked {
  readonly firstPaintedMs: number;
  readonly handedMs: readonly number[];
  readonly frames: number;
}

const LOOK_MS = 6000;
const PAGE_TIMEOUT_MS = 60_000;
/** A camera says how a look ended a second after its viewer left. */
const END_TIMEOUT_MS = 30_000;
const POLL_MS = 250;

/** Run in the page, as text, because this program has no types of a browser: the way between the two is not the viewer's. */
const clickAndWait = (number: number): string => `(async () => {
  const buttons = [...document.querySelectorAll('button')].filter(({ textContent }) => textContent.trim() === 'Look');
  const timeoutMs = ${String(PAGE_TIMEOUT_MS)};
  const startMs = performance.now();
  buttons[${String(number)} % buttons.length].click();
  while (performance.now() - startMs < timeoutMs) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (Number(document.querySelector('.look-stage')?.dataset.painted ?? 0) > 0) return performance.now() - startMs;
  }
  throw new Error('no picture: ' + (document.querySelector('.look')?.textContent ?? 'no look'));
})()`;
const READ_FIGURES = `({
  frames: Number(document.querySelector('.look-stage')?.dataset.painted ?? 0),
  handedMs: performance.getEntriesByName('sealcam-look-painted').map(({ duration }) => duration),
})`;

/** Opens the owner's page in Chromium and looks through its cameras, one look after the other and once two at the same time. */
export class LookWatch {
  private readonly link: string;
  private readonly count: number;
  private readonly screenshot: string | null;

  constructor(link: string, count: number, screenshot: string | null) {
    this.link = link;
    this.count = count;
    this.screenshot = screenshot;
  }

  /** @param ends returns how the looks that ended so far were signed */
  async run(ends: () => readonly LookEnd[]): Promise<LookSummary> {
    const browser = await launchChromium(chromiumPath());
    try {
      const [first, second] = [await this.visit(browser), await this.visit(browser)];
      const looked: Looked[] = [];
      let areTwo = false;
      for (let number = 0; number < this.count; number++) {
        const isLast = number === this.count - 1;
        const pages = number === 1 ? [first, second] : [first];
        const seen = await Promise.all(pages.map((page) => this.watch(page, number, isLast && page === first)));
        areTwo ||= seen.length === 2 && seen.every(({ frames }) => frames > 0);
        looked.push(...seen);
      }
      const endMs = realClock.monotonicMs() + END_TIMEOUT_MS;
      while (ends().length < looked.length && realClock.monotonicMs() < endMs) await sleep(realClock, POLL_MS);
      return summaryOf(looked, ends(), areTwo);
    } finally {
      await browser.close();
    }
  }

  private async visit(browser: Browser): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    await page.goto(this.link);
    await page.getByRole('navigation').getByRole('button', { name: 'Cameras', exact: true }).click();
    await page.getByRole('button', { name: 'Look', exact: true }).first().waitFor();
    return page;
  }

  private async watch(page: Page, number: number, isShown: boolean): Promise<Looked> {
    await page.evaluate('performance.clearMeasures()');
    const firstPaintedMs = Number(await page.evaluate(clickAndWait(number)));
    await sleep(realClock, LOOK_MS);
    if (isShown && this.screenshot !== null) await page.screenshot({ path: this.screenshot });
    const seen: Omit<Looked, 'firstPaintedMs'> = await page.evaluate(READ_FIGURES);
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    return { firstPaintedMs, ...seen };
  }
}

function summaryOf(looked: readonly Looked[], ends: readonly LookEnd[], areTwo: boolean): LookSummary {
  const first = percentiles(looked.map(({ firstPaintedMs }) => firstPaintedMs));
  const handed = percentiles(looked.flatMap(({ handedMs }) => handedMs));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    count: ends.length,
    first_painted_ms: { p50: first.p50, p95: first.p95 },
    handed_to_painted_ms: { p50: handed.p50, p95: handed.p95 },
    frames: sum(looked.map(({ frames }) => frames)),
    dropped: sum(ends.map(({ framesDropped }) => framesDropped)),
    seconds: sum(ends.map(({ seconds }) => seconds)),
    two_at_once: areTwo,
  };
}
