import { writeFileSync } from 'node:fs';
import { toHex } from '../../common/bytes.js';
import type { ClaimedCamera } from './claimed-data.js';

/** Origin of the page that looks, of which there is only the client. */
export const LOOKER_ORIGIN = 'http://page.example';

/** Writes what looker.ts reads: with it anybody can look through this camera, which shows a drawn scene. */
export function writeLookerFile(path: string, { owner, claim }: ClaimedCamera): void {
  writeFileSync(path, `${toHex(owner.master)}\n${toHex(claim.bytes)}\n`, { mode: 0o600 });
}
