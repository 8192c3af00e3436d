import { sharp } from '../images.js';
import { renderSVG } from 'uqr';

export interface LabelContent {
  readonly device: string;
  /** The claim code, in groups of six joined by `-`. */
  readonly code: string;
  readonly link: string;
}

// Pixels of a die-cut label of 62 × 29 mm at 300 dpi.
const WIDTH = 732;
const HEIGHT = 342;
const MARGIN = 16;
const QR_SIDE = HEIGHT - 2 * MARGIN;
const GROUPS_A_LINE = 3;

/** Writes a label for a thermal printer as PNG: the QR code beside the code to type, black on white. */
export async function writeLabel(path: string, { device, code, link }: LabelContent): Promise<void> {
  const qr = await sharp(Buffer.from(renderSVG(link, { border: 2 })))
    .resize(QR_SIDE, QR_SIDE, { kernel: 'nearest' })
    .toBuffer();
  const groups = code.split('-');
  const lines = Array.from({ length: Math.ceil(groups.length / GROUPS_A_LINE) }, (_, i) =>
    groups.slice(i * GROUPS_A_LINE, (i + 1) * GROUPS_A_LINE).join('-'),
  );
  const left = QR_SIDE + 2 * MARGIN;
  const text = [
    `<text x="${String(left)}" y="52" font-size="38" font-weight="bold">sealcam</text>`,
    `<text x="${String(left)}" y="84" font-size="19">${device.slice(0, 16)}…</text>`,
    ...lines.map((line, i) => `<text x="${String(left)}" y="${String(132 + i * 40)}" font-size="27">${line}</text>`),
  ].join('');
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(WIDTH)}" height="${String(HEIGHT)}">` +
    `<rect width="100%" height="100%" fill="white"/><g font-family="monospace">${text}</g></svg>`;
  await sharp(Buffer.from(svg))
    .composite([{ input: qr, left: MARGIN, top: MARGIN }])
    .greyscale()
    .threshold(128)
    .withMetadata({ density: 300 })
    .png()
    .toFile(path);
}
