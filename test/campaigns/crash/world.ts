import { join } from 'node:path';
import { realRandom } from '../../../common/adapters/real-random.js';
import { silentLog } from '../../../common/log.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { uplinkFile } from '../../../agent/main/adapters/uplink-file.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { PersistedUplink } from '../../../agent/uplink/machine.js';
import type { UplinkStore } from '../../../agent/uplink/uplink.js';
import { FileKeyStore } from '../../../hal/linux/key-store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import type { Opened } from '../../support/worlds/outbox-world.js';

/** Small enough that records are also dropped because the outbox is full. */
const MAX_BYTES = 150_000;
export const MAX_AGE_MS = 3_600_000;

/** Returns the camera of a seed, with the same keys in the process that is killed and in the one that judges. */
export function cameraOf(seed: number): CameraWorld {
  return new CameraWorld({ random: seededRandom(seed) });
}

/** Every other camera has claims of version 2. */
export function isVersionTwo(seed: number): boolean {
  return seed % 2 === 1;
}

export interface OpenedFolder extends Opened {
  readonly uplink: UplinkStore;
  /** Seed of the device's key, made at the first start. */
  readonly key: Uint8Array;
}

/** Opens everything that a camera keeps in its data folder. */
export function openFolder(camera: CameraWorld, folder: string, atMs: number, maxBytes = MAX_BYTES): OpenedFolder {
  const keys = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const { seed } = keys.load(() => ({ seed: realRandom.bytes(32), claimSecret: realRandom.bytes(16) }));
  const opened = openOutbox({
    folder,
    signer: camera.outboxSigner(),
    limits: { maxBytes, maxAgeMs: MAX_AGE_MS, clipMaxBytes: maxBytes },
    log: silentLog,
    sha256: (data) => nodeSuite.sha256(data),
    time: camera.time(atMs),
  });
  return { ...opened, uplink: uplinkFile(join(folder, 'uplink.json'), silentLog), key: seed };
}

export function uplinkState(windowMs: number): PersistedUplink {
  return {
    boot: 'crash',
    windowMs,
    effectiveWindowMs: windowMs,
    authHoldMs: 0,
    drainIntervalMs: null,
    protocol: 5,
    dueMs: null,
  };
}

/** A sealed object with the place of its record, in base64. */
export interface StoredObject {
  readonly seq: number;
  readonly header: string;
  readonly body: string;
}

export interface BoundSegment {
  readonly hash: string;
  readonly mediaId: string;
}

/** Reports of the process that may be killed, one a line, each written only after it became true. */
export type Line =
  | {
      readonly is: 'record';
      readonly epoch: number;
      readonly seq: number;
      readonly hash: string;
      /** It is the key record of a period. */
      readonly isKey?: true;
    }
  /** Records that left the camera, and that the cloud has from here on. Base64. */
  | { readonly is: 'published'; readonly records: readonly string[] }
  /** Bodies of a clip record, which is reported too: their hashes and media ids, in hex. */
  | { readonly is: 'bound'; readonly epoch: number; readonly seq: number; readonly segments: readonly BoundSegment[] }
  /** A body that the cloud has from here on, or refuses; reported before the camera learns of it. */
  | { readonly is: 'uploaded' | 'refused'; readonly epoch: number; readonly hash: string }
  /** The camera has applied the media receipt for this body. */
  | { readonly is: 'acknowledged'; readonly epoch: number; readonly hash: string }
  /** Reported before the camera learns of it. */
  | {
      readonly is: 'receipted';
      readonly epoch: number;
      readonly from: number;
      readonly to: number;
      /** Sealed objects of version 2 that the cloud has with them. */
      readonly objects: readonly StoredObject[];
    }
  /** `isOther`: for another record of its seq, so that the camera may go on elsewhere. */
  | { readonly is: 'rejected'; readonly epoch: number; readonly seq: number; readonly isOther: boolean }
  /** A range that its owner is about to delete: from here on it may be hidden, and later gone. */
  | { readonly is: 'deleted'; readonly epoch: number; readonly from: number; readonly to: number }
  | { readonly is: 'order'; readonly epoch: number; readonly counter: number }
  | { readonly is: 'uplink'; readonly window: number }
  | { readonly is: 'key'; readonly key: string }
  /** The next phase of a measurement begins. */
  | { readonly is: 'phase'; readonly phase: string; readonly rss: number }
  | { readonly is: 'failed'; readonly step: string; readonly code: string }
  | { readonly is: 'end' };

/** Parses the reports of a process. */
export function readLines(text: string): Line[] {
  // The last line may be incomplete where its writer was killed.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
