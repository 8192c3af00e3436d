import { createHash } from 'node:crypto';
import { open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { toHex } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import type { Random } from '../../common/random.js';

/** A body that has arrived whole and lies in a file of its own, synced. */
export interface StagedBody {
  readonly path: string;
  readonly length: number;
  /** Of the bytes that arrived. */
  readonly sha256: Uint8Array;
}

export interface StagingDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** A sender slower than this over one span is cut off. */
const SPAN_MS = 10_000;
const SPAN_BYTES_MIN = SPAN_MS * 4.096;
/** Age at which a file was left behind by a process that ended: no upload takes as long. */
const LEFT_BEHIND_MS = 3_600_000;

interface Pace {
  /** Rejects once the sender is too slow. */
  readonly tooSlow: Promise<never>;
  readonly count: (bytes: number) => void;
  readonly stop: () => void;
}

/** Where bodies are written while they arrive, a file for each, so that none is ever held in memory. */
export class Staging {
  private readonly folder: string;
  private readonly deps: StagingDependencies;

  constructor(folder: string, deps: StagingDependencies) {
    this.folder = folder;
    this.deps = deps;
  }

  /**
   * Writes what arrives into a file and hashes it on the way. The caller discards it, also after it was moved, and answers a source that was
   * cut: it is left open.
   *
   * @throws SealcamError `upload-cut` for a body of another length, one that stops or is too slow; `store-unavailable`
   */
  async receive(source: Readable, length: number): Promise<StagedBody> {
    const path = join(this.folder, toHex(this.deps.random.bytes(16)));
    try {
      const sha256 = await this.write(path, source, length);
      return { path, length, sha256 };
    } catch (error) {
      await discardFile(path);
      throw asStoreError(error, this.folder);
    }
  }

  /** Removes a body that was received, unless it was moved. */
  async discard({ path }: StagedBody): Promise<void> {
    await discardFile(path);
  }

  /** Removes what processes left behind that ended while a body arrived. */
  async clear(): Promise<void> {
    const beforeMs = this.deps.clock.wallMs() - LEFT_BEHIND_MS;
    try {
      makePrivateFolder(this.folder);
      for (const name of await readdir(this.folder)) {
        const path = join(this.folder, name);
        if ((await stat(path)).mtimeMs < beforeMs) await unlink(path);
      }
    } catch (error) {
      // Another process may have been faster.
      if (systemCode(error) !== 'ENOENT') throw asStoreError(error, this.folder);
    }
  }

  private async write(path: string, source: Readable, length: number): Promise<Uint8Array> {
    makePrivateFolder(this.folder);
    const file = await open(path, 'wx', 0o600);
    const pace = this.watchPace();
    try {
      const hash = createHash('sha256');
      let written = 0;
      for await (const chunk of arriving(source, pace.tooSlow)) {
        written += chunk.length;
        if (written > length) throw new SealcamError('upload-cut', 'a body longer than it was announced');
        pace.count(chunk.length);
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      if (written < length) throw new SealcamError('upload-cut', 'a body that ended early');
      await file.sync();
      return new Uint8Array(hash.digest());
    } finally {
      pace.stop();
      await file.close();
    }
  }

  /** Watches for a sender that sends too little in one span. */
  private watchPace(): Pace {
    let bytes = 0;
    let cancel: CancelTimer = () => undefined;
    const tooSlow = new Promise<never>((_, reject) => {
      const nextSpan = (): void => {
        cancel = this.deps.clock.after(SPAN_MS, () => {
          if (bytes < SPAN_BYTES_MIN) reject(new SealcamError('upload-cut', 'a body under 4 KiB a second'));
          bytes = 0;
          nextSpan();
        });
      };
      nextSpan();
    });
    tooSlow.catch(() => undefined);
    return {
      tooSlow,
      count: (more) => {
        bytes += more;
      },
      stop: () => {
        cancel();
      },
    };
  }
}

async function discardFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/** Callers handle every fault of a disk or an engine alike: there is no receipt. */
export function asStoreError(error: unknown, place: string): SealcamError {
  if (error instanceof SealcamError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SealcamError('store-unavailable', `${place}: ${message}`, { cause: error });
}

/** Passes on what arrives, until it is too slow; a connection that broke is the sender's fault, not the disk's. */
async function* arriving(source: Readable, tooSlow: Promise<never>): AsyncGenerator<Uint8Array> {
  const chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, undefined>;
  try {
    for (;;) {
      const { done, value } = await Promise.race([chunks.next(), tooSlow]);
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof SealcamError) throw error;
    throw new SealcamError('upload-cut', 'the connection ended before the body', { cause: error });
  }
}
