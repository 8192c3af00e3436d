import { Patience, slowness } from './speed.js';

const LOOK_EVERY_MS = 25;

/**
 * Waits until a condition holds.
 *
 * @param timeoutMs on an idle machine; longer where this one is slow or shared
 * @throws an error that names what was waited for
 */
export async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const startMs = performance.now();
  const patience = new Patience(timeoutMs, startMs);
  while (!(await check())) {
    const nowMs = performance.now();
    if (!patience.wait(nowMs, slowness())) {
      throw new Error(`waited ${String(timeoutMs)} ms (${(nowMs - startMs).toFixed(0)} ms here) for: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
