import { mkdirSync } from 'node:fs';
import { SealcamError } from '../../../common/errors.js';

/** Keys, claim and queue live here; only the agent's own user may look. @throws SealcamError `store-unavailable` */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SealcamError('store-unavailable', `data.folder: ${folder} cannot be made`, { cause });
  }
}
