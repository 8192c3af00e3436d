import { realRandom } from '../../common/adapters/real-random.js';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import type { CloudStore, NewMedia } from '../../cloud/store/store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { commandKindV2 } from '../../protocol/objects/command.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { Attack } from './attack.js';
import { ApiWorld } from './worlds/api-world.js';
import { CameraV2, periodIdOf } from './worlds/camera-v2.js';
import { CameraWorld } from './worlds/camera-world.js';
import { CloudWorld, offerOf } from './worlds/cloud-world.js';
import { storedPeriod, type StoredPeriod } from './worlds/stored-period.js';

const NO_BYTES = new Uint8Array(0);

/** A camera whose claim of version 2 a cloud has, and its key record, which is not stored yet. */
async function ingesting() {
  const cloud = new CloudWorld();
  const camera = new CameraV2(cloud.camera());
  const claim = camera.claim();
  const accept = camera.accept(claim);
  await cloud.up(camera.world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
  return { cloud, camera, claim, accept, key: camera.key(claim, 1, accept.hash) };
}

/** Sends a record, and returns what the cloud answers: `stored`, `rejected: …`, `no receipt`. */
async function answer(
  cloud: CloudWorld,
  camera: CameraV2,
  record: Verified<AnyRecord>,
  object?: NewMedia,
): Promise<string> {
  cloud.sent.length = 0;
  await cloud.records(camera.world, [record], object === undefined ? [] : [object.sealed]);
  const [receipt] = cloud.receipts();
  if (receipt === undefined) return 'no receipt';
  const [reject] = receipt.rejects ?? [];
  return reject === undefined ? 'stored' : `rejected: ${reject[2]}`;
}

async function keyRecordUnder(of: 'its claim' | 'another claim'): Promise<string> {
  const { cloud, camera, accept, claim, key } = await ingesting();
  const other = camera.key(camera.claim(), 1, accept.hash, periodIdOf(key.record));
  const { record, object } = of === 'its claim' ? camera.key(claim, 1, accept.hash) : other;
  return answer(cloud, camera, record, object);
}

async function secondKeyRecord(of: 'the same period' | 'another period'): Promise<string> {
  const { cloud, camera, claim, key } = await ingesting();
  await answer(cloud, camera, key.record, key.object);
  const second = camera.key(claim, 2, key.record.hash, of === 'the same period' ? periodIdOf(key.record) : undefined);
  return answer(cloud, camera, second.record, second.object);
}

/** Sends a record of one version into an epoch of another or the same. */
async function recordOf(version: 1 | 2, epochOf: 1 | 2): Promise<string> {
  const cloud = new CloudWorld();
  const camera = new CameraV2(cloud.camera());
  const { world } = camera;
  const [one, two] = [world.claim(), camera.claim()];
  const first = world.record(one, 0, one.hash, { kind: 'accept' });
  const claim = epochOf === 1 ? one : two;
  const accept = epochOf === 1 ? first : camera.accept(two);
  await cloud.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
  const body = { kind: 'scene', scene: { class: 'stall' } } as const;
  const under = { hash: claim.hash };
  return version === 1
    ? answer(cloud, camera, world.record({ ...one, ...under }, 1, accept.hash, body))
    : answer(cloud, camera, camera.world.recordV2({ ...two, ...under }, 1, accept.hash, body));
}

/** Stores a camera in two epochs, with a key record in the first one. */
async function reading(wrap?: (store: CloudStore) => CloudStore): Promise<StoredPeriod> {
  const stored = await storedPeriod(wrap);
  const { api, camera, claim } = stored;
  const next = camera.claim(2, claim.hash);
  await api.store.claims.accept(next, camera.accept(next), 0, camera.kemKeys);
  return stored;
}

/** Asks for the key record of a period, and says whether it was served, or refused with an alarm. */
async function served({ api, camera, key, ...of }: StoredPeriod, epoch = 1, periodId = of.periodId): Promise<string> {
  const { token } = await api.session(camera.world.owner);
  const path = `/v1/devices/${toHex(camera.world.deviceId)}/epochs/${String(epoch)}/periods/${toHex(periodId)}`;
  const { status, body } = await api.get(path, token);
  if (status === 200) {
    const isRight = (body as { record: { record: string } }).record.record === toBase64(key.record.bytes);
    return isRight ? 'served' : 'another one served';
  }
  return api.counters.get('alarms') > 0 ? `${String(status)} and an alarm` : String(status);
}

/** A store that answers with the key record of the first epoch, whatever epoch was asked for. */
function crossedEpochs(store: CloudStore): CloudStore {
  const keyRecord: CloudStore['records']['keyRecord'] = (device, _, periodId) =>
    store.records.keyRecord(device, 1, periodId);
  return { ...store, records: { ...store.records, keyRecord } };
}

/** A store in which the body of every key record is another one of the same length. */
function otherBodies(store: CloudStore): CloudStore {
  const keyRecord: CloudStore['records']['keyRecord'] = async (...asked) => {
    const found = await store.records.keyRecord(...asked);
    if (found === undefined || found.sealed === null) return found;
    const { header, body } = found.sealed;
    return { ...found, sealed: { header, body: realRandom.bytes(body.length) } };
  };
  return { ...store, records: { ...store.records, keyRecord } };
}

/** Sends a claim with its KEM keys, one of them replaced or not; returns the error, or what the camera is sent. */
async function kemKeySent(isReplaced: boolean): Promise<string> {
  const api = await ApiWorld.open();
  const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
  const { world } = camera;
  const claim = camera.claim();
  const { bytes: offer } = offerOf(world, { version: 2, nonce: claim.value.nonce });
  await api.store.claims.putOffer(world.deviceId, { offer, atMs: api.clock.wallMs() });
  const kemKeys = camera.kemKeys.map((key, i) => (isReplaced && i === 2 ? realRandom.bytes(key.length) : key));
  const { token } = await api.session(world.owner);
  const body = { claim: toBase64(claim.bytes), mac: null, kemKeys: kemKeys.map(toBase64) };
  const sent = await api.send('POST', '/v1/claims', token, body);
  if (sent.status === 202) return api.sentDown.length === 1 ? 'sent to the camera' : 'not sent';
  return (sent.body as { error: { code: string } }).error.code;
}

/** Replaces a KEM key where a claim waits in the store; returns whether its recipient's key is served after the accept. */
async function kemKeyWaiting(isReplaced: boolean): Promise<string> {
  const cloud = new CloudWorld();
  const camera = new CameraV2(cloud.camera());
  const claim = camera.claim();
  const kemKeys = camera.kemKeys.map((key, i) => (isReplaced && i === 2 ? realRandom.bytes(key.length) : key));
  const pending = { claim: claim.bytes, mac: null, kemKeys, nonce: claim.value.nonce, atMs: 0 };
  await cloud.store.claims.putPending(camera.world.deviceId, pending);
  const accept = camera.accept(claim);
  await cloud.up(camera.world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
  const [own, sent] = [camera.kemKeys[2] ?? NO_BYTES, kemKeys[2] ?? NO_BYTES];
  const hashes = [own, sent].map((key) => kemHash(nodeSuite, key));
  const stored = await cloud.store.claims.kemKeys(hashes);
  if (stored.every((key) => key === null)) return 'no key is stored';
  return stored[0] !== null && equal(stored[0] ?? NO_BYTES, own)
    ? "the recipient's key is stored"
    : 'the other key is stored';
}

/** Gives an order as one of the household's browsers. */
async function orderBy(who: 'a member' | "the owner's other browser"): Promise<string> {
  const { api, camera } = await reading();
  const latest = await api.store.claims.latest(camera.world.deviceId);
  const signer = camera.signers[who === 'a member' ? 2 : 1];
  const claimHash = latest?.claimHash ?? NO_BYTES;
  const command = signObject(commandKindV2, nodeSuite, signer, {
    version: 2,
    action: 'privacy',
    privacy: true,
    device: camera.world.deviceId,
    epoch: 2,
    claimHash,
    counter: 1,
    recent: [0, claimHash],
  });
  const { token } = await api.session(signer);
  const url = `/v1/devices/${toHex(camera.world.deviceId)}/commands`;
  const { status } = await api.send('POST', url, token, { command: toBase64(command.bytes) });
  return status === 202 ? 'passed on' : String(status);
}

const ownEpoch = {
  name: 'asked for in its own epoch',
  expected: 'served',
  observed: (): Promise<string> => reading().then((read) => served(read)),
};

/** Protocol version 2 at a cloud's ingest and at its reads. */
export const version2Attacks: readonly Attack[] = [
  {
    name: 'a key record signed under another claim of the same camera and epoch',
    expected: 'no receipt',
    observed: () => keyRecordUnder('another claim'),
    control: { name: 'under its own claim', expected: 'stored', observed: () => keyRecordUnder('its claim') },
  },
  {
    name: 'a second key record of a period, with another key',
    expected: 'rejected: equivocation',
    observed: () => secondKeyRecord('the same period'),
    control: { name: 'of another period', expected: 'stored', observed: () => secondKeyRecord('another period') },
  },
  {
    name: 'a record of version 1 in an epoch of version 2',
    expected: 'rejected: malformed',
    observed: () => recordOf(1, 2),
    control: { name: 'one of version 2', expected: 'stored', observed: () => recordOf(2, 2) },
  },
  {
    name: 'a record of version 2 in an epoch of version 1',
    expected: 'rejected: malformed',
    observed: () => recordOf(2, 1),
    control: { name: 'one of version 1', expected: 'stored', observed: () => recordOf(1, 1) },
  },
  {
    name: 'a KEM key replaced beside a claim on its way to the cloud',
    expected: 'kem-key',
    observed: () => kemKeySent(true),
    control: { name: 'not replaced', expected: 'sent to the camera', observed: () => kemKeySent(false) },
  },
  {
    name: 'a KEM key replaced where the claim waits for its camera',
    expected: 'no key is stored',
    observed: () => kemKeyWaiting(true),
    control: { name: 'not replaced', expected: "the recipient's key is stored", observed: () => kemKeyWaiting(false) },
  },
  {
    name: 'a key record withheld: asked for before it arrived',
    expected: '404',
    observed: async () => served(await reading(), 1, realRandom.bytes(16)),
    control: ownEpoch,
  },
  {
    name: 'a key record of an earlier epoch, served in a later one by a store that is mixed up',
    expected: '404 and an alarm',
    observed: async () => served(await reading(crossedEpochs), 2),
    control: ownEpoch,
  },
  {
    name: 'the body of a key record replaced in the store',
    expected: '404 and an alarm',
    observed: async () => served(await reading(otherBodies)),
    control: ownEpoch,
  },
  {
    name: 'an order by a member of the household, in an epoch of version 2',
    expected: '404',
    observed: () => orderBy('a member'),
    control: {
      name: "by the owner's other browser",
      expected: 'passed on',
      observed: () => orderBy("the owner's other browser"),
    },
  },
];
