import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countStart } from '../../../../agent/main/adapters/start-count.js';
import { silentLog } from '../../../../common/log.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';

const BOOT = 'ab'.repeat(16);
const NEXT_BOOT = 'cd'.repeat(16);

describe('the starts of the agent', () => {
  it('are counted since the boot, and ever', () => {
    const path = join(tempFolder(), 'starts');
    const counts = [BOOT, BOOT, BOOT, NEXT_BOOT, NEXT_BOOT].map((boot) => countStart(path, boot, silentLog));
    expect(counts.map(({ startsSinceBoot, starts }) => [startsSinceBoot, starts])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it('begin at one where the file is damaged, and a folder that cannot be written keeps no camera from starting', () => {
    const folder = tempFolder();
    const path = join(folder, 'starts');
    for (const text of ['', 'x', `${BOOT} 1`, `${BOOT} 1 99999999999\n`, `${BOOT} -1 2\n`]) {
      writeFileSync(path, text);
      expect(countStart(path, BOOT, silentLog)).toEqual({ starts: 1, startsSinceBoot: 1 });
      expect(readFileSync(path, 'utf8')).toBe(`${BOOT} 1 1\n`);
    }
    const log: LogEntry[] = [];
    mkdirSync(join(folder, 'taken.new', 'x'), { recursive: true });
    expect(countStart(join(folder, 'taken'), BOOT, testLog(log))).toEqual({ starts: 1, startsSinceBoot: 1 });
    expect(log).toHaveLength(1);
  });
});
