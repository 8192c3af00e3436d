import { readFileSync } from 'node:fs';
import { writeDurableFile } from '../../../common/adapters/durable-file.js';
import { guard } from '../../../common/guard.js';
import type { Log } from '../../../common/log.js';

/** Starts of the agent: ever, and since the board booted. */
export interface StartCount {
  readonly starts: number;
  readonly startsSinceBoot: number;
}

/** More digits than any camera reaches; a file that holds more was damaged. */
const LINE = /^([0-9a-f]{32}) (\d{1,9}) (\d{1,9})\n$/;

/**
 * Counts a start in a file of one line: boot id, starts since that boot, starts ever. A file that cannot be read or written
 * begins at 1; it must not keep a camera from starting.
 */
export function countStart(path: string, boot: string, log: Log): StartCount {
  const [, lastBoot, sinceBoot, ever] = LINE.exec(readText(path)) ?? [];
  const count = {
    starts: Number(ever ?? 0) + 1,
    startsSinceBoot: lastBoot === boot ? Number(sinceBoot) + 1 : 1,
  };
  const line = `${boot} ${String(count.startsSinceBoot)} ${String(count.starts)}\n`;
  guard(log, 'the starts of the agent are not counted', () => {
    writeDurableFile(path, Buffer.from(line));
  });
  return count;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
