import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurableFile } from '../../common/adapters/durable-file.js';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { sleep, type Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError, systemCode } from '../../common/errors.js';
import { DAY_MS } from '../store/rows.js';
import type { AccessCursor, AccessLine, AccessStore } from '../store/store.js';
import { archivePath, readArchive, union, writeArchive } from './access-files.js';

export interface ArchivedDay {
  readonly day: number;
  readonly path: string;
  /** Lines that left the database. */
  readonly moved: number;
  /** Lines of the file. */
  readonly lines: number;
}

const LINES_PER_READ = 5000;
/** Lines of one transaction, so that what is shown meanwhile waits for none of them. */
const LINES_PER_REMOVAL = 500;
const LOCK_FILE = 'access-archive.lock';

/** Iterates over the lines of [fromMs, untilMs) in the database, in the order of time. */
export async function* storedLines(access: AccessStore, fromMs: number, untilMs: number): AsyncGenerator<AccessLine> {
  let after: AccessCursor | null = null;
  for (;;) {
    const page: readonly AccessLine[] = await access.lines(fromMs, untilMs, after, LINES_PER_READ);
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < LINES_PER_READ) return;
  }
}

/**
 * Moves the lines before a UTC day into one file for each of their days, the oldest first. A line leaves the database when
 * its file is on the disk. What an interrupted run left, or what comes late, joins the file of its day, each line once.
 *
 * @throws SealcamError `malformed` where a file that is there cannot be read; `store-locked`; `store-unavailable`
 */
export async function archiveAccess(
  access: AccessStore,
  { folder, beforeDay, clock }: { readonly folder: string; readonly beforeDay: number; readonly clock: Clock },
  onDay: (day: ArchivedDay) => void,
): Promise<void> {
  const unlock = inFolder(folder, () => lock(folder));
  try {
    for (;;) {
      const oldestMs = await access.oldestMs();
      if (oldestMs === null || oldestMs >= beforeDay * DAY_MS) return;
      onDay(await archiveDay(access, folder, Math.floor(oldestMs / DAY_MS), clock));
    }
  } finally {
    unlock();
  }
}

async function archiveDay(access: AccessStore, folder: string, day: number, clock: Clock): Promise<ArchivedDay> {
  const path = archivePath(folder, day);
  // Exactly the lines that were read are removed: one that comes meanwhile is for the next round.
  const ids: number[] = [];
  async function* noted(): AsyncGenerator<AccessLine> {
    for await (const line of storedLines(access, day * DAY_MS, (day + 1) * DAY_MS)) {
      ids.push(line.id);
      yield line;
    }
  }
  const lines = await writeArchive(path, union(readArchive(path), noted())).catch((error: unknown) => {
    throw ofFolder(folder, error);
  });
  await access.noteArchived(day);
  for (let i = 0; i < ids.length; i += LINES_PER_REMOVAL) {
    const startedMs = clock.monotonicMs();
    await access.removeArchived(day, ids.slice(i, i + LINES_PER_REMOVAL));
    // The running cloud gets the database for as long as this took.
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs > 0) await sleep(clock, tookMs);
  }
  return { day, path, moved: ids.length, lines };
}

/** Keeps a second run out: it would write a file without the lines of this one. Returns what lets the next one in. */
function lock(folder: string): () => void {
  makePrivateFolder(folder);
  const path = join(folder, LOCK_FILE);
  const isRunning = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return systemCode(error) === 'EPERM';
    }
  };
  for (let attempt = 0; ; attempt++) {
    try {
      writeDurableFile(path, String(process.pid), {
        isExclusive: true,
        temporaryPath: `${path}.${String(process.pid)}`,
      });
      return () => {
        rmSync(path, { force: true });
      };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const pid = Number(readFileSync(path, 'utf8'));
    if (attempt > 0 || isRunning(pid)) {
      throw new SealcamError('store-locked', `${folder}: process ${String(pid)} is archiving there`, {
        hint: `Wait for it. If it runs on another machine and was killed, remove ${path}.`,
      });
    }
    rmSync(path, { force: true });
  }
}

function inFolder<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw ofFolder(folder, error);
  }
}

/** Returns what the operating system refused as an error with a code. */
function ofFolder(folder: string, error: unknown): unknown {
  const code = systemCode(error);
  if (isSealcamError(error) || code === undefined) return error;
  return new SealcamError('store-unavailable', `${folder} cannot be written: ${code}`, {
    cause: error,
    hint: 'Nothing was removed. Check the folder, its permissions and the free space.',
  });
}
