import { realRandom } from '../../../common/adapters/real-random.js';
import { silentLog } from '../../../common/log.js';
import type { Mirror } from '../../../agent/outbox/mirror.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { Outbox, SealedMedia } from '../../../agent/outbox/outbox.js';
import { noteOwnership } from '../../../agent/outbox/published.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { CameraWorld } from './camera-world.js';

export const MIB = 1024 * 1024;

/** A camera's outbox and mirror on disk. */
export interface Opened {
  readonly outbox: Outbox;
  readonly mirror: Mirror;
}

/** Opens the outbox of a camera in a folder. */
export function open(world: CameraWorld, folder: string, maxBytes = MIB): Opened {
  return openOutbox({
    folder,
    signer: world.outboxSigner(),
    limits: { maxBytes, maxAgeMs: 3_600_000, clipMaxBytes: 2 ** 24 },
    sha256: (data) => nodeSuite.sha256(data),
    time: world.time(0),
    log: silentLog,
  });
}

export function close({ outbox, mirror }: Opened): void {
  mirror.close();
  outbox.close();
}

/** Opens an outbox, and claims the camera. */
export function claimed(world: CameraWorld, folder: string, maxBytes = MIB): Opened & { claimHash: Uint8Array } {
  const opened = open(world, folder, maxBytes);
  const claim = world.claim();
  opened.outbox.beginEpoch(claim, world.time(0));
  noteOwnership(opened.outbox, opened.mirror);
  return { ...opened, claimHash: claim.hash };
}

/** Makes a sealed picture of random bytes. */
export function picture(bytes: number): SealedMedia {
  const id = realRandom.bytes(16);
  const sealed = { header: realRandom.bytes(150), body: realRandom.bytes(bytes) };
  return {
    sealed,
    media: {
      id,
      role: 'thumbnail',
      length: bytes,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    },
  };
}

/** Appends the start of an event. */
export function motion(
  world: CameraWorld,
  outbox: Outbox,
  atMs: number,
  media: SealedMedia[] = [],
): Verified<AnyRecord> {
  const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
  const record = outbox.append({ kind: 'motion', time: world.time(atMs), event }, media);
  if (record === null) throw new Error('not appended');
  return record;
}
