import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realRandom } from '../../common/adapters/real-random.js';
import { silentLog } from '../../common/log.js';
import { loadIdentity } from '../../agent/main/identity.js';
import { openOutbox } from '../../agent/outbox/open-outbox.js';
import { noteOwnership } from '../../agent/outbox/published.js';
import { FileKeyStore } from '../../hal/linux/key-store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { recordKind } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { BenchWorld } from './world.js';

/** Makes the data folder of a camera that was claimed by a household of 1 to 8 recipients. */
export function makeClaimedData(folder: string, recipients: number): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keyStore = new FileKeyStore(folder, process.getuid?.() ?? 0);
  const { signer, device } = loadIdentity({ keyStore }, nodeSuite, realRandom);
  const owner = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const member = (ed25519: Uint8Array) => ({ x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519 });
  const others = Array.from({ length: recipients - 1 }, () =>
    member(nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey),
  );
  const claim = signObject(claimKind, nodeSuite, owner, {
    device,
    epoch: 1,
    account: accountId(nodeSuite, owner.publicKey),
    ownerKey: owner.publicKey,
    recipients: [member(owner.publicKey), ...others],
    receiptKeys: [realRandom.bytes(32)],
    previous: null,
    nonce: realRandom.bytes(16),
    issuedAtMs: 0,
  });
  const time = { boot: realRandom.bytes(16), monotonicMs: 0, wallMs: null, quality: 'unset' as const };
  const { outbox, mirror } = openOutbox({
    folder,
    limits: { maxBytes: 2 ** 28, maxAgeMs: 1e12 },
    time,
    log: silentLog,
    sha256: (data) => nodeSuite.sha256(data),
    signer: {
      device,
      sign: (record) => signObject(recordKind, nodeSuite, signer, record),
      openClaim: (bytes) => openSigned(claimKind, nodeSuite, bytes),
      openRecord: (bytes) => openSigned(recordKind, nodeSuite, bytes),
    },
  });
  outbox.beginEpoch(claim, time);
  noteOwnership(outbox, mirror);
  mirror.close();
  outbox.close();
}

/** Draws a scene in which people walk by as JPEG files, for a camera that replays them. */
export async function drawFrames(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const frames = await new BenchWorld().frames(count);
  for (const [i, { jpeg }] of frames.entries()) writeFileSync(join(folder, `${String(i).padStart(4, '0')}.jpg`), jpeg);
}
