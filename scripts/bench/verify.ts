import { createPublicKey, verify } from 'node:crypto';
import { join } from 'node:path';
import { realRandom } from '../../common/adapters/real-random.js';
import { judgeAccept, judgeRecord } from '../../cloud/ingest/judge.js';
import { openSqliteStore } from '../../cloud/store/sqlite/sqlite-store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { recordKind } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { parseSign1 } from '../../protocol/wire/cose.js';
import { compare, round, type Figure } from './measure.js';
import { motionRecord } from './stages.js';
import { busySealer, type BenchWorld } from './world.js';

const STORED = 400;

export interface VerifyRates {
  /** Records a second on one core: signature, encoding, fields, binding. */
  readonly verified: number;
  /** Ed25519 verifications a second of node:crypto alone, in the same run. */
  readonly bare: number;
  readonly share: number;
  /** Records a second through ingest into SQLite on this disk, one after the other, with a picture each. */
  readonly stored: number;
  readonly figure: Figure;
}

/** Measures what the cloud does for each record, beside the bare signature check. */
export async function benchVerify(world: BenchWorld, folder: string): Promise<VerifyRates> {
  const claim = world.claim(1);
  const sealer = busySealer();
  const content = { detail: { reason: 'motion' as const, area: 40, startedMs: 0 }, jpeg: realRandom.bytes(12_000) };
  const media = await Promise.all(
    Array.from({ length: STORED }, () => sealer.seal(claim, realRandom.bytes(16), 'thumbnail', content)),
  );
  const records = media.map((sealed, i) =>
    signObject(recordKind, nodeSuite, world.device, motionRecord(world, claim, sealed, i + 1)),
  );
  const first = records[0];
  if (first === undefined) throw new Error('no records');
  const { device, account, epoch } = claim.value;
  const row = { device, account, epoch, claimHash: claim.hash, state: 'open' as const, closedAtSeq: null };

  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(world.device.publicKey)]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const { sigStructure, signature } = parseSign1(first.bytes, recordKind.domain, recordKind.maxBytes);
  const figure = await compare({
    name: 'verify and bind a record',
    work: () => {
      const { value } = openSigned(recordKind, nodeSuite, first.bytes);
      if (checkBinding(value, row) !== 'bound') throw new Error('not bound');
    },
    floor: 'node:crypto Ed25519 verify alone',
    floorWork: () => {
      if (!verify(null, sigStructure, key, signature)) throw new Error('not verified');
    },
  });

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
  return {
    verified: round(1e6 / figure.us),
    bare: round(1e6 / figure.floorUs),
    share: round(1 / figure.ratio),
    stored: round(stored),
    figure,
  };
}
