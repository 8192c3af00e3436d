import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurableFile } from '../../common/adapters/durable-file.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import type { DeviceSecrets, KeyStore } from '../key-store.js';

const SEED_BYTES = 32;
const SECRET_BYTES = 16;

/**
 * Two files of mode 0600, created exclusively and fsynced with their folder. They are checked at every start and never
 * repaired silently. Each gets its name only once it is whole, so that a power cut at the first start does not leave a
 * file that every later start refuses.
 */
export class FileKeyStore implements KeyStore {
  private readonly folder: string;
  private readonly uid: number;

  /** `uid` is the user that must own the files. */
  constructor(folder: string, uid: number) {
    this.folder = folder;
    this.uid = uid;
  }

  load(makeSecrets: () => DeviceSecrets): DeviceSecrets {
    const seedPath = join(this.folder, 'device.seed');
    const secretPath = join(this.folder, 'claim.secret');
    const seed = this.read(seedPath, SEED_BYTES);
    const claimSecret = this.read(secretPath, SECRET_BYTES);
    if (seed !== undefined && claimSecret !== undefined) return { seed, claimSecret };
    const fresh = makeSecrets();
    // The secret is written first: after a power cut in between, the camera makes its seed at the next start.
    if (claimSecret === undefined) this.write(secretPath, fresh.claimSecret);
    if (seed === undefined) this.write(seedPath, fresh.seed);
    return { seed: seed ?? fresh.seed, claimSecret: claimSecret ?? fresh.claimSecret };
  }

  private read(path: string, length: number): Uint8Array | undefined {
    let file: number;
    try {
      // O_NOFOLLOW: a symbolic link could lead to a file that another user can replace.
      file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return undefined;
      if (systemCode(cause) === 'ELOOP') throw invalid(path, 'is a symbolic link', cause);
      throw new SealcamError('key-store-unavailable', `${path} cannot be read`, { cause });
    }
    try {
      const { mode, uid, size } = fstatSync(file);
      if ((mode & 0o170000) !== constants.S_IFREG) throw invalid(path, 'is not a file');
      if ((mode & 0o077) !== 0) throw invalid(path, `has mode ${(mode & 0o777).toString(8)}, not 600`);
      if (uid !== this.uid) throw invalid(path, `belongs to user ${String(uid)}, not ${String(this.uid)}`);
      if (size !== length) throw invalid(path, `has ${String(size)} bytes, not ${String(length)}`);
      const bytes = new Uint8Array(length);
      if (readSync(file, bytes) !== length) throw invalid(path, 'cannot be read completely');
      return bytes;
    } finally {
      closeSync(file);
    }
  }

  private write(path: string, bytes: Uint8Array): void {
    try {
      writeDurableFile(path, bytes, { isExclusive: true });
    } catch (cause) {
      throw new SealcamError('key-store-unavailable', `${path} cannot be written`, { cause });
    }
  }
}

function invalid(path: string, why: string, cause?: unknown): SealcamError {
  return new SealcamError('key-file-invalid', `${path} ${why}`, { cause });
}
