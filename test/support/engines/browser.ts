import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPage } from '../../../scripts/build-page.js';
import { launchChromium } from '../../../scripts/chromium.js';
import { freePort } from '../../../scripts/free-port.js';
import { servePage } from '../../../scripts/page-server.js';
import { limitMs } from '../runner/speed.js';
import { cheapRecoveryFile } from '../recovery-file.js';
import { tempFolder } from '../runner/temp.js';
import { program } from './tools.js';
import { repository } from '../vectors.js';

/** Limit of one action of a visitor on an idle machine. */
const ACTION_MS = 30_000;

/** Starts the system's Chromium. */
export function launch(): Promise<Browser> {
  return launchChromium(program('chromium'));
}

/** Builds the page into `folder` and serves it on an origin of its own, as a host would. */
export async function hostPage(
  folder: string,
  cloudOrigin: string,
  port: number,
): Promise<{ stop: () => Promise<void> }> {
  await buildPage({ outFolder: folder, cloudOrigin, demo: false });
  const server = await servePage(folder, port);
  return { stop: () => server.close() };
}

export { freePort };

/** A person with a browser of their own. Collects the origins the page sent requests to, and its console errors. */
export class Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly requests = new Set<string>();
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'blob:') this.requests.add(url.origin);
    });
    page.on('console', (message) => {
      // Some tests provoke refused requests; the browser logs each of them.
      const isExpected = message.text().includes('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !isExpected) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** Opens a browser context with an empty storage. */
  static async arrive(
    browser: Browser,
    options: { readonly phone?: boolean; readonly dark?: boolean } = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: options.phone === true ? { width: 390, height: 844 } : { width: 1280, height: 860 },
      deviceScaleFactor: 2,
      colorScheme: options.dark === true ? 'dark' : 'light',
      acceptDownloads: true,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
    });
    context.setDefaultTimeout(limitMs(ACTION_MS));
    return new Visitor(context, await context.newPage());
  }

  /** Makes a key and saves its recovery file; returns the file's text. */
  async makeKey(url: string, passphrase: string): Promise<string> {
    const { page } = this;
    await page.goto(url);
    await page.getByRole('button', { name: 'Make my key' }).click();
    await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await page.getByLabel('Repeat it').fill(passphrase);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Make my key and save the file' }).click();
    const download = await saving;
    const path = join(tempFolder(), 'recovery.json');
    await download.saveAs(path);
    await page.getByLabel('I have put the file').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    return readFileSync(path, 'utf8');
  }

  /** Starts with a recovery file of version 1, which holds this key alone and opens fast. */
  async restoreKey(url: string, master: Uint8Array, passphrase: string): Promise<void> {
    const { page } = this;
    const path = join(tempFolder(), 'recovery.json');
    writeFileSync(path, await cheapRecoveryFile(master, passphrase));
    await page.goto(url);
    await page.getByRole('button', { name: 'I have a recovery file' }).click();
    await page.getByLabel('File').setInputFiles(path);
    await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await page.getByRole('button', { name: 'Restore my key' }).click();
    await page.getByRole('navigation').waitFor();
  }

  /** Claims a camera in the dialog that a claim link or the button opened. */
  async claimCamera(code: string, name: string): Promise<void> {
    const { page } = this;
    const dialog = page.getByRole('dialog', { name: 'Add a camera' });
    await dialog.getByLabel('Claim code').fill(code);
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByRole('button', { name: 'Make it mine' }).click();
    await dialog.getByRole('button', { name: 'Done' }).click();
  }

  /** Opens what is behind "More" of the cameras that are shown, or of one. */
  async openMore(cameras: Locator = this.page.locator('.camera')): Promise<void> {
    await cameras.first().waitFor();
    const closed = cameras.locator('.camera-more:not([open]) > summary');
    while ((await closed.count()) > 0) await closed.first().click();
  }

  /** Saves a screenshot, in docs/screens only with SEALCAM_SCREENSHOTS=1: someone must look at what is checked in. */
  async screenshot(name: string): Promise<void> {
    const folder = process.env['SEALCAM_SCREENSHOTS'] === '1' ? join(repository, 'docs', 'screens') : tempFolder();
    mkdirSync(folder, { recursive: true });
    const png = await this.page.screenshot({ type: 'png', animations: 'disabled' });
    await sharp(png)
      .resize({ width: 1600, withoutEnlargement: true })
      .jpeg({ quality: 72, mozjpeg: true })
      .toFile(join(folder, `${name}.jpg`));
  }
}
