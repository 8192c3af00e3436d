import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { memoryText } from '../../../../agent/console/layout.js';
import { parseProcessMemory, readChildrenMemory, readProcessMemory } from '../../../../hal/linux/process-memory.js';
import { readProcessorSeconds } from '../../../../hal/linux/process-time.js';
import { afterThisTest } from '../../../support/runner/after-test.js';

const STATUS = 'Name:\tnode\nVmHWM:\t   90000 kB\nVmRSS:\t   70000 kB\nRssAnon:\t   21504 kB\nRssFile:\t   48496 kB\n';

describe('the memory of a process', () => {
  it('is what it has of its own, and what is resident', () => {
    expect(parseProcessMemory(STATUS)).toEqual({ memoryBytes: 70_000 * 1024, ownMemoryBytes: 21 * 1024 ** 2 });
    expect(parseProcessMemory('Name:\tkthreadd\n')).toBeNull();
    expect(readProcessMemory(2 ** 30)).toBeNull();
  });

  it('is named, so that nobody takes one for the other', () => {
    const memory = { memoryBytes: 70 * 1024 ** 2, ownMemoryBytes: 21 * 1024 ** 2 };
    expect(memoryText(memory)).toBe('21.0 MiB of its own, 70.0 MiB resident');
    expect(memoryText({ ...memory, ownMemoryBytes: null })).toBe('70.0 MiB resident');
  });

  it.runIf(process.platform === 'linux')('of this one is there', () => {
    const memory = readProcessMemory('self');
    expect(memory?.ownMemoryBytes).toBeGreaterThan(1024 ** 2);
    expect(memory?.memoryBytes).toBeGreaterThan(memory?.ownMemoryBytes ?? Infinity);
    const before = readProcessorSeconds(process.pid);
    const { user, system } = process.cpuUsage();
    expect(Math.abs(before - (user + system) / 1e6)).toBeLessThan(1);
  });

  it.runIf(process.platform === 'linux')('of children counts those of children too', async () => {
    // Keeps 32 MiB of its own, two processes below this one.
    const grandchild =
      'const b = Buffer.alloc(32 << 20, 1); process.stdout.write("ready"); process.stdin.once("end", () => b).resume()';
    const shell = spawn('sh', ['-c', '"$0" -e "$1"; true', process.execPath, grandchild], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    afterThisTest(() => void shell.stdin.end());
    await once(shell.stdout, 'data');
    const alone = readProcessMemory(shell.pid ?? 0)?.ownMemoryBytes ?? Infinity;
    expect(alone).toBeLessThan(8 * 1024 ** 2);
    expect(readChildrenMemory(process.pid)).toBeGreaterThan(32 * 1024 ** 2);
    expect(readChildrenMemory(shell.pid ?? 0)).toBeGreaterThan(32 * 1024 ** 2);
  });
});
