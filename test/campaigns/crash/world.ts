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

/** Small, so that records are dropped for want of room too. */
export const MAX_BYTES = 150_000;
export const MAX_AGE_MS = 3_600_000;

/** The camera of a seed: the same keys in the process that is killed and in the one that judges. */
export function cameraOf(seed: number): CameraWorld {
  return new CameraWorld({ random: seededRandom(seed) });
}

export interface OpenedFolder extends Opened {
  readonly uplink: UplinkStore;
  /** The device's seed, made at the first start. */
  readonly key: Uint8Array;
}

/** Everything that a camera keeps in its data folder. */
export function openFolder(camera: CameraWorld, folder: string, atMs: number, maxBytes = MAX_BYTES): OpenedFolder {
  const keys = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const { seed } = keys.load(() => ({ seed: realRandom.bytes(32), claimSecret: realRandom.bytes(16) }));
  const opened = openOutbox({
    folder,
    signer: camera.outboxSigner(),
    limits: { maxBytes, maxAgeMs: MAX_AGE_MS },
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

/** What the process that may die says, a line each, only once it is so. */
export type Line =
  | { readonly is: 'record'; readonly epoch: number; readonly seq: number; readonly hash: string }
  /** Left the camera: what the cloud has from here on. Base64. */
  | { readonly is: 'published'; readonly records: readonly string[] }
  | { readonly is: 'rejected'; readonly epoch: number; readonly seq: number }
  | { readonly is: 'order'; readonly epoch: number; readonly counter: number }
  | { readonly is: 'uplink'; readonly window: number }
  | { readonly is: 'key'; readonly key: string }
  /** A part of what is measured begins. */
  | { readonly is: 'phase'; readonly phase: string; readonly rss: number }
  | { readonly is: 'failed'; readonly step: string; readonly code: string }
  | { readonly is: 'end' };

export function readLines(text: string): Line[] {
  // The last line may have been cut off by the death of its writer.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
