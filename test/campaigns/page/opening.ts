import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64 } from '../../../common/bytes.js';
import type { Opening } from '../../../app/core/opener.js';
import { ownerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import { encodeContent } from '../../../protocol/seal/content.js';
import { wrapKey } from '../../../protocol/seal/key-record.js';
import { beginPeriod } from '../../../protocol/seal/period.js';
import { seal } from '../../../protocol/seal/seal.js';
import { build } from '../../../scripts/esbuild.js';
import { checkout } from '../../../scripts/checkout.js';

/** A picture as large as most, and as many as a screen holds. */
const PICTURE_BYTES = 20_000;
const PICTURES = 24;
const ROUNDS = 7;
/** A secure origin, of which WebCrypto is a part. */
const ORIGIN = 'http://127.0.0.1:1/';

/** Milliseconds for one picture in the page's own thread: the median of all rounds but the first, which warms up. */
export interface OpeningFigures {
  readonly suite_1_ms: number;
  readonly suite_2_ms: number;
  readonly ratio: number;
  /** A period opened for the first time, by the browser's X-Wing where it has it, and by the library: with one screen of pictures. */
  readonly first_screen_ms: { readonly suite_1: number; readonly suite_2: number; readonly suite_2_library: number };
}

/** Times opening in Chromium, suite 1 beside suite 2. */
export async function timeOpening(browser: Browser, folder: string): Promise<OpeningFigures> {
  const outfile = join(folder, 'opening.js');
  const entry = join(checkout, 'test', 'support', 'contracts', 'opening-time-in-browser.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'iife',
    external: ['crypto'],
    logLevel: 'warning',
  });
  const page = await browser.newPage();
  try {
    await page.route(`${ORIGIN}**`, (route) => route.fulfill({ contentType: 'text/html', body: '<title>x</title>' }));
    const work = await sealedWork();
    const run = async (suite: 1 | 2, by: 'browser' | 'library'): Promise<number[]> => {
      await page.goto(ORIGIN);
      await page.addScriptTag({ path: outfile });
      // As text: this program is compiled for Node, which has no window.
      const call = `timeOpening(${JSON.stringify(work[suite])}, ${JSON.stringify(by)}, ${String(ROUNDS)})`;
      return page.evaluate<number[]>(call);
    };
    const one = await run(1, 'library');
    const two = await run(2, 'browser');
    const library = await run(2, 'library');
    const first = ([ms = 0]: readonly number[]): number => ms * PICTURES;
    return {
      suite_1_ms: median(one.slice(1)),
      suite_2_ms: median(two.slice(1)),
      ratio: median(two.slice(1)) / median(one.slice(1)),
      first_screen_ms: { suite_1: first(one), suite_2: first(two), suite_2_library: first(library) },
    };
  } finally {
    await page.close();
  }
}

/** The same pictures, sealed to one person with either suite, as text. */
async function sealedWork(): Promise<Record<1 | 2, string>> {
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const household = {
    device: realRandom.bytes(32),
    account: realRandom.bytes(16),
    epoch: 1,
    claimHash: realRandom.bytes(32),
  };
  const { keyRecord, period } = await beginPeriod({
    suite: nodeSuite,
    random: realRandom,
    context: household,
    recipients: [xwingKeys(nodeSuite, keys.kemSeed).publicKey],
    wrap: (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job)),
  });
  const { periodId, commit, sealed } = keyRecord;
  const context = { ...household, periodId };
  const key = { record: realRandom.bytes(32), context, commit, body: sealed.body, recipients: 1, own: 0 };
  const openings: Record<1 | 2, Opening[]> = { 1: [], 2: [] };
  for (let i = 0; i < PICTURES; i++) {
    const place = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'thumbnail' as const };
    const content = { detail: {}, jpeg: realRandom.bytes(PICTURE_BYTES) };
    const where = { ...household, ...place };
    const recipients = [keys.recipient.publicKey];
    const one = seal({ suite: nodeSuite, random: realRandom, context: where, recipients, content });
    openings[1].push({ context: where, sealed: one, period: null });
    const { header, body } = period.seal(place, encodeContent(content));
    openings[2].push({ context: where, sealed: { header, body }, period: key });
  }
  const { recipient, kemSeed } = keys;
  const text = (suite: 1 | 2): string =>
    JSON.stringify({ keys: { recipient, kemSeed }, openings: openings[suite] }, (_name, value: unknown) =>
      value instanceof Uint8Array ? `base64:${toBase64(value)}` : value,
    );
  return { 1: text(1), 2: text(2) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
