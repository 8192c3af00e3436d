import { encode } from 'uqr';
import type { JSX } from './preact.js';

/** Quiet zone in modules; ISO/IEC 18004. */
const QUIET_ZONE = 4;

/** A QR code as SVG, dark on light in either theme, because scanners need that. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const { data, size } = encode(text, { border: QUIET_ZONE, ecc: 'M' });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${String(x)} ${String(y)}h1v1h-1z`] : [])))
    .join('');
  return (
    <svg class="qr" viewBox={`0 0 ${String(size)} ${String(size)}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}
