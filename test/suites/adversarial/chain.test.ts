import { LIMITS } from '../../../common/limits.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { checkContinuity } from '../../../protocol/verify/continuity.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import { stored } from '../../support/worlds/stored-event.js';
import { attacks } from '../../support/attack.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld } from '../../support/worlds/cloud-world.js';
import { BOTH_FILES, describeRecords, RestoredCamera, type OutboxFile } from '../../support/worlds/restored-camera.js';
import { keyRecordInEpoch, secondKeyRecord } from '../../support/worlds/version-two.js';

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

/** Describes the first record after a start with older files. */
function nextAfter(files: readonly OutboxFile[]): string {
  const camera = new RestoredCamera(files);
  camera.motion();
  const records = camera.records();
  camera.close();
  const gap = records.find(({ kind }) => kind === 'gap');
  const [loss] = gap?.loss ?? [];
  if (gap !== undefined) return `gap at ${String(gap.seq)}: ${loss?.reason ?? ''} ${loss?.seqs?.join(' to ') ?? ''}`;
  return `no gap, ends at ${String(records.at(-1)?.seq)}`;
}

/** Takes a rolled-back camera through the answer of a cloud that has the records it lost. Returns what it signs then. */
function afterReject(files: readonly OutboxFile[]): string {
  const camera = new RestoredCamera(files);
  const own = camera.motion();
  const there = camera.gone.find(({ value }) => value.seq === own.value.seq);
  if (there !== undefined) camera.give(camera.reject(own, 3, camera.gone.at(-1)?.hash));
  camera.motion();
  const signed = describeRecords(camera.records(2));
  camera.close();
  return signed;
}

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
    name: 'database and mirror rolled back: the cloud rejects the next record, since it has another',
    expected: 'gap 4 (state-lost 3 to 3), motion 5',
    observed: () => afterReject(BOTH_FILES),
    control: {
      name: 'no rollback',
      expected: 'motion 2, motion 3, motion 4, motion 5',
      observed: () => afterReject([]),
    },
  },
  {
    name: 'a key record replayed into the next epoch',
    expected: 'foreign',
    observed: () => keyRecordInEpoch('the next'),
    control: { name: 'in its own epoch', expected: 'bound', observed: () => keyRecordInEpoch('its own') },
  },
  {
    name: 'a second key record for a period, with another key',
    expected: 'equivocation; the period is not shown',
    observed: () => secondKeyRecord('another key'),
    control: {
      name: 'the same record again',
      expected: 'duplicate; the period is shown',
      observed: () => secondKeyRecord('the same'),
    },
  },
]);
