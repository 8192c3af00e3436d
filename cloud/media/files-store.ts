import { createHash } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { toHex } from '../../common/bytes.js';
import { systemCode } from '../../common/errors.js';
import type { SegmentKey } from '../store/segment-store.js';
import type { MediaStore } from './media-store.js';
import { asStoreError, type StagedBody } from './staging.js';

/** Bodies as files, `<folder>/<first byte of the device>/<device>/<epoch>/<hash>`. Staged bodies lie in the same file system. */
export class FilesStore implements MediaStore {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async put(key: SegmentKey, body: StagedBody): Promise<Uint8Array> {
    return this.guard(async () => {
      const path = this.pathOf(key);
      const folder = dirname(path);
      const levels = [folder, dirname(folder), dirname(dirname(folder)), this.folder];
      makePrivateFolder(folder);
      await rename(body.path, path);
      // The name is durable with its folder, and a new folder with the one above it.
      for (const level of levels) await syncFolder(level);
      return hashOf(path);
    });
  }

  async get(key: SegmentKey): Promise<Uint8Array | undefined> {
    return this.guard(() => readFile(this.pathOf(key)).then((bytes) => new Uint8Array(bytes), ifMissing));
  }

  async remove(key: SegmentKey): Promise<void> {
    await this.guard(() => unlink(this.pathOf(key)).catch(ifMissing));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private pathOf({ device, epoch, bodyHash }: SegmentKey): string {
    const camera = toHex(device);
    return join(this.folder, camera.slice(0, 2), camera, String(epoch), toHex(bodyHash));
  }

  private async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asStoreError(error, this.folder);
    }
  }
}

function ifMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
  return undefined;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function hashOf(path: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return new Uint8Array(hash.digest());
}
