import { join } from 'node:path';
import { realRandom } from '../../common/adapters/real-random.js';
import { judgeAccept, judgeRecord } from '../../cloud/ingest/judge.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { recordKind } from '../../protocol/objects/record.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { round } from './measure.js';
import { motionRecord } from './stages.js';
import { busySealer, type BenchWorld } from './world.js';

const STORED = 400;

/** Returns the records a second through ingest into SQLite on this disk, one after the other, with a picture each. */
export async function benchIngest(world: BenchWorld, folder: string): Promise<number> {
  const claim = world.claim(1);
  const sealer = busySealer();
  const content = { detail: { reason: 'motion' as const, area: 40, startedMs: 0 }, jpeg: realRandom.bytes(12_000) };
  const media = await Promise.all(
    Array.from({ length: STORED }, () => sealer.seal(claim, realRandom.bytes(16), 'thumbnail', content)),
  );
  const records = media.map((sealed, i) =>
    signObject(recordKind, nodeSuite, world.device, motionRecord(world, claim, sealed, i + 1)),
  );
  const { device, account, epoch } = claim.value;
  const store = openSqliteStore(join(folder, 'cloud.db'));
  const accept = signObject(recordKind, nodeSuite, world.device, {
    device,
    account,
    epoch,
    claimHash: claim.hash,
    seq: 0,
    prev: claim.hash,
    time: world.time(0),
    kind: 'accept' as const,
  });
  await judgeAccept({ store, suite: nodeSuite, device, claim: claim.bytes, record: accept.bytes, nowMs: 0 });
  const startedNs = process.hrtime.bigint();
  for (const [i, { bytes }] of records.entries()) {
    const sealed = media[i]?.sealed ?? null;
    const judged = await judgeRecord({
      store,
      suite: nodeSuite,
      device,
      sent: { record: bytes, media: [sealed] },
      nowMs: 0,
    });
    if (judged.type !== 'stored' || judged.entry === null) throw new Error('not stored');
  }
  const stored = STORED / (Number(process.hrtime.bigint() - startedNs) / 1e9);
  await store.close();
  return round(stored);
}
