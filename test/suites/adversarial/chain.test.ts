import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../../../common/limits.js';
import { noteBeforePublish } from '../../../agent/outbox/published.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { recordKind, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { checkContinuity } from '../../../protocol/verify/continuity.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import { stored } from '../../support/worlds/stored-event.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld } from '../../support/worlds/cloud-world.js';
import { codeOf } from '../../support/codes.js';
import { claimed, close, motion, open, type Opened } from '../../support/worlds/outbox-world.js';
import { tempFolder } from '../../support/runner/temp.js';

/** Returns the accept and four records; the last is a health record of an empty outbox. */
function history(world: CameraWorld, claim: Verified<Claim>): Verified<SealcamRecord>[] {
  const records = world.chain(claim, 3);
  const counts = { produced: 5, receipted: 4, queued: 0, quarantined: 0, lost: 0 };
  const frames = { framesSeen: 9, framesDropped: 0, framesCorrupt: 0 };
  const health = { agent: '0', uptimeS: 1, freeBytes: 1, ...counts, ...frames };
  records.push(
    world.record(claim, 4, records[3]?.hash ?? null, {
      kind: 'health',
      health: { ...health, camera: 'ok', privacy: false, connects: 1 },
    }),
  );
  return records;
}

/** Delivers records in this order. Returns the cloud's verdicts on some of them. */
async function verdictsAfter(order: readonly number[], of: readonly number[] = order): Promise<string> {
  const cloud = new CloudWorld();
  const world = cloud.camera();
  const claim = world.claim();
  const records = history(world, claim);
  const accept = records[0];
  if (accept === undefined) throw new Error('no accept');
  await cloud.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
  for (const seq of order)
    await cloud.records(
      world,
      records.filter(({ value }) => value.seq === seq),
    );
  const out: string[] = [];
  for (const seq of of) {
    const facts = await cloud.store.records.chainFacts(world.deviceId, 1, seq);
    const record = records[seq]?.value;
    if (record === undefined) throw new Error('no record');
    const continuity = checkContinuity(record, facts);
    out.push(
      continuity.verdict === 'gap'
        ? `gap of ${String(continuity.missing)}, ${continuity.signed ? 'signed' : 'unexplained'}`
        : continuity.verdict,
    );
  }
  return out.join(', ');
}

/** Returns how the API marks a camera whose newest records have been withheld for this time. */
async function silentFor(ms: number): Promise<string> {
  const api = await ApiWorld.open();
  const { token } = await stored(api);
  api.clock.advance(ms);
  const { body } = await api.get('/v1/cameras', token);
  const [camera] = (body as { cameras: { incomplete: boolean }[] }).cameras;
  return camera?.incomplete === true ? 'incomplete' : 'complete';
}

interface Rolled {
  readonly world: CameraWorld;
  readonly opened: Opened;
  /** Records that were published and that the older files do not have. */
  readonly gone: readonly Verified<SealcamRecord>[];
}

/** Returns a camera that published two records and then starts with older files. */
function rolledBack(files: readonly string[]): Rolled {
  const world = new CameraWorld();
  const folder = tempFolder();
  const first = claimed(world, folder);
  motion(world, first.outbox, 1);
  close(first);
  for (const name of ['outbox.db', 'outbox.mirror']) copyFileSync(join(folder, name), join(folder, `${name}.old`));
  const second = open(world, folder);
  const gone = [motion(world, second.outbox, 2), motion(world, second.outbox, 3)];
  noteBeforePublish(second.outbox, second.mirror, second.outbox.read({ epoch: 0, seq: -1 }, 10));
  close(second);
  for (const name of files) copyFileSync(join(folder, `${name}.old`), join(folder, name));
  return { world, opened: open(world, folder), gone };
}

/** Describes the first record after a start with older files. */
function nextAfter(files: readonly string[]): string {
  const { world, opened } = rolledBack(files);
  motion(world, opened.outbox, 9);
  const records = opened.outbox
    .read({ epoch: 0, seq: -1 }, 20)
    .map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value);
  close(opened);
  const gap = records.find(({ kind }) => kind === 'gap');
  const [loss] = gap?.loss ?? [];
  if (gap !== undefined) return `gap at ${String(gap.seq)}: ${loss?.reason ?? ''} ${loss?.seqs?.join(' to ') ?? ''}`;
  return `no gap, ends at ${String(records.at(-1)?.seq)}`;
}

/** Gives a rolled-back camera a receipt for the records that it lost. */
function receiptAhead(files: readonly string[]): string {
  const { world, opened, gone } = rolledBack(files);
  const { outbox } = opened;
  const claim = outbox.currentClaim();
  const last = gone.at(-1);
  if (claim === null || last === undefined) throw new Error('unclaimed');
  const { stopped } = outbox.applyReceipt(world.receipt(claim, [[0, last.value.seq, last.hash]]));
  const code = codeOf(() => motion(world, outbox, 9));
  close(opened);
  return `${stopped ? 'stopped' : 'continues'}; signing: ${code}`;
}

const both = ['outbox.db', 'outbox.mirror'];

attacks('chain', 'History: order, gaps, rollback', [
  {
    name: 'records reordered: seq 2 before seq 1',
    expected: 'pending',
    observed: () => verdictsAfter([2], [2]),
    control: { name: 'after seq 1 has arrived', expected: 'intact', observed: () => verdictsAfter([2, 1], [2]) },
  },
  {
    name: 'the middle deleted: seq 2 and 3 never arrive',
    expected: 'gap of 2, unexplained',
    observed: () => verdictsAfter([1, 4], [4]),
    control: { name: 'all four records', expected: 'intact', observed: () => verdictsAfter([1, 2, 3, 4], [4]) },
  },
  {
    name: 'the tail withheld for more than two intervals of health records',
    expected: 'incomplete',
    observed: () => silentFor(2 * LIMITS.healthCadenceMs + 1),
    control: {
      name: '1 ms earlier',
      expected: 'complete',
      observed: () => silentFor(2 * LIMITS.healthCadenceMs),
    },
  },
  {
    name: 'the database rolled back',
    expected: 'gap at 4: state-lost 2 to 3',
    observed: () => nextAfter(['outbox.db']),
    control: { name: 'no rollback', expected: 'no gap, ends at 4', observed: () => nextAfter([]) },
  },
  {
    name: 'database and mirror rolled back, then a receipt ahead of them',
    expected: 'stopped; signing: signing-stopped',
    observed: () => receiptAhead(both),
    control: {
      name: 'no rollback',
      expected: 'continues; signing: accepted',
      observed: () => receiptAhead([]),
    },
  },
]);
