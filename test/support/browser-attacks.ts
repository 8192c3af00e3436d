import { CloudClient } from '../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../app/core/history-keeper.js';
import { recipientOf } from '../../app/core/owner-keys.js';
import { MemoryStorage } from '../../app/core/storage.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { equal, toBase64, toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import type { CloudStore } from '../../cloud/store/store.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { claimKindV2, type ClaimV2 } from '../../protocol/objects/claim.js';
import { commandKindV2 } from '../../protocol/objects/command.js';
import { accountId } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { offerKindV2 } from '../../protocol/objects/offer.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import type { Attack } from './attack.js';
import { asyncCodeOf } from './codes.js';
import { ApiWorld, CLOUD, PAGE } from './worlds/api-world.js';
import { CameraV2 } from './worlds/camera-v2.js';
import { CameraWorld } from './worlds/camera-world.js';
import { listOf } from './worlds/maker-list-world.js';
import { household, type OrderWorld, phone, recipientOf as recipient } from './worlds/order-world.js';
import { keeperOf } from './worlds/ownership-world.js';
import { kemKeyOf, newPerson } from './worlds/sealing-camera.js';

type Who = 'the further browser' | 'the root key';

/** An order to the camera by the further browser, `phone`, or with the root key. */
function order(world: OrderWorld, who: Who, change: { action: 'release' } | { counter?: number } = {}): string {
  const by = who === 'the root key' ? world.camera.owner : phone;
  const recent = world.recentRecord();
  const { epoch } = world.claim.value;
  const rest = { epoch, recent, counter: 100 };
  const what = 'action' in change ? change : { action: 'sensitivity' as const, sensitivity: 9, ...change };
  return world.sendOrder(world.makeOrder({ ...rest, ...what }, by));
}

/** Removes the further browser, or claims again with it; then it orders under the new claim. */
function orderAfter(isRemoved: boolean): string {
  const world = household();
  next(world, isRemoved);
  return order(world, 'the further browser');
}

/** An order that the cloud keeps back while the further browser is removed. */
function orderKeptBack(isKeptBack: boolean): string {
  const world = household();
  const { epoch } = world.claim.value;
  const kept = world.makeOrder(
    { action: 'sensitivity', sensitivity: 9, epoch, counter: 100, recent: world.recentRecord() },
    phone,
  );
  if (isKeptBack) next(world, true);
  return world.sendOrder(kept);
}

function next(world: OrderWorld, isRemoved: boolean): void {
  const { owner } = world.camera;
  const further = isRemoved ? [] : [recipient(phone.publicKey, 'owner')];
  const recipients = [recipient(owner.publicKey, 'owner'), ...further];
  const claim = world.camera.claimV2(3, world.claim.hash, { recipients });
  world.outbox.beginEpoch(claim, world.time());
  world.claim = claim;
  world.orders.ownerChanged();
}

/** The further browser uses a counter that is as far ahead as may be; then somebody orders by the time. */
function counterUsedUp(then: Who): string {
  const world = household();
  const nowMs = world.time().wallMs ?? 0;
  order(world, 'the further browser', { counter: nowMs + LIMITS.orderAheadMaxMs - 1000 });
  return order(world, then, { counter: nowMs });
}

/** The next claim of a camera that has an owner, by a key that the present claim names as an owner, or by the root key. */
async function claimedBy(who: Who): Promise<string> {
  const { camera, nonce, give, keeper } = keeperOf(2);
  const thief = new CameraWorld({ owner: phone });
  const named = recipient(phone.publicKey, 'owner');
  const kem = kemHash(nodeSuite, thief.kemKeys[0] ?? new Uint8Array(0));
  const first = camera.claimV2(1, null, {
    nonce: nonce(),
    recipients: [...camera.claimV2().value.recipients, { ...named, kem }],
  });
  await give(first, [...camera.kemKeys, ...thief.kemKeys]);
  keeper.offerToOwner();
  const by = who === 'the root key' ? camera : thief;
  return give(by.claimV2(2, first.hash, { nonce: nonce(), device: camera.deviceId }), by.kemKeys);
}

/** A claim with one recipient more, for which the cloud cannot have the root key's signature. */
async function addedRecipient(by: 'the cloud' | 'the root key'): Promise<string> {
  const [root, spy] = [newPerson(), newPerson()];
  const own = { ed25519: root.signer.publicKey, kem: kemHash(nodeSuite, kemKeyOf(root)), role: 'owner' } as const;
  const more = { ed25519: spy.signer.publicKey, kem: kemHash(nodeSuite, kemKeyOf(spy)), role: 'owner' } as const;
  const cloud = nodeSuite.ed25519Signer(realRandom.bytes(32));
  const signer: Signer = by === 'the root key' ? root.signer : { ...cloud, publicKey: root.signer.publicKey };
  const world = new CameraWorld({ owner: root.signer });
  const { value } = world.claimV2();
  const claim = signObject(claimKindV2, nodeSuite, signer, { ...value, recipients: [own, more] });
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(root), {
    kemHash: () => Promise.resolve(own.kem),
  });
  return asyncCodeOf(() => history.addClaim(claim.bytes));
}

/** A claim with the root key's signature that names the further browser beside its own KEM key, or another one. */
async function kemNamed(isSwapped: boolean): Promise<string> {
  const [root, further] = [newPerson(), newPerson()];
  const own = kemHash(nodeSuite, kemKeyOf(further));
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(further), {
    kemHash: () => Promise.resolve(own),
  });
  await history.accept({ ownerKey: root.signer.publicKey });
  const kem = isSwapped ? kemHash(nodeSuite, kemKeyOf(newPerson())) : own;
  const world = new CameraWorld({ owner: root.signer });
  const recipients = [
    ...world.claimV2().value.recipients,
    { ed25519: further.signer.publicKey, kem, role: 'owner' as const },
  ];
  return asyncCodeOf(() => history.addClaim(world.claimV2(1, null, { recipients }).bytes));
}

/** The root browser asks the cloud for the KEM key whose hash stood in the further browser's code. */
async function kemFetched(isSwapped: boolean): Promise<string> {
  const swapped = kemKeyOf(newPerson());
  const swap = (store: CloudStore): CloudStore => ({
    ...store,
    claims: { ...store.claims, offeredKemKey: () => Promise.resolve(swapped) },
  });
  const api = await ApiWorld.open(isSwapped ? swap : undefined);
  const port = await api.port();
  const [root, further] = [newPerson(), newPerson()];
  const options = { suite: nodeSuite, clock: api.clock, cloudOrigin: CLOUD, pageOrigin: PAGE };
  const clientOf = (keys: typeof root): CloudClient =>
    new CloudClient({
      ...options,
      keys,
      fetch: (url, init) => fetch(url.replace(CLOUD, `http://127.0.0.1:${String(port)}`), init),
    });
  const own = kemKeyOf(further);
  const hash = kemHash(nodeSuite, own);
  await clientOf(further).sendKemKey(hash, own);
  return asyncCodeOf(() => clientOf(root).kemKey(hash));
}

/** A cloud with a camera whose claim names a further browser, and requests of either to it. */
async function cloudOf(who: Who) {
  const api = await ApiWorld.open();
  const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
  const claim = camera.claim();
  await api.store.claims.accept(claim, camera.accept(claim), 0, camera.kemKeys);
  const signer = camera.signers[who === 'the root key' ? 0 : 1];
  const { token } = await api.session(signer);
  const send = async (url: string, body: object): Promise<string> => {
    const { status, body: answer } = await api.send('POST', url, token, body);
    if (status < 300) return 'done';
    return (answer as { error: { code: string } }).error.code;
  };
  return { api, camera, claim, signer, send, device: toHex(camera.world.deviceId) };
}

/** The next claim of the camera, sent to the cloud, with an offer that the owner asked for. */
async function claimSent(who: Who): Promise<string> {
  const { api, camera, claim, signer, send } = await cloudOf(who);
  const { device, deviceId } = camera.world;
  const nonce = realRandom.bytes(16);
  const asked = {
    version: 2,
    device: deviceId,
    lastEpoch: 1,
    lastClaimHash: claim.hash,
    mode: 'owner',
    nonce,
  } as const;
  const offer = signObject(offerKindV2, nodeSuite, device, asked);
  await api.store.claims.putOffer(deviceId, offer.bytes, api.clock.wallMs());
  const own = claim.value.recipients.findIndex(({ ed25519 }) => equal(ed25519, signer.publicKey));
  const next = signObject(claimKindV2, nodeSuite, signer, {
    ...camera.claim(2, claim.hash, { nonce }).value,
    account: accountId(nodeSuite, signer.publicKey),
    ownerKey: signer.publicKey,
    recipients: claim.value.recipients.slice(own, own + 1),
  });
  const kemKeys = camera.kemKeys.slice(own, own + 1).map(toBase64);
  return send('/v1/claims', { claim: toBase64(next.bytes), mac: null, kemKeys });
}

async function releaseSent(who: Who): Promise<string> {
  const { camera, claim, signer, send, device } = await cloudOf(who);
  return send(`/v1/devices/${device}/commands`, { command: toBase64(releaseOf(camera, claim, signer)) });
}

function releaseOf({ world }: CameraV2, claim: Verified<ClaimV2>, signer: Signer): Uint8Array {
  return signObject(commandKindV2, nodeSuite, signer, {
    version: 2,
    action: 'release',
    device: world.deviceId,
    epoch: 1,
    claimHash: claim.hash,
    counter: 1,
    recent: [0, claim.hash],
  }).bytes;
}

async function offerRequested(who: Who): Promise<string> {
  const { send, device } = await cloudOf(who);
  return send(`/v1/devices/${device}/offer-request`, {});
}

async function revoked(who: Who): Promise<string> {
  const { camera, signer, send } = await cloudOf(who);
  const entries = [{ device: camera.world.deviceId, epoch: 1 }];
  const list = listOf(signer, { scope: 'owner', entries });
  return send('/v1/revocations', { list: toBase64(list.bytes) });
}

/** What a further browser of the owner's, or who stole it, tries beyond seeing and ordering; and what a cloud tries with one. */
export const browserAttacks: readonly Attack[] = [
  {
    name: "a further browser of the owner's claims the camera for itself, with an offer that the owner asked for",
    expected: 'claim.claim-refused',
    observed: () => claimedBy('the further browser'),
    control: { name: 'with the root key', expected: 'accepted', observed: () => claimedBy('the root key') },
  },
  {
    name: 'a further browser sends the cloud such a claim',
    expected: 'claim-refused',
    observed: () => claimSent('the further browser'),
    control: { name: 'with the root key', expected: 'done', observed: () => claimSent('the root key') },
  },
  {
    name: 'a further browser asks the cloud for an offer of the camera',
    expected: 'not-found',
    observed: () => offerRequested('the further browser'),
    control: { name: 'with the root key', expected: 'done', observed: () => offerRequested('the root key') },
  },
  {
    name: 'a further browser releases the camera, through a cloud that passes everything on',
    expected: 'command-refused',
    observed: () => order(household(), 'the further browser', { action: 'release' }),
    control: {
      name: 'with the root key',
      expected: 'accepted',
      observed: () => order(household(), 'the root key', { action: 'release' }),
    },
  },
  {
    name: 'a further browser releases the camera, at the cloud',
    expected: 'not-found',
    observed: () => releaseSent('the further browser'),
    control: { name: 'with the root key', expected: 'done', observed: () => releaseSent('the root key') },
  },
  {
    name: 'a further browser revokes the ownership',
    expected: 'foreign',
    observed: () => revoked('the further browser'),
    control: { name: 'with the root key', expected: 'done', observed: () => revoked('the root key') },
  },
  {
    name: 'a further browser that was removed gives an order under the claim without it',
    expected: 'command-refused',
    observed: () => orderAfter(true),
    control: { name: 'under a claim that still names it', expected: 'accepted', observed: () => orderAfter(false) },
  },
  {
    name: 'an order of a further browser, kept back by the cloud until the browser was removed',
    expected: 'command-refused',
    observed: () => orderKeptBack(true),
    control: { name: 'delivered before', expected: 'accepted', observed: () => orderKeptBack(false) },
  },
  {
    name: 'a further browser uses a counter a day ahead; then another browser orders',
    expected: 'accepted',
    observed: () => counterUsedUp('the root key'),
    control: {
      name: 'then the same one orders',
      expected: 'command-replayed',
      observed: () => counterUsedUp('the further browser'),
    },
  },
  {
    name: 'a claim to which the cloud adds a browser with the role of an owner',
    expected: 'bad-signature',
    observed: () => addedRecipient('the cloud'),
    control: { name: 'added with the root key', expected: 'accepted', observed: () => addedRecipient('the root key') },
  },
  {
    name: 'a claim that names a further browser beside the KEM key of another',
    expected: 'recipient-swapped',
    observed: () => kemNamed(true),
    control: { name: 'beside its own', expected: 'accepted', observed: () => kemNamed(false) },
  },
  {
    name: 'another KEM key than the one of the code, handed out by the cloud when the browser is added',
    expected: 'cloud-lied',
    observed: () => kemFetched(true),
    control: { name: 'the one of the code', expected: 'accepted', observed: () => kemFetched(false) },
  },
];
