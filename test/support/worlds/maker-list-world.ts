import { join } from 'node:path';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import { Ingest } from '../../../cloud/ingest/ingest.js';
import { MakerList } from '../../../cloud/trust/maker-list.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import { revocationKind, type Revocation } from '../../../protocol/objects/revocation.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { CameraWorld } from './camera-world.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';

export const DAY_MS = 86_400_000;
export const maker = new CameraWorld().owner;

export function listOf(signer: Signer, change: Partial<Revocation>): Verified<Revocation> {
  const list = { scope: 'maker', listVersion: 1, issuedAtMs: 0, entries: [], ...change } as const;
  return signObject(revocationKind, nodeSuite, signer, list);
}

/** Ingest with a maker's key configured; `maxAgeMs` limits the age of the list, 0 does not. */
export class MakerListWorld {
  readonly clock = new VirtualClock();
  readonly counters = new Counters();
  readonly store: CloudStore = openSqliteStore(join(tempFolder(), 'cloud.db'));
  readonly sent: string[] = [];
  readonly world = new CameraWorld();
  readonly claim: Verified<Claim> = this.world.claim();
  readonly accept: Verified<SealcamRecord> = this.world.record(this.claim, 0, this.claim.hash, { kind: 'accept' });
  private readonly ingest: Ingest;

  constructor(maxAgeMs: number) {
    const common = { store: this.store, suite: nodeSuite, clock: this.clock, log: silentLog };
    this.ingest = new Ingest({
      ...common,
      receiptSigner: this.world.cloud,
      counters: this.counters,
      pacing: () => null,
      makerList: new MakerList({ key: maker.publicKey, maxAgeMs }, common),
      onStored: () => undefined,
      onStatus: () => undefined,
      publish: (_, payload) => this.sent.push(decodeDown(payload).type),
    });
  }

  up(message: Parameters<typeof encodeUp>[0]): Promise<void> {
    return this.ingest.handleMessage(topicOf(this.world.deviceId, 'up'), encodeUp(message));
  }

  accepts(): Promise<void> {
    return this.up({ type: 'accept', claim: this.claim.bytes, record: this.accept.bytes });
  }

  /** Sends the record after the accept; resolves with the types of the answers. */
  async record(): Promise<string[]> {
    const record = this.world.record(this.claim, 1, this.accept.hash, { kind: 'scene', scene: { class: 'stall' } });
    this.sent.length = 0;
    await this.up({ type: 'records', records: [{ record: record.bytes, media: [] }] });
    return this.sent;
  }
}
