import { sharp } from './images.js';

/** Below the page's folder; the manifest and index.html name them. */
const ICONS = [
  { path: 'icons/icon-192.png', size: 192, isFull: false },
  { path: 'icons/icon-512.png', size: 512, isFull: false },
  // Systems cut these into a shape of their own, so the colour goes to the edge. The sign stays within 40 % of the middle.
  { path: 'icons/maskable-512.png', size: 512, isFull: true },
  { path: 'icons/apple-touch-icon.png', size: 180, isFull: true },
] as const;
const SVG_DPI = 72;
const SVG_PX = 64;

/** Draws the icons of an installed page from the one that is checked in. */
export async function pageIcons(svg: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const full = svg.replace(/<rect([^>]*?) rx="[^"]*"/, '<rect$1');
  if (full === svg) throw new Error('icon.svg has no rounded rectangle behind its sign');
  const drawn = await Promise.all(
    ICONS.map(async ({ path, size, isFull }): Promise<[string, Uint8Array]> => {
      const image = sharp(Buffer.from(isFull ? full : svg), { density: (SVG_DPI * size) / SVG_PX });
      const png = await image.resize(size, size).png({ compressionLevel: 9, palette: true }).toBuffer();
      return [path, png];
    }),
  );
  return new Map(drawn);
}
