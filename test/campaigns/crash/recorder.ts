import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { SealcamError } from '../../../common/errors.js';
import { checkout } from '../../../scripts/checkout.js';

/** One change to the folder. Files are identified by their inode. */
export type Change =
  | { readonly kind: 'create'; readonly file: string; readonly name: string }
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  | { readonly kind: 'sync'; readonly file: string }
  | { readonly kind: 'sync-folder' }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'read'; readonly file: string; readonly bytes: number }
  /** A report of the process, at its place between the changes. */
  | { readonly kind: 'report'; readonly text: string };

const HEAD_BYTES = 21;

/** Reads the log of recorder.c: every change to the folder, in order. */
export function readLog(path: string): Change[] {
  const log = readFileSync(path);
  const changes: Change[] = [];
  for (let i = 0; i < log.length;) {
    const type = String.fromCharCode(log.readUInt8(i));
    const file = log.readBigUInt64LE(i + 1).toString();
    const at = Number(log.readBigUInt64LE(i + 9));
    const length = log.readUInt32LE(i + 17);
    changes.push(changeOf(type, file, at, log.subarray(i + HEAD_BYTES, i + HEAD_BYTES + length)));
    i += HEAD_BYTES + length;
  }
  return changes;
}

function changeOf(type: string, file: string, at: number, data: Buffer): Change {
  const text = (): string => data.toString();
  if (type === 'W') return { kind: 'write', file, at, data };
  if (type === 'S') return { kind: 'sync', file };
  if (type === 'D') return { kind: 'sync-folder' };
  if (type === 'C') return { kind: 'create', file, name: text() };
  if (type === 'T') return { kind: 'truncate', file, size: at };
  if (type === 'U') return { kind: 'unlink', name: text() };
  if (type === 'R') return { kind: 'read', file, bytes: at };
  if (type === 'P') return { kind: 'report', text: text() };
  const [from, to] = text().split('/');
  if (from === undefined || to === undefined) throw new Error(`the recorder wrote "${type}"`);
  return { kind: type === 'L' ? 'link' : 'rename', from, to };
}

/**
 * Compiles the recorder into a folder.
 * @throws SealcamError `tool-missing` where there is no C compiler, or no LD_PRELOAD
 */
export function buildRecorder(folder: string): string {
  if (platform() !== 'linux') throw new SealcamError('tool-missing', 'the recorder needs Linux: it is preloaded');
  const library = join(folder, 'recorder.so');
  const source = join(checkout, 'test', 'campaigns', 'crash', 'recorder.c');
  const { error, status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  });
  if (error !== undefined) throw new SealcamError('tool-missing', 'the recorder needs a C compiler (apt install gcc)');
  if (status !== 0) throw new Error(`recorder.c does not compile: ${stderr}`);
  return library;
}

/**
 * Which calls fail. Classes: w write, s sync, o open, n names, r read; `first` counts from 1 among calls of those
 * classes.
 */
export interface Failing {
  readonly errno: 'ENOSPC' | 'EIO' | 'EROFS';
  readonly first: number;
  readonly count: number;
  readonly classes: string;
}

const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;

export interface Watch {
  readonly library: string;
  readonly folder: string;
  readonly log?: string;
  readonly killAt?: number;
  readonly failing?: Failing;
}

/** File descriptor on which a worker reports. */
export const REPORT_FD = 3;

/** Returns the environment of a process whose changes are recorded. */
export function watched({ library, folder, log, killAt, failing }: Watch): Record<string, string> {
  return {
    LD_PRELOAD: library,
    CRASH_FOLDER: folder,
    CRASH_REPORT_FD: String(REPORT_FD),
    ...(log === undefined ? {} : { CRASH_LOG: log }),
    ...(killAt === undefined ? {} : { CRASH_KILL_AT: String(killAt) }),
    ...(failing === undefined
      ? {}
      : {
          CRASH_FAIL: [ERRNO[failing.errno], failing.first, failing.count, failing.classes].join(':'),
        }),
  };
}
