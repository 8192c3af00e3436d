import { SealcamError } from '../../../common/errors.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import type { ClaimRow } from '../../../cloud/store/store.js';
import { attacks } from '../../support/attack.js';
import { version2Attacks } from '../../support/version2-attacks.js';
import { mediaTwice } from '../../support/worlds/media-twice.js';
import { CloudWorld, pictured, scene } from '../../support/worlds/cloud-world.js';
import { withRows } from '../../support/worlds/wrong-rows.js';

type Wrap = (store: CloudStore) => CloudStore;
type Row = (device: Uint8Array, epoch: number) => Promise<ClaimRow | undefined>;

const honest: Wrap = (store) => store;

/** A cloud whose claim rows do not come straight from the store. */
function rowsFrom(make: (row: Row) => Row): Wrap {
  return (store) =>
    withRows(
      store,
      make((...key) => store.claims.row(...key)),
    );
}

/** Returns ingest's verdict on the last message: its refusals, or that it was stored and receipted. */
function verdictOf(cloud: CloudWorld): string {
  const refused = Object.keys(cloud.counters.snapshot()).filter((name) => name.startsWith('refused.'));
  const receipted = cloud.receipts().length > 0;
  const verdict = refused.map((name) => name.slice('refused.'.length)).join(', ');
  if (cloud.counters.get('ingest.store-unavailable') > 0)
    return receipted ? 'receipted' : 'no receipt, nothing refused';
  if (verdict !== '') return receipted ? `${verdict}, but receipted` : `${verdict}, no receipt`;
  return cloud.stored.length > 0 && receipted ? 'stored and receipted' : 'nothing';
}

async function sceneThrough(wrap: Wrap): Promise<string> {
  const cloud = new CloudWorld(wrap);
  const { world, claim, accept } = await cloud.claimed();
  await cloud.records(world, [scene(world, claim, 1, accept.hash)]);
  return verdictOf(cloud);
}

/** A mapping from devices to accounts that answers each query with the row of the query before. */
function crossed(row: Row): Row {
  let before: ClaimRow | undefined;
  return async (device, epoch) => {
    const mine = await row(device, epoch);
    const answer = before ?? mine;
    before = mine;
    return answer;
  };
}

async function twoCameras(wrap: Wrap): Promise<string> {
  const cloud = new CloudWorld(wrap);
  const a = await cloud.claimed();
  const b = await cloud.claimed();
  await cloud.records(a.world, [scene(a.world, a.claim, 1, a.accept.hash)]);
  cloud.sent.length = 0;
  cloud.stored.length = 0;
  await cloud.records(b.world, [scene(b.world, b.claim, 1, b.accept.hash)]);
  return verdictOf(cloud);
}

/** Returns rows as they were when the camera still had its first owner. */
function staleRow(row: Row): Row {
  const first = new Map<string, ClaimRow | undefined>();
  return async (device, epoch) => {
    const name = Buffer.from(device).toString('hex');
    if (!first.has(name)) first.set(name, await row(device, epoch));
    return first.get(name);
  };
}

async function newOwner(wrap: Wrap): Promise<string> {
  const cloud = new CloudWorld(wrap);
  const { world, claim, accept } = await cloud.claimed();
  await cloud.records(world, [scene(world, claim, 1, accept.hash)]);
  const second = world.claim(2, claim.hash);
  const accepted = world.record(second, 0, second.hash, { kind: 'accept' });
  await cloud.up(world, { type: 'accept', claim: second.bytes, record: accepted.bytes });
  cloud.sent.length = 0;
  cloud.stored.length = 0;
  await cloud.records(world, [scene(world, second, 1, accepted.hash)]);
  return verdictOf(cloud);
}

async function onTopicOf(whose: 'own' | 'other'): Promise<string> {
  const cloud = new CloudWorld();
  const a = await cloud.claimed();
  const b = await cloud.claimed();
  const { bytes } = scene(a.world, a.claim, 1, a.accept.hash);
  const topic = topicOf((whose === 'own' ? a : b).world.deviceId, 'up');
  await cloud.up(a.world, { type: 'records', records: [{ record: bytes, media: [] }] }, topic);
  return verdictOf(cloud);
}

/** Sends a record with one field edited in transit, without the camera's key. */
async function edited(field: (record: SealcamRecord) => Uint8Array | null): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  const { bytes, value } = scene(world, claim, 1, accept.hash);
  const copy = Buffer.from(bytes);
  const part = field(value);
  if (part !== null) {
    const at = copy.indexOf(part);
    copy[at + part.length - 1] = (copy[at + part.length - 1] ?? 0) ^ 1;
  }
  await cloud.up(world, { type: 'records', records: [{ record: new Uint8Array(copy), media: [] }] });
  return verdictOf(cloud);
}

/** Map key 4 (epoch) with its value 1, between account and claim hash. */
function epochField({ account }: SealcamRecord): Uint8Array {
  return Buffer.concat([account, Uint8Array.of(4, 1)]);
}

const untouched = {
  name: 'the same record unedited',
  expected: 'stored and receipted',
  observed: () => edited(() => null),
};

async function mediaUnder(whose: 'own' | 'other'): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  const first = pictured(world, claim, 1, accept.hash);
  const second = pictured(world, claim, 2, first.record.hash);
  await cloud.records(world, [first.record], [(whose === 'own' ? first : second).sealed]);
  return verdictOf(cloud);
}

async function duplicate(): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  const record = scene(world, claim, 1, accept.hash);
  await cloud.records(world, [record]);
  await cloud.records(world, [record]);
  const { 'records.stored': stored, 'records.duplicate': again } = cloud.counters.snapshot();
  // The accept is one of them.
  return `stored ${String((stored ?? 0) - 1)}, duplicates ${String(again ?? 0)}`;
}

async function secondForSeq(again: boolean): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  const first = scene(world, claim, 1, accept.hash);
  await cloud.records(world, [first]);
  cloud.sent.length = 0;
  const other = world.record(claim, again ? 1 : 2, again ? accept.hash : first.hash, {
    kind: 'scene',
    scene: { class: 'tamper' },
  });
  await cloud.records(world, [other]);
  const [receipt] = cloud.receipts();
  const kept = await cloud.store.records.get(world.deviceId, 1, 1);
  const isFirst = kept !== undefined && openSigned(recordKind, nodeSuite, kept.bytes).value.scene?.class === 'stall';
  const rejected = receipt?.rejects?.map(([, , code]) => code).join() ?? '';
  return `${rejected === '' ? 'stored' : rejected}; the first ${isFirst ? 'stays' : 'is gone'}`;
}

/** Sends records of two cameras with one device key: a clone, made by reading the flash. */
async function cloned(isClone: boolean): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  const one = scene(world, claim, 1, accept.hash);
  await cloud.records(world, [one]);
  // The clone continues from the same state, and records another event.
  const next = isClone ? world.record(claim, 1, accept.hash, { kind: 'scene', scene: { class: 'tamper' } }) : one;
  await cloud.records(world, [next]);
  return cloud.counters.get('alarms') > 0 ? 'equivocation, alarm' : 'no alarm';
}

async function flood(messages: number): Promise<string> {
  const cloud = new CloudWorld();
  const { world, claim, accept } = await cloud.claimed();
  for (let i = 0; i < messages; i++)
    await cloud.ingest.handleMessage(topicOf(world.deviceId, 'up'), Uint8Array.of(i & 0xff, i));
  const kept = await cloud.store.quarantine.count();
  await cloud.records(world, [scene(world, claim, 1, accept.hash)]);
  const counted = cloud.counters.get('refused.malformed');
  return `${String(counted)} counted, ${String(kept)} kept, then a valid one is ${cloud.stored.length === 1 ? 'stored' : 'lost'}`;
}

attacks('mapping', 'At ingest: mapping and messages', [
  {
    name: 'swapped mapping: the row of the camera queried before',
    expected: 'foreign, no receipt',
    observed: () => twoCameras(rowsFrom(crossed)),
    control: { name: 'the row from the store', expected: 'stored and receipted', observed: () => twoCameras(honest) },
  },
  {
    name: 'the claim store is unreachable',
    expected: 'no receipt, nothing refused',
    observed: () =>
      sceneThrough(rowsFrom(() => () => Promise.reject(new SealcamError('store-unavailable', 'no answer')))),
    control: { name: 'the store answers', expected: 'stored and receipted', observed: () => sceneThrough(honest) },
  },
  {
    name: "a stale claim row: the previous owner's",
    expected: 'foreign, no receipt',
    observed: () => newOwner(rowsFrom(staleRow)),
    control: { name: 'the present row', expected: 'stored and receipted', observed: () => newOwner(honest) },
  },
  {
    name: "an event on the topic of another account's camera",
    expected: 'foreign, no receipt',
    observed: () => onTopicOf('other'),
    control: { name: 'on its own topic', expected: 'stored and receipted', observed: () => onTopicOf('own') },
  },
  {
    name: 'a byte of the account edited',
    expected: 'malformed, no receipt',
    observed: () => edited(({ account }) => account),
    control: untouched,
  },
  {
    name: 'a byte of the epoch edited',
    expected: 'malformed, no receipt',
    observed: () => edited(epochField),
    control: untouched,
  },
  {
    name: 'a byte of the claim hash edited',
    expected: 'malformed, no receipt',
    observed: () => edited(({ claimHash }) => claimHash),
    control: untouched,
  },
  {
    name: 'a picture sent with another event',
    expected: 'malformed, no receipt',
    observed: () => mediaUnder('other'),
    control: { name: "the event's own picture", expected: 'stored and receipted', observed: () => mediaUnder('own') },
  },
  {
    name: 'a media id that a second record names for another picture',
    expected: 'rejected (malformed), its picture is not kept',
    observed: () => mediaTwice(true),
    control: {
      name: 'an id of its own',
      expected: 'receipted, its picture is kept',
      observed: () => mediaTwice(false),
    },
  },
  {
    name: 'a record replayed',
    expected: 'stored 1, duplicates 1',
    observed: duplicate,
    control: {
      name: 'another record with the next seq',
      expected: 'stored; the first stays',
      observed: () => secondForSeq(false),
    },
  },
  {
    name: 'the same seq with other content',
    expected: 'equivocation; the first stays',
    observed: () => secondForSeq(true),
    control: { name: 'with the next seq', expected: 'stored; the first stays', observed: () => secondForSeq(false) },
  },
  {
    name: 'a cloned device key: two cameras continue from one state',
    expected: 'equivocation, alarm',
    observed: () => cloned(true),
    control: { name: 'one camera sends its record again', expected: 'no alarm', observed: () => cloned(false) },
  },
  {
    name: 'the quarantine flooded: 200 forged messages in a minute',
    expected: '200 counted, 30 kept, then a valid one is stored',
    observed: () => flood(200),
    control: {
      name: '20 messages',
      expected: '20 counted, 20 kept, then a valid one is stored',
      observed: () => flood(20),
    },
  },
  ...version2Attacks,
]);
