import { describe, expect, it } from 'vitest';
import { memoryText } from '../../../../agent/console/layout.js';
import { parseProcessMemory, readProcessMemory } from '../../../../hal/linux/process-memory.js';

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
  });
});
