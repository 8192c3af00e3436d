import { isSealcamError } from '../../common/errors.js';

/** The error code, or `accepted`; anything but the typed error is a fault of ours and is thrown on. */
export function codeOf(action: () => unknown): string {
  try {
    action();
    return 'accepted';
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}

export async function asyncCodeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return 'accepted';
  } catch (error) {
    if (isSealcamError(error)) return error.code;
    throw error;
  }
}
