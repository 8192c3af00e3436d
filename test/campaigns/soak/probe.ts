import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { slopeOf } from '../../../scripts/least-squares.js';

/** Resources of one process, as the kernel counts them. */
export interface Sample {
  readonly atS: number;
  readonly rssKiB: number;
  readonly anonKiB: number;
  readonly handles: number;
  /** Size of all files in the data folder. */
  readonly fileBytes: number;
  /** As the process itself reports it on SIGUSR2; null in samples that did not ask. */
  readonly heap: Heap | null;
}

export interface Heap {
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** Measures a process. Returns null once it is gone. */
export function probe(pid: number, folder: string, atS: number, heap: Heap | null): Sample | null {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
    return {
      atS,
      heap,
      rssKiB: field('VmRSS'),
      anonKiB: field('RssAnon'),
      fileBytes: bytesBelow(folder),
      handles: readdirSync(`/proc/${String(pid)}/fd`).length,
    };
  } catch {
    return null;
  }
}

function bytesBelow(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (stat?.isFile() === true ? stat.size : 0);
  }, 0);
}

/** Returns the growth an hour by least squares; null with fewer than three samples. */
export function slopePerHour(points: readonly (readonly [atS: number, value: number])[]): number | null {
  const slope = points.length < 3 ? null : slopeOf(points);
  return slope === null ? null : 3600 * slope;
}
