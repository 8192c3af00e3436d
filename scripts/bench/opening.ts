import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkout } from '../checkout.js';
import { TOOL_MISSING_STATUS } from '../command.js';
import { round, type Figure } from './measure.js';

interface Printed {
  readonly opening: { readonly suite_1_ms: number; readonly suite_2_ms: number; readonly ratio: number };
}

/** Times opening a picture in Chromium as `npm run page:bench` does, in its process. Returns null without Chromium. */
export async function benchOpening(progress: (text: string) => void): Promise<Figure | null> {
  progress('open a picture in Chromium …');
  const program = join(checkout, 'dist', 'test', 'campaigns', 'page', 'page.js');
  const page = spawn(process.execPath, [program, '--visits', '0', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  page.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const status = await new Promise((resolve) => page.once('close', resolve));
  if (status === TOOL_MISSING_STATUS) return null;
  const { suite_1_ms, suite_2_ms, ratio } = (JSON.parse(text) as Printed).opening;
  return {
    name: 'open a picture in suite 2 in Chromium',
    us: round(1000 * suite_2_ms),
    floor: 'suite 1 in Chromium',
    floorUs: round(1000 * suite_1_ms),
    ratio: round(ratio),
    spread: null,
  };
}
