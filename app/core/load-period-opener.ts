import { SealcamError } from '../../common/errors.js';
import type * as PeriodOpenerPart from './period-opener.js';

/**
 * Loads the part of the page that has ML-KEM, when something of version 2 is opened or claimed for the first time.
 * @throws SealcamError `cloud-unreachable`
 */
export async function loadPeriodOpener(): Promise<typeof PeriodOpenerPart> {
  try {
    return await import('./period-opener.js');
  } catch (cause) {
    throw new SealcamError('cloud-unreachable', 'a part of this page could not be loaded', { cause });
  }
}
