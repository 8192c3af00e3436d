import type { GoldenName } from '../../../hal/mock-scenarios.js';
import { drawPng } from '../../../hal/image.js';
import { GOLDEN } from '../../../hal/mock/golden.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';

const COLUMNS = 4;
const ROWS = 2;
const WIDTH = 240;
const HEIGHT = 135;
const GAP = 4;

/** Draws eight frames of a scenario, evenly over its time, as a PNG. */
export async function drawSheet(name: GoldenName): Promise<Uint8Array> {
  const { scene, durationMs } = GOLDEN[name];
  const renderer = new SceneRenderer(buildScript(scene, name, 1));
  const cells: string[] = [];
  for (let i = 0; i < COLUMNS * ROWS; i++) {
    const { jpeg } = await renderer.render(Math.round(((i + 0.5) * durationMs) / (COLUMNS * ROWS)));
    const left = (i % COLUMNS) * (WIDTH + GAP);
    const top = Math.floor(i / COLUMNS) * (HEIGHT + GAP);
    const data = Buffer.from(jpeg).toString('base64');
    cells.push(
      `<image x="${String(left)}" y="${String(top)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" href="data:image/jpeg;base64,${data}"/>`,
    );
  }
  const width = COLUMNS * (WIDTH + GAP) - GAP;
  const height = ROWS * (HEIGHT + GAP) - GAP;
  return drawPng(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}">${cells.join('')}</svg>`,
  );
}
