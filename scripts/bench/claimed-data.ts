import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realRandom } from '../../common/adapters/real-random.js';
import { silentLog } from '../../common/log.js';
import { loadIdentity, outboxSigner } from '../../agent/main/identity.js';
import { Bodies } from '../../agent/outbox/bodies.js';
import { openDatabase } from '../../agent/outbox/database.js';
import { openOutbox } from '../../agent/outbox/open-outbox.js';
import { Outbox, type OutboxSigner } from '../../agent/outbox/outbox.js';
import { noteOwnership } from '../../agent/outbox/published.js';
import { OutboxStore } from '../../agent/outbox/store.js';
import { ownerKeys, type OwnerKeys } from '../../app/core/owner-keys.js';
import { loadReceiptKeys } from '../../cloud/trust/receipt-keys.js';
import { FileKeyStore } from '../../hal/linux/key-store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { BenchWorld } from './world.js';

/** What the owner of a claimed camera has. */
export interface ClaimedCamera {
  readonly owner: OwnerKeys;
  readonly claim: Verified<AnyClaim>;
}

/**
 * Makes the data folder of a camera that was claimed by a household of 1 to 8 recipients, and the folder of its cloud.
 *
 * @param protocol version of the claim; a camera of today is claimed at 2
 */
export function makeClaimedData(
  folder: string,
  recipients: number,
  cloudFolder: string,
  protocol: 1 | 2 = 2,
): ClaimedCamera {
  mkdirSync(cloudFolder, { recursive: true, mode: 0o700 });
  const { current, successor } = loadReceiptKeys(cloudFolder, nodeSuite, realRandom);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keyStore = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const { device } = loadIdentity({ keyStore }, nodeSuite, realRandom);
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const owner = keys.signer;
  const members = Array.from({ length: recipients }, (_, i) => ({
    ed25519: i === 0 ? owner.publicKey : nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey,
    kemKey: xwingKeys(nodeSuite, realRandom.bytes(32)).publicKey,
  }));
  const common = {
    device,
    epoch: 1,
    account: keys.account,
    ownerKey: owner.publicKey,
    receiptKeys: [current, successor].map(({ signer: { publicKey } }) => publicKey),
    previous: null,
    nonce: realRandom.bytes(16),
    issuedAtMs: 0,
  };
  const claim: AnyClaim =
    protocol === 1
      ? {
          ...common,
          recipients: members.map(({ ed25519 }) => ({
            ed25519,
            x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)),
          })),
        }
      : {
          ...common,
          version: 2,
          recipients: members.map(({ ed25519, kemKey }, i) => ({
            ed25519,
            kem: kemHash(nodeSuite, kemKey),
            role: i === 0 ? ('owner' as const) : ('member' as const),
          })),
        };
  const kemKeys = protocol === 1 ? [] : members.map(({ kemKey }) => kemKey);
  const { outbox, close } = openData(folder);
  const signed = signObject(anyClaimKind, nodeSuite, owner, claim);
  outbox.beginEpoch(signed, TIME, kemKeys);
  close();
  return { owner: keys, claim: signed };
}

/** Records in one transaction of {@link fillOutbox}: one at a time, the disk would be what takes the time. */
const BATCH = 1000;

/**
 * Fills the outbox of a camera that does not run with signed records that wait for their receipt, as the outbox itself stores
 * them.
 */
export function fillOutbox(folder: string, records: number, progress: (text: string) => void): void {
  const db = openDatabase(join(folder, 'outbox.db'), { maxBytes: LIMITS.maxBytes });
  const store = new OutboxStore(db, {
    signer: signerOf(folder),
    limits: LIMITS,
    sha256: (data) => nodeSuite.sha256(data),
    bodies: new Bodies(folder),
    onNoRoom: () => undefined,
    repair: () => undefined,
    eraseAside: () => undefined,
  });
  const outbox = new Outbox(store);
  const scene = { class: 'illumination', durationMs: 1000 } as const;
  for (let done = 0; done < records; done += BATCH) {
    if (done % (25 * BATCH) === 0) progress(`${String(done)} of ${String(records)} records queued …`);
    store.transaction(() => {
      for (let i = done; i < Math.min(records, done + BATCH); i++)
        outbox.append({ kind: 'scene', time: { ...TIME, monotonicMs: i }, scene });
    });
  }
  outbox.close();
}

const LIMITS = { maxBytes: 2 ** 28, maxAgeMs: 1e12, clipMaxBytes: 2 ** 28 };
const TIME = { boot: new Uint8Array(16), monotonicMs: 0, wallMs: null, quality: 'unset' as const };

/** Opens the outbox of a data folder whose camera does not run. Closing it notes the owner in the mirror. */
export function openData(folder: string): { readonly outbox: Outbox; readonly close: () => void } {
  const { outbox, mirror } = openOutbox({
    folder,
    limits: LIMITS,
    time: TIME,
    log: silentLog,
    sha256: (data) => nodeSuite.sha256(data),
    signer: signerOf(folder),
  });
  const close = (): void => {
    noteOwnership(outbox, mirror);
    mirror.close();
    outbox.close();
  };
  return { outbox, close };
}

function signerOf(folder: string): OutboxSigner {
  const keyStore = new FileKeyStore(folder, process.getuid?.() ?? 0);
  return outboxSigner(nodeSuite, loadIdentity({ keyStore }, nodeSuite, realRandom));
}

/** Draws a scene in which people walk by as JPEG files, for a camera that replays them. */
export async function drawFrames(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const frames = await new BenchWorld().frames(count);
  for (const [i, { jpeg }] of frames.entries()) writeFileSync(join(folder, `${String(i).padStart(4, '0')}.jpg`), jpeg);
}
