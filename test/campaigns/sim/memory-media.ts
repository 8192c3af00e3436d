import type { Readable } from 'node:stream';
import { toHex } from '../../../common/bytes.js';
import { SealcamError } from '../../../common/errors.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import { Staging, type StagedBody, type StagingDependencies } from '../../../cloud/media/staging.js';
import type { SegmentKey } from '../../../cloud/store/store.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import { simSuite } from './suite.js';

/** Where bodies arrive, without a disk: a file takes real time. */
export class MemoryStaging extends Staging {
  private readonly arrived = new Map<string, Uint8Array>();
  private count = 0;

  constructor(deps: StagingDependencies) {
    super('memory', deps);
  }

  override async receive(source: Readable, length: number): Promise<StagedBody> {
    const parts: Uint8Array[] = [];
    for await (const part of source) parts.push(part as Uint8Array);
    const body = new Uint8Array(Buffer.concat(parts));
    if (body.length !== length) throw new SealcamError('upload-cut', 'a body of another length');
    const path = String(this.count++);
    this.arrived.set(path, body);
    return { path, length, sha256: simSuite.sha256(body) };
  }

  override discard({ path }: StagedBody): Promise<void> {
    this.arrived.delete(path);
    return Promise.resolve();
  }

  /** Returns a body that arrived and was not discarded. */
  bodyOf({ path }: StagedBody): Uint8Array {
    const body = this.arrived.get(path);
    if (body === undefined) throw new Error('a body that did not arrive');
    return body;
  }
}

/** The place of bodies. It survives the process of the cloud. */
export class MemoryMediaStore implements MediaStore {
  private readonly bodies = new Map<string, Uint8Array>();
  private readonly staging: MemoryStaging;

  constructor(staging: MemoryStaging) {
    this.staging = staging;
  }

  put(key: SegmentKey, staged: StagedBody): Promise<Uint8Array> {
    const body = this.staging.bodyOf(staged);
    this.bodies.set(nameOf(key), body);
    return Promise.resolve(simSuite.sha256(body));
  }

  get(key: SegmentKey): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.bodies.get(nameOf(key)));
  }

  remove(key: SegmentKey): Promise<void> {
    this.bodies.delete(nameOf(key));
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function nameOf({ device, epoch, bodyHash }: SegmentKey): string {
  return `${epochKey(device, epoch)}/${toHex(bodyHash)}`;
}
