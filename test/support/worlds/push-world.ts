import { withLearned } from '../../../app/core/learned-epoch.js';
import type { NoticeView } from '../../../app/core/notice-view.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { readPush, type PushReaderDependencies } from '../../../app/core/push-reader.js';
import { MemoryStorage, type KnownEpoch } from '../../../app/core/storage.js';
import { toHex } from '../../../common/bytes.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { encodeNotice } from '../../../protocol/transport/notice.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { kemKeyOf, SealedCloud, SealingCamera, type BegunPeriod } from './sealing-camera.js';

/** Not a JPEG: nothing between seal and notification looks at it. */
export const PICTURE = Uint8Array.from({ length: 300 }, (_, i) => i % 251);

/** The storage of a service worker, in memory. */
export class WorkerMemory extends MemoryStorage {
  override async saveEpoch(epoch: KnownEpoch): Promise<void> {
    const key = epochKey(epoch.device, epoch.epoch);
    const stored = (await this.epochs()).find((one) => epochKey(one.device, one.epoch) === key);
    await super.saveEpoch(withLearned(stored, epoch));
  }
}

type WorkerClient = ReturnType<PushReaderDependencies['clientOf']>;

/** Returns what a worker asks of this cloud, but for what a test answers itself. */
export function workerClient({ client }: SealedCloud, change: Partial<WorkerClient> = {}): WorkerClient {
  return {
    acceptHouseholds: () => undefined,
    cameras: () => client.cameras(),
    keyRecord: (device, epoch, periodId) => client.keyRecord(device, epoch, periodId),
    ...change,
  };
}

/** Returns the payload of a push. */
export function pushOf(record: Pick<Verified<AnyRecord>, 'bytes'>, mini: SealedObject | null = null): Uint8Array {
  return encodeNotice({ type: 'record', record: record.bytes, mini });
}

/** The service worker of one person's browser, whose page has seen the cameras of this cloud. */
export class PushedBrowser {
  readonly storage = new WorkerMemory();
  readonly clock: VirtualClock;
  readonly keys: OwnerKeys;
  readonly cloud: SealedCloud;
  private readonly deps: PushReaderDependencies;

  constructor(
    keys: OwnerKeys,
    cloud: SealedCloud,
    clock: VirtualClock,
    deps: Partial<PushReaderDependencies> & { readonly suite: CryptoSuite },
  ) {
    this.keys = keys;
    this.cloud = cloud;
    this.clock = clock;
    this.deps = { clock, storage: this.storage, clientOf: () => cloud.client, ...deps };
  }

  /** What its page does at a visit: it signs in, takes the claim, and follows the history up to this place. */
  async visit(upToSeq = Infinity): Promise<this> {
    const { storage, keys, clock } = this;
    const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
    const history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys), { kemHash: kemHashOf });
    await storage.saveMaster(keys.master);
    await history.load();
    const { claim, records } = this.cloud.sealing;
    const ownerKey = claim.value.ownerKey;
    if (toHex(ownerKey) !== toHex(keys.signer.publicKey)) await history.accept({ ownerKey });
    await history.addClaim(claim.bytes);
    for (const { value, bytes } of records) {
      if (value.seq <= upToSeq) await history.verifyAndApply(bytes, clock.wallMs());
    }
    return this;
  }

  /** Returns what it shows of a push. */
  receive(payload: Uint8Array | null): Promise<NoticeView> {
    return readPush(payload, this.deps);
  }
}

/** A camera that has begun a period now, the cloud behind it, and the clock of all. */
export async function pushingCamera(people: readonly [OwnerKeys, ...OwnerKeys[]]): Promise<{
  readonly camera: SealingCamera;
  readonly cloud: SealedCloud;
  readonly clock: VirtualClock;
  readonly period: BegunPeriod;
}> {
  const clock = new VirtualClock();
  const camera = new SealingCamera(people);
  camera.firstMs = clock.wallMs();
  const period = await camera.begin();
  camera.addKey(period);
  return { camera, cloud: new SealedCloud(camera), clock, period };
}
