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

/** Returns the own memory of all children of a process and of theirs together, in bytes. */
export function readChildrenMemory(pid: number): number {
  let children: string;
  try {
    children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  } catch {
    return 0;
  }
  const pids = children.split(' ').map(Number);
  const below = (child: number): number => (readProcessMemory(child)?.ownMemoryBytes ?? 0) + readChildrenMemory(child);
  return pids.reduce((sum, child) => sum + (child > 0 ? below(child) : 0), 0);
}

/** Reads the text of /proc/PID/status; null where it names no memory. */
export function parseProcessMemory(status: string): ProcessMemory | null {
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  const memory = { memoryBytes: bytes('VmRSS'), ownMemoryBytes: bytes('RssAnon') };
  return Number.isNaN(memory.memoryBytes + memory.ownMemoryBytes) ? null : memory;
}
