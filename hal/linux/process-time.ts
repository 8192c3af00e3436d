import { readFileSync } from 'node:fs';

/** The kernel's unit of processor time, everywhere. */
const TICKS_PER_SECOND = 100;

/** Returns the processor time that a process took so far, without that of its children, in seconds. */
export function readProcessorSeconds(pid: number): number {
  // The name stands in parentheses, and may hold some itself.
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user = NaN, system = NaN] = fields.slice(11, 13).map(Number);
  return (user + system) / TICKS_PER_SECOND;
}
