import { chromium, type Browser } from 'playwright-core';

export type { Browser, Page } from 'playwright-core';

/** Returns the program of the system's Chromium, or of the one that SEALCAM_CHROMIUM names. */
export function chromiumPath(): string {
  return process.env['SEALCAM_CHROMIUM'] ?? '/usr/bin/chromium-headless-shell';
}

/** Starts the system's Chromium without its background services. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
