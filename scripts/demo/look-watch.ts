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
  /** From a stored record of an event to the cloud, while somebody looks: at its camera, and at another one. */
  readonly record_to_cloud_ms: {
    readonly looked_at: RecordFigure;
    readonly others: RecordFigure;
    readonly ratio: number | null;
  };
}

interface RecordFigure {
  readonly records: number;
  readonly p50: number;
}

/** A record of an event that reached the cloud. */
export interface LeftRecord {
  /** Name of its camera. */
  readonly camera: string;
  /** By the wall clock, as all of this machine. */
  readonly atMs: number;
  readonly toCloudMs: number;
}

interface Looked {
  readonly camera: string;
  readonly fromMs: number;
  readonly toMs: number;
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
  camera: (document.querySelector('.look')?.getAttribute('aria-label') ?? '').replace('Live: ', ''),
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

  /** @param ends returns how the looks that ended so far were signed; `records` those of events so far */
  async run(ends: () => readonly LookEnd[], records: () => readonly LeftRecord[]): Promise<LookSummary> {
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
      return { ...summaryOf(looked, ends(), areTwo), record_to_cloud_ms: besideLooks(looked, records()) };
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
    const fromMs = realClock.wallMs();
    await sleep(realClock, LOOK_MS);
    if (isShown && this.screenshot !== null) await page.screenshot({ path: this.screenshot });
    const seen: Pick<Looked, 'camera' | 'handedMs' | 'frames'> = await page.evaluate(READ_FIGURES);
    const toMs = realClock.wallMs();
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    return { firstPaintedMs, fromMs, toMs, ...seen };
  }
}

function summaryOf(
  looked: readonly Looked[],
  ends: readonly LookEnd[],
  areTwo: boolean,
): Omit<LookSummary, 'record_to_cloud_ms'> {
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

/** Compares cameras at the same time, so that the browser's load on this machine is the same for both. */
function besideLooks(looked: readonly Looked[], records: readonly LeftRecord[]): LookSummary['record_to_cloud_ms'] {
  const at = ({ atMs }: LeftRecord): readonly Looked[] =>
    looked.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  const during = records.filter((record) => at(record).length > 0);
  const isSeen = (record: LeftRecord): boolean => at(record).some(({ camera }) => camera === record.camera);
  const figure = (of: readonly LeftRecord[]): RecordFigure => ({
    records: of.length,
    p50: of.length === 0 ? 0 : percentiles(of.map(({ toCloudMs }) => toCloudMs)).p50,
  });
  const [seen, others] = [figure(during.filter(isSeen)), figure(during.filter((record) => !isSeen(record)))];
  const ratio = seen.p50 === 0 || others.p50 === 0 ? null : Math.round((100 * seen.p50) / others.p50) / 100;
  return { looked_at: seen, others, ratio };
}
