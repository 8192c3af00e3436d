import { equal, toHex } from '../../../common/bytes.js';
import type { Random } from '../../../common/random.js';
import { simSuite } from './suite.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { anyClaimKind, claimMac, type AnyClaim } from '../../../protocol/objects/claim.js';
import { anyCommandKind, type AnyCommand } from '../../../protocol/objects/command.js';
import { accountId } from '../../../protocol/objects/ids.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { openOffers } from '../../../protocol/objects/offer.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned, signObject, versionOf } from '../../../protocol/objects/signed-object.js';
import { xwingKeys, type XWingKeys } from '../../../protocol/crypto/xwing.js';
import type { RecipientKeys } from '../../../protocol/seal/seal.js';
import { encodeDown } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import type { SimBroker } from './broker.js';
import type { SimCamera } from './camera.js';
import type { SimCloud } from './cloud.js';
import type { Oracle } from './oracle.js';
import type { Trace } from './trace.js';

export interface OwnerDependencies {
  readonly name: string;
  readonly random: Random;
  readonly broker: SimBroker;
  readonly cloud: SimCloud;
  readonly oracle: Oracle;
  readonly trace: Trace;
  readonly receiptKey: Uint8Array;
  /** Claims in version 2, and waits for a camera that offers it. */
  readonly isTwo: boolean;
}

/** A household, reduced to what its page signs; the API between page and cloud is not simulated. */
export class SimOwner {
  readonly name: string;
  readonly account: Uint8Array;
  readonly keys: RecipientKeys;
  readonly kem: XWingKeys;
  private readonly deps: OwnerDependencies;
  private readonly signer: Signer;

  constructor(deps: OwnerDependencies) {
    this.deps = deps;
    this.name = deps.name;
    this.signer = simSuite.ed25519Signer(deps.random.bytes(32));
    const secret = deps.random.bytes(32);
    this.keys = { secret, publicKey: simSuite.x25519PublicKey(secret) };
    this.kem = xwingKeys(simSuite, deps.random.bytes(32));
    this.account = accountId(simSuite, this.signer.publicKey);
  }

  /** Answers the camera's offer with a claim, or sends the pending claim again. Returns true once the cloud has the owner's row. */
  async claim(camera: SimCamera): Promise<boolean> {
    const { cloud, oracle, trace, receiptKey, isTwo } = this.deps;
    const { claims } = cloud.store;
    const found = await claims.offer(camera.device);
    const latest = await claims.latest(camera.device);
    if (found === undefined) return false;
    const offer = openOffers(simSuite, found.offer, found.offerV2).value;
    if (latest !== undefined && offer.lastEpoch < latest.epoch) return equal(latest.account, this.account);
    if (versionOf(offer) !== (isTwo ? 2 : 1)) return false;
    const kemKeys = isTwo ? { kemKeys: [this.kem.publicKey] } : {};
    const pending = await claims.pending(camera.device);
    if (pending !== undefined && equal(pending.nonce, offer.nonce)) {
      this.send(camera, { type: 'claim', claim: pending.claim, mac: pending.mac, ...kemKeys });
      return false;
    }
    const common = {
      device: camera.device,
      epoch: offer.lastEpoch + 1,
      account: this.account,
      ownerKey: this.signer.publicKey,
      receiptKeys: [receiptKey],
      previous: offer.lastClaimHash,
      nonce: offer.nonce,
      issuedAtMs: cloud.wallMs,
    };
    const ed25519 = this.signer.publicKey;
    const claim = signObject<AnyClaim>(
      anyClaimKind,
      simSuite,
      this.signer,
      isTwo
        ? {
            ...common,
            version: 2,
            recipients: [{ ed25519, kem: kemHash(simSuite, this.kem.publicKey), role: 'owner' }],
          }
        : { ...common, recipients: [{ ed25519, x25519: this.keys.publicKey }] },
    );
    oracle.recordClaim(claim, this);
    trace.add(this.name, `claims ${camera.name}, epoch ${String(claim.value.epoch)}`);
    const mac = claimMac(simSuite, camera.claimSecret, claim);
    await claims.putPending(camera.device, {
      claim: claim.bytes,
      mac,
      nonce: offer.nonce,
      atMs: cloud.wallMs,
      ...kemKeys,
    });
    this.send(camera, { type: 'claim', claim: claim.bytes, mac, ...kemKeys });
    return false;
  }

  /** Sends a signed release, which may be lost. */
  async release(camera: SimCamera): Promise<void> {
    const { cloud, trace } = this.deps;
    const row = await cloud.store.claims.latest(camera.device);
    if (row === undefined || !equal(row.account, this.account)) return;
    const [newest] = await cloud.store.records.page(camera.device, row.epoch, Number.MAX_SAFE_INTEGER, 1);
    if (newest === undefined) return;
    const seen = openSigned(anyRecordKind, simSuite, newest.bytes);
    const command = signObject<AnyCommand>(anyCommandKind, simSuite, this.signer, {
      ...(versionOf(seen.value) === 2 ? { version: 2 as const } : {}),
      action: 'release',
      recent: [seen.value.seq, seen.hash],
      device: camera.device,
      epoch: row.epoch,
      claimHash: row.claimHash,
      counter: Math.max(1, Math.round(cloud.wallMs)),
    });
    trace.add(this.name, `releases ${camera.name}, epoch ${String(row.epoch)}: ${toHex(command.hash).slice(0, 8)}`);
    this.send(camera, { type: 'command', command: command.bytes });
  }

  private send(camera: SimCamera, message: Parameters<typeof encodeDown>[0]): void {
    this.deps.broker.publishDown(topicOf(camera.device, 'down'), encodeDown(message));
  }
}
