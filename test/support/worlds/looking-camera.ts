import { realRandom } from '../../../common/adapters/real-random.js';
import type { OwnerKeys } from '../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { encapsulate } from '../../../protocol/crypto/xwing.js';
import { KEM_KEY_BYTES } from '../../../protocol/objects/ids.js';
import { lookKind, type Look } from '../../../protocol/objects/look.js';
import type { RecordV2 } from '../../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { liveKey } from '../../../protocol/seal/live-key.js';
import { encodeInitialisation, encodeUnit } from '../../../protocol/transport/live-content.js';
import { LiveSealer } from '../../../protocol/transport/live-session.js';
import { checkLook } from '../../../protocol/verify/orders.js';
import type { SealingCamera } from './sealing-camera.js';

type LookEnd = NonNullable<NonNullable<RecordV2['command']>['lookEnd']>;

const SIZE = { width: 320, height: 180 } as const;

/** The camera's end of one look. */
export class CameraLook {
  readonly order: Verified<Look>;
  readonly answer: Verified<RecordV2>;
  private readonly camera: SealingCamera;
  private readonly sealer: LiveSealer;

  constructor(camera: SealingCamera, order: Verified<Look>, answer: Verified<RecordV2>, sealer: LiveSealer) {
    this.camera = camera;
    this.order = order;
    this.answer = answer;
    this.sealer = sealer;
  }

  /** Messages so far. */
  get sent(): number {
    return this.sealer.messages;
  }

  /** When the answer was signed, on the camera's monotonic clock. */
  get startMs(): number {
    return this.answer.value.time.monotonicMs;
  }

  initialisation(codec: 'h264' | 'jpeg' = 'jpeg', segment: Uint8Array = new Uint8Array(0)): readonly Uint8Array[] {
    return this.sealer.seal('initialisation', encodeInitialisation({ codec, ...SIZE, segment }));
  }

  /** @param afterMs since the answer was signed */
  unit(bytes: Uint8Array, afterMs: number, isKey = true): readonly Uint8Array[] {
    const capturedMs = this.startMs + afterMs;
    return this.sealer.seal(isKey ? 'key-unit' : 'unit', encodeUnit({ capturedMs, bytes }));
  }

  last(): readonly Uint8Array[] {
    return this.sealer.seal('end', new Uint8Array(0));
  }

  /** Signs the record that ends the look. */
  end(change: Partial<LookEnd> = {}): Verified<RecordV2> {
    const { session } = this.order.value;
    const lookEnd = {
      session,
      framesSent: this.sent,
      framesDropped: 0,
      seconds: 42,
      reason: 'expired',
      ...change,
    } as const;
    return this.camera.add({ kind: 'command', command: { source: 'member', action: 'look', result: 'done', lookEnd } });
  }
}

/** Opens an order as a camera does. @throws SealcamError where the camera refuses it */
function openLookOrder({ claim }: SealingCamera, order: Uint8Array): Verified<Look> {
  const opened = openSigned(lookKind, nodeSuite, order);
  checkLook(opened, claim);
  return opened;
}

/** Answers an order that starts a look: signs it into the history, and begins to seal. */
export function startLook(camera: SealingCamera, bytes: Uint8Array, seconds = 60): CameraLook {
  const order = openLookOrder(camera, bytes);
  const { enc, shared } = encapsulate(nodeSuite, realRandom, order.value.kemKey ?? new Uint8Array(0));
  const answer = addAnswer(camera, bytes, enc, seconds);
  const context = { orderHash: order.hash, claimHash: camera.claim.hash, answerHash: answer.hash };
  const sealer = new LiveSealer(nodeSuite, order.value.session, liveKey(nodeSuite, shared, context));
  return new CameraLook(camera, order, answer, sealer);
}

/** Answers an order that renews one. */
export function renewLook(camera: SealingCamera, bytes: Uint8Array, seconds = 60): Verified<RecordV2> {
  openLookOrder(camera, bytes);
  return addAnswer(camera, bytes, null, seconds);
}

/** Signs that an order was refused. */
export function refuseLook(camera: SealingCamera, bytes: Uint8Array, code: string): Verified<RecordV2> {
  const { hash } = openSigned(lookKind, nodeSuite, bytes);
  const answer = { source: 'member', action: 'look', result: 'refused', object: hash, code } as const;
  return camera.add({ kind: 'command', command: answer });
}

/** Signs that a look goes on, with these bytes as its order: whatever they are. */
export function addAnswer(
  camera: SealingCamera,
  order: Uint8Array,
  ciphertext: Uint8Array | null,
  seconds = 60,
): Verified<RecordV2> {
  const expiresMs = 1000 * (camera.records.length + seconds);
  const look = { order, ciphertext, expiresMs };
  return camera.add({ kind: 'command', command: { source: 'member', action: 'look', result: 'done', look } });
}

/** An order to look, as this person signs it. */
export function orderBy(camera: SealingCamera, keys: OwnerKeys, change: Partial<Look> = {}): Uint8Array {
  const { device, epoch } = camera.claim.value;
  const order: Look = {
    version: 2,
    device,
    epoch,
    claimHash: camera.claim.hash,
    session: realRandom.bytes(16),
    kemKey: new Uint8Array(KEM_KEY_BYTES),
    renewal: 0,
    seconds: 60,
    recent: [0, camera.records[0]?.hash ?? new Uint8Array(32)],
    ...change,
  };
  return signObject(lookKind, nodeSuite, keys.signer, order).bytes;
}
