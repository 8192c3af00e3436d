import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../../scripts/checkout.js';
import type { Outcome } from './simulate.js';

export interface Plot {
  /** docs/pictures/NAME.svg */
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly outageMs: number;
  /** Drawn as a horizontal line; null without a limit. */
  readonly capacityPerS: number | null;
}

type Curve = Pick<Outcome, 'name' | 'perSecond' | 'peakPerS'>;

const WIDTH = 860;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 70;
/** Labels of minutes that fit beside each other. */
const LABELS_MAX = 15;
/** Colours distinct on light and dark pages, and dashes for readers who cannot tell colours apart. */
const LINES = [
  ['#0f766e', ''],
  ['#7c3aed', '7 3'],
  ['#c2410c', '2 3'],
  ['#2563eb', '9 3 2 3'],
  ['#6b7280', '1 2'],
] as const;

/** Writes a chart of what happens in each second, on a logarithmic scale, to docs/pictures/. */
export function plot({ name, title, seconds, outageMs, capacityPerS }: Plot, outcomes: readonly Curve[]): void {
  const top = Math.max(...outcomes.map(({ peakPerS }) => peakPerS));
  const x = (second: number): number => LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT);
  const y = (rate: number): number =>
    HEIGHT - BOTTOM - (Math.log10(Math.max(1, rate)) / Math.log10(top)) * (HEIGHT - TOP - BOTTOM);
  const parts: string[] = [];
  for (let power = 0; 10 ** power <= top; power++) {
    const at = y(10 ** power).toFixed(1);
    parts.push(`<line class="grid" x1="${String(LEFT)}" x2="${String(WIDTH - RIGHT)}" y1="${at}" y2="${at}"/>`);
    parts.push(
      `<text class="axis" x="${String(LEFT - 8)}" y="${at}" text-anchor="end" dy="4">${(10 ** power).toLocaleString('en')}</text>`,
    );
  }
  const stepS = seconds > LABELS_MAX * 60 ? 600 : 60;
  for (let second = 0; second <= seconds; second += stepS) {
    parts.push(
      `<text class="axis" x="${x(second).toFixed(1)}" y="${String(HEIGHT - BOTTOM + 18)}" text-anchor="middle">${String(second)} s</text>`,
    );
  }
  const outageEnds = x(outageMs / 1000).toFixed(1);
  parts.push(
    `<line class="mark" x1="${outageEnds}" x2="${outageEnds}" y1="${String(TOP)}" y2="${String(HEIGHT - BOTTOM)}"/>`,
  );
  if (capacityPerS !== null) {
    const limit = y(capacityPerS).toFixed(1);
    parts.push(`<line class="mark" x1="${String(LEFT)}" x2="${String(WIDTH - RIGHT)}" y1="${limit}" y2="${limit}"/>`);
    parts.push(
      `<text class="axis" x="${String(WIDTH - RIGHT)}" y="${limit}" text-anchor="end" dy="-4">capacity of the brokers</text>`,
    );
  }
  for (const [i, { name: client, perSecond }] of [...outcomes.entries()].reverse()) {
    const [color, dash] = LINES[i] ?? LINES[0];
    const points = Array.from({ length: seconds }, (_, second) => {
      return `${x(second).toFixed(1)},${y(perSecond[second] ?? 0).toFixed(1)}`;
    }).join(' ');
    parts.push(
      `<polyline fill="none" stroke="${color}" stroke-width="${i === 0 ? '2.6' : '1.4'}" stroke-dasharray="${dash}" points="${points}"/>`,
    );
    const lx = LEFT + (i % 3) * 250;
    const ly = HEIGHT - 28 + Math.floor(i / 3) * 18;
    parts.push(
      `<line x1="${String(lx)}" x2="${String(lx + 26)}" y1="${String(ly - 4)}" y2="${String(ly - 4)}" stroke="${color}" stroke-width="2.6" stroke-dasharray="${dash}"/>`,
    );
    parts.push(`<text class="axis" x="${String(lx + 32)}" y="${String(ly)}">${client}</text>`);
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" aria-label="${title}">
<style>
  rect { fill: #ffffff } text { font: 12px system-ui, sans-serif; fill: #1a222c } .title { font-weight: 600; font-size: 14px }
  .grid { stroke: #d6d3cb; stroke-width: 0.6 } .mark { stroke: #9b1128; stroke-width: 1; stroke-dasharray: 4 4 }
</style>
<rect width="${String(WIDTH)}" height="${String(HEIGHT)}"/>
<text class="title" x="${String(LEFT)}" y="20">${title}</text>
${parts.join('\n')}
</svg>
`;
  const folder = join(checkout, 'docs', 'pictures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), svg);
}
