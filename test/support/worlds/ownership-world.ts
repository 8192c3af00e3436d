import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { OwnershipKeeper } from '../../../agent/ownership/ownership.js';
import { MockIndicator } from '../../../hal/mock/peripherals.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { claimMac, type AnyClaim } from '../../../protocol/objects/claim.js';
import { anyOfferKind, type Offer, type OfferV2 } from '../../../protocol/objects/offer.js';
import { openSigned, type ProtocolVersion, type Verified } from '../../../protocol/objects/signed-object.js';
import type { WrapKey } from '../../../protocol/seal/key-record.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { CameraWorld } from './camera-world.js';
import { letPromisesRun, wrapHere } from './period-world.js';

/** The secret of the claim code. */
export const secret = realRandom.bytes(16);

export interface OwnershipTrial {
  readonly camera: CameraWorld;
  readonly clock: VirtualClock;
  readonly counters: Counters;
  readonly keeper: OwnershipKeeper;
  readonly outbox: Outbox;
  /** The offers, each in the versions in which it was made. */
  readonly offers: readonly (readonly (Offer | OfferV2)[])[];
  /** The epoch that was open when it was said to end; 0 for none. */
  readonly endings: readonly number[];
  /** What the cloud announced, and how often something happened. */
  readonly world: { version: ProtocolVersion; wraps: number; changes: number };
  /** Returns the nonce of the last offer. */
  readonly nonce: () => Uint8Array;
  /** Gives the camera a claim, and returns `accepted` or the counter of the refusal. */
  readonly give: (claim: Verified<AnyClaim>, kemKeys?: readonly Uint8Array[]) => Promise<string>;
}

/** Returns the ownership of a camera whose claim window is open, and whose cloud announced a version. */
export function keeperOf(version: ProtocolVersion, wrap: WrapKey = wrapHere): OwnershipTrial {
  const camera = new CameraWorld();
  const clock = new VirtualClock();
  const counters = new Counters();
  const endings: number[] = [];
  const offers: (Offer | OfferV2)[][] = [];
  const world = { version, wraps: 0, changes: 0 };
  const time = () => camera.time(clock.monotonicMs());
  const { outbox, mirror } = openOutbox({
    folder: tempFolder(),
    signer: camera.outboxSigner(),
    limits: { maxBytes: 2 ** 22, maxAgeMs: 1e9, clipMaxBytes: 2 ** 22 },
    sha256: (data) => nodeSuite.sha256(data),
    time: time(),
    log: silentLog,
  });
  const keeper = new OwnershipKeeper({
    suite: nodeSuite,
    random: realRandom,
    clock,
    signer: camera.device,
    device: camera.deviceId,
    claimSecret: secret,
    outbox,
    mirror,
    indicator: new MockIndicator(),
    counters,
    log: silentLog,
    now: time,
    wrap: (job) => {
      world.wraps++;
      return wrap(job);
    },
    version: () => world.version,
    onOffer: (...versions) =>
      offers.push(versions.flatMap((bytes = new Uint8Array(0)) => openSigned(anyOfferKind, nodeSuite, bytes).value)),
    onWindow: () => undefined,
    restingState: () => 'off',
    onEnding: () => undefined,
    onEpochEnding: () => endings.push(outbox.currentClaim()?.value.epoch ?? 0),
    onChanged: () => world.changes++,
  });
  keeper.openWindow();
  const nonce = (): Uint8Array => offers.at(-1)?.[0]?.nonce ?? new Uint8Array(16);
  const give = async (claim: Verified<AnyClaim>, kemKeys?: readonly Uint8Array[]): Promise<string> => {
    const before = world.changes;
    keeper.handleClaim(claim.bytes, claimMac(nodeSuite, secret, claim), kemKeys);
    await letPromisesRun();
    const refusals = Object.keys(counters.snapshot()).filter((name) => name.startsWith('claim.'));
    return world.changes > before ? 'accepted' : (refusals.at(-1) ?? 'nothing');
  };
  return { camera, clock, counters, keeper, outbox, offers, endings, world, nonce, give };
}
