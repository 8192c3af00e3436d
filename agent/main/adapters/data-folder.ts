import { mkdirSync } from 'node:fs';
import { SealcamError } from '../../../common/errors.js';

/**
 * Makes the folder for keys, claim and outbox, readable by the agent's user only.
 *
 * @throws SealcamError `store-unavailable`
 */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SealcamError('store-unavailable', `data.folder: ${folder} cannot be made`, { cause });
  }
}
