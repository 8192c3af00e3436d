import { makePrivateFolder } from '../../../common/adapters/private-files.js';
import { SealcamError } from '../../../common/errors.js';

/**
 * Makes the folder for keys, claim and outbox, readable by the agent's user only.
 *
 * @throws SealcamError `store-unavailable`
 */
export function makeDataFolder(folder: string): void {
  try {
    makePrivateFolder(folder);
  } catch (cause) {
    throw new SealcamError('store-unavailable', `data.folder: ${folder} cannot be made`, { cause });
  }
}
