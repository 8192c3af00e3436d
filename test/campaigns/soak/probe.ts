import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What one process holds, as the kernel counts it. */
export interface Sample {
  readonly atS: number;
  readonly rssKiB: number;
  readonly anonKiB: number;
  readonly handles: number;
  /** Everything below the data folder. */
  readonly fileBytes: number;
  /** From inside, through the inspector; null where it was not asked. */
  readonly heap: Heap | null;
}

export interface Heap {
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** Null once the process is gone. */
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

/** Growth an hour, by least squares; null with fewer than three samples. */
export function slopePerHour(points: readonly (readonly [atS: number, value: number])[]): number | null {
  if (points.length < 3) return null;
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [t, v] = [mean(([at]) => at), mean(([, value]) => value)];
  const across = points.reduce((sum, [at, value]) => sum + (at - t) * (value - v), 0);
  const along = points.reduce((sum, [at]) => sum + (at - t) ** 2, 0);
  return along === 0 ? null : (3600 * across) / along;
}
