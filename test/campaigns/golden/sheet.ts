import type { GoldenName } from '../../../hal/mock-scenarios.js';
import { drawPng } from '../../../hal/image.js';
import { GOLDEN } from '../../../hal/mock/golden.js';
import { SceneRenderer } from '../../../hal/mock/renderer.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';

const COLUMNS = 4;
const ROWS = 2;
const GAP_PX = 4;

interface Cell {
  readonly name: GoldenName;
  readonly timeMs: number;
  readonly caption?: string;
}

/** Draws eight frames of a scenario, evenly over its time, as a PNG. */
export function drawSheet(name: GoldenName): Promise<Uint8Array> {
  const count = COLUMNS * ROWS;
  const stepMs = GOLDEN[name].durationMs / count;
  const cells = Array.from({ length: count }, (_, i) => ({ name, timeMs: Math.round((i + 0.5) * stepMs) }));
  return draw(cells, COLUMNS, 240);
}

/** Where a scenario without a visit is looked at. */
const USUAL_MOMENT_MS = 9800;
const VISIT_SHARE = 0.4;

/** Draws one frame of each scenario, as a PNG. */
export function drawOverview(names: readonly GoldenName[]): Promise<Uint8Array> {
  const cells = names.map((name) => {
    const { events } = GOLDEN[name];
    const [fromMs, toMs] = events[0] ?? [USUAL_MOMENT_MS, USUAL_MOMENT_MS];
    return { name, timeMs: Math.round(fromMs + (toMs - fromMs) * VISIT_SHARE), caption: name };
  });
  return draw(cells, 6, 160);
}

async function draw(cells: readonly Cell[], columns: number, width: number): Promise<Uint8Array> {
  const height = (width * SCENE_HEIGHT) / SCENE_WIDTH;
  const captionHeight = cells.some(({ caption }) => caption !== undefined) ? 14 : 0;
  const parts: string[] = [];
  for (const [i, { name, timeMs, caption }] of cells.entries()) {
    const renderer = new SceneRenderer(buildScript(GOLDEN[name].scene, name, 1));
    const { jpeg } = await renderer.render(timeMs);
    const left = (i % columns) * (width + GAP_PX);
    const top = Math.floor(i / columns) * (height + captionHeight + GAP_PX);
    const data = Buffer.from(jpeg).toString('base64');
    parts.push(
      `<image x="${String(left)}" y="${String(top)}" width="${String(width)}" height="${String(height)}" href="data:image/jpeg;base64,${data}"/>`,
    );
    if (caption !== undefined) {
      parts.push(
        `<text x="${String(left)}" y="${String(top + height + 11)}" font-family="sans-serif" font-size="11">${caption}</text>`,
      );
    }
  }
  const rows = Math.ceil(cells.length / columns);
  const sheetWidth = columns * (width + GAP_PX) - GAP_PX;
  const sheetHeight = rows * (height + captionHeight + GAP_PX);
  return drawPng(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(sheetWidth)}" height="${String(sheetHeight)}"><rect width="100%" height="100%" fill="#ffffff"/>${parts.join('')}</svg>`,
  );
}
