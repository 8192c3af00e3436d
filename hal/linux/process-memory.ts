import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** Resident memory, in bytes. */
  readonly memoryBytes: number;
  /** What of it no file backs (RssAnon): heap, stacks. */
  readonly ownMemoryBytes: number;
}

/** Returns the memory of a process. Null where the kernel is not Linux, or where that process is gone or hidden. */
export function readProcessMemory(pid: number | 'self'): ProcessMemory | null {
  try {
    return parseProcessMemory(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return null;
  }
}

/** Reads the text of /proc/PID/status; null where it names no memory. */
export function parseProcessMemory(status: string): ProcessMemory | null {
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  const memory = { memoryBytes: bytes('VmRSS'), ownMemoryBytes: bytes('RssAnon') };
  return Number.isNaN(memory.memoryBytes + memory.ownMemoryBytes) ? null : memory;
}
