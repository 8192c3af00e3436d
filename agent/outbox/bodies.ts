import { closeSync, constants, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../../common/adapters/durable-file.js';
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';

/** What a body is called: its epoch and its SHA-256. */
export interface BodyName {
  readonly epoch: number;
  readonly hash: Uint8Array;
}

const NAME = /^segment-\d+-[0-9a-f]{64}$/;
const NO_ROOM: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT'];
/** A file that cannot be read for these reasons is damaged. */
const DAMAGE: readonly (string | undefined)[] = ['ENOENT', 'EIO', 'EISDIR'];

/** Sealed segments, each a file beside the database that is written once. A file without a row in the database is nothing. */
export class Bodies {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Writes a body; its name is durable after {@link sync}. What was written of one that failed is removed.
   * @throws SealcamError `store-full`, `store-unavailable`
   */
  write(name: BodyName, body: Uint8Array): void {
    const path = this.pathOf(fileName(name));
    try {
      const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        writeFileSync(file, body);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      const code = systemCode(cause);
      if (code !== 'EEXIST') this.remove(fileName(name));
      throw new SealcamError(NO_ROOM.includes(code) ? 'store-full' : 'store-unavailable', `${path} cannot be written`, {
        cause,
      });
    }
  }

  /** @throws SealcamError `store-unavailable` */
  sync(): void {
    try {
      syncFolder(this.folder);
    } catch (cause) {
      throw new SealcamError('store-unavailable', `${this.folder} cannot be synced`, { cause });
    }
  }

  /** Returns the file's bytes, null if it is missing or the disk cannot read it. @throws SealcamError `store-unavailable` */
  read(name: BodyName): Uint8Array | null {
    const path = this.pathOf(fileName(name));
    try {
      return readFileSync(path);
    } catch (cause) {
      if (DAMAGE.includes(systemCode(cause))) return null;
      throw new SealcamError('store-unavailable', `${path} cannot be read`, { cause });
    }
  }

  /**
   * Writes bytes as a body of no epoch, reads them back and removes them.
   * @throws SealcamError `store-full`, `store-unavailable`, `store-corrupt` where others come back
   */
  tryOut(bytes: Uint8Array, hash: Uint8Array): void {
    const name = { epoch: 0, hash };
    this.write(name, bytes);
    try {
      this.sync();
      const back = this.read(name);
      if (back === null || !equal(back, bytes)) {
        throw new SealcamError('store-corrupt', `${this.folder} gives back other bytes than were written`);
      }
    } finally {
      this.remove(fileName(name));
    }
  }

  /** Removes a file. One that stays, on a failing disk, has no row any more and goes at the next start. */
  remove(name: string): void {
    try {
      rmSync(this.pathOf(name), { force: true });
    } catch {
      // See above.
    }
  }

  /** Returns the names of all files. @throws SealcamError `store-unavailable` */
  names(): string[] {
    try {
      return readdirSync(this.folder).filter((name) => NAME.test(name));
    } catch (cause) {
      throw new SealcamError('store-unavailable', `${this.folder} cannot be read`, { cause });
    }
  }

  private pathOf(name: string): string {
    return join(this.folder, name);
  }
}

export function fileName({ epoch, hash }: BodyName): string {
  return `segment-${String(epoch)}-${toHex(hash)}`;
}
