import { realRandom } from '../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { sessionKind } from '../../../protocol/objects/session.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { seal, unseal } from '../../../protocol/seal/seal.js';
import { ApiWorld, CLOUD, PAGE } from '../../support/worlds/api-world.js';
import { crossed } from '../../support/worlds/crossed-store.js';
import { mediaUrl, stored } from '../../support/worlds/stored-event.js';
import { attacks } from '../../support/attack.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { codeOf } from '../../support/codes.js';

const STATUS: Readonly<Record<number, string>> = { 200: 'shown', 401: 'session refused', 404: 'not found' };

function wordFor(status: number): string {
  return STATUS[status] ?? String(status);
}

/**
 * One camera with two epochs: the first with a household member, the second after a reset to another owner, or without
 * the member.
 */
class TwoEpochs {
  readonly api: ApiWorld;
  readonly first: CameraWorld;
  readonly second: CameraWorld;
  readonly member = new CameraWorld();
  readonly claims: readonly [Verified<Claim>, Verified<Claim>];

  private constructor(api: ApiWorld, isReset: boolean) {
    this.api = api;
    this.first = new CameraWorld({ cloud: api.receiptSigner });
    this.second = isReset ? new CameraWorld({ cloud: api.receiptSigner }) : this.first;
    const of = ({ owner, ownerSecret }: CameraWorld): Claim['recipients'][number] => ({
      x25519: nodeSuite.x25519PublicKey(ownerSecret),
      ed25519: owner.publicKey,
    });
    const one = this.first.claim(1, null, { recipients: [of(this.first), of(this.member)] });
    this.claims = [one, this.second.claim(2, one.hash, { device: this.first.deviceId })];
  }

  static async open(isReset: boolean): Promise<TwoEpochs> {
    const world = new TwoEpochs(await ApiWorld.open(), isReset);
    await world.begin(0);
    return world;
  }

  async begin(which: 0 | 1): Promise<void> {
    const { api, first, claims } = this;
    const claim = claims[which];
    const accept = first.record(claim, 0, claim.hash, { kind: 'accept' });
    await api.store.claims.accept(claim, accept, api.clock.wallMs());
  }

  async read(signer: Signer, epoch: number): Promise<string> {
    return this.readWith((await this.api.session(signer)).token, epoch);
  }

  async readWith(token: string, epoch: number): Promise<string> {
    return wordFor((await this.api.get(ApiWorld.recordsUrl(this.first.deviceId, epoch), token)).status);
  }

  /** Whether this person can open a picture of an epoch. */
  opens(epoch: 0 | 1, { ownerSecret: secret }: CameraWorld): string {
    const claim = this.claims[epoch];
    const { device, account, recipients } = claim.value;
    const ids = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16) };
    const context = { device, account, epoch: claim.value.epoch, claimHash: claim.hash, ...ids };
    const keys = recipients.map(({ x25519 }) => x25519);
    const content = { detail: {}, jpeg: null };
    const sealed = seal({ suite: nodeSuite, random: realRandom, context, recipients: keys, content });
    const own = { secret, publicKey: nodeSuite.x25519PublicKey(secret) };
    return codeOf(() => unseal(nodeSuite, context, own, sealed)).replace('accepted', 'opened');
  }
}

async function sessionOverReset(epoch: 1 | 2): Promise<string> {
  const world = await TwoEpochs.open(true);
  const { token } = await world.api.session(world.first.owner);
  await world.begin(1);
  return world.readWith(token, epoch);
}

async function afterReset(who: 'first' | 'second', epoch: number): Promise<string> {
  const world = await TwoEpochs.open(true);
  await world.begin(1);
  return world.read(world[who].owner, epoch);
}

async function member(epoch: 1 | 2): Promise<string> {
  const world = await TwoEpochs.open(false);
  await world.begin(1);
  const shown = await world.read(world.member.owner, epoch);
  return `${shown}, ${world.opens(epoch === 1 ? 0 : 1, world.member)}`;
}

async function crossedSession(isCrossed: boolean): Promise<string> {
  const api = await ApiWorld.open();
  const own = await stored(api);
  const stranger = await stored(api);
  const token = (isCrossed ? stranger : own).token;
  const records = await api.get(ApiWorld.recordsUrl(own.world.deviceId), token);
  const media = await api.get(mediaUrl(own), token);
  return `records ${wordFor(records.status)}, picture ${wordFor(media.status)}`;
}

/** Reads from a cloud whose membership table admits everybody, and whose claim rows name another account. */
async function crossedAtRead(isCrossed: boolean): Promise<string> {
  const api = await ApiWorld.open(isCrossed ? crossed : undefined);
  const own = await stored(api);
  const { body } = await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token);
  const { records } = body as { records: readonly unknown[] };
  return `${String(records.length)} records, ${api.counters.get('alarms') > 0 ? 'alarm' : 'no alarm'}`;
}

async function swappedMedia(isSwapped: boolean): Promise<string> {
  const wrap = (store: CloudStore): CloudStore => ({
    ...store,
    records: {
      ...store.records,
      media: async (device, epoch, id) => {
        const found = await store.records.media(device, epoch, id);
        if (found === undefined) return undefined;
        return { ...found, sealed: { ...found.sealed, body: realRandom.bytes(found.sealed.body.length) } };
      },
    },
  });
  const api = await ApiWorld.open(isSwapped ? wrap : undefined);
  const own = await stored(api);
  const { status } = await api.get(mediaUrl(own), own.token);
  return `${wordFor(status)}, ${api.counters.get('alarms') > 0 ? 'alarm' : 'no alarm'}`;
}

async function challengeTwice(times: number): Promise<string> {
  const api = await ApiWorld.open();
  const { owner } = new CameraWorld();
  const challenge = (await api.app.inject({ method: 'POST', url: '/v1/session/challenge' })).json<{
    nonce: string;
    expiresAtMs: number;
  }>();
  const { bytes } = signObject(sessionKind, nodeSuite, owner, {
    cloudOrigin: CLOUD,
    pageOrigin: PAGE,
    expiresAtMs: challenge.expiresAtMs,
    nonce: new Uint8Array(Buffer.from(challenge.nonce, 'hex')),
  });
  let status = 0;
  for (let i = 0; i < times; i++) status = (await api.answer(bytes)).status;
  return status === 200 ? 'opened' : wordFor(status);
}

const HOUR_MS = 3_600_000;

/** Signs a challenge late, while the cloud's wall clock is set back meanwhile, which must not help. */
async function challengeAfter(ms: number): Promise<string> {
  const api = await ApiWorld.open();
  const { owner } = new CameraWorld();
  const challenge = (await api.app.inject({ method: 'POST', url: '/v1/session/challenge' })).json<{
    nonce: string;
    expiresAtMs: number;
  }>();
  const nonce = new Uint8Array(Buffer.from(challenge.nonce, 'hex'));
  const { expiresAtMs } = challenge;
  const signed = signObject(sessionKind, nodeSuite, owner, {
    cloudOrigin: CLOUD,
    pageOrigin: PAGE,
    expiresAtMs,
    nonce,
  });
  api.clock.wallStartMs -= HOUR_MS;
  api.clock.advance(ms);
  const { status } = await api.answer(signed.bytes);
  return status === 200 ? 'opened' : wordFor(status);
}

/** Reads with a session that is this old, after the cloud's wall clock was set back by a day. */
async function readAfter(ms: number): Promise<string> {
  const api = await ApiWorld.open();
  const own = await stored(api);
  api.clock.wallStartMs -= 24 * HOUR_MS;
  api.clock.advance(ms);
  return wordFor((await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token)).status);
}

async function signedOn(pageOrigin: string): Promise<string> {
  const api = await ApiWorld.open();
  const { status } = await api.session(new CameraWorld().owner, { pageOrigin });
  return status === 200 ? 'opened' : wordFor(status);
}

async function signedFor(cloudOrigin: string): Promise<string> {
  const api = await ApiWorld.open();
  const { status } = await api.session(new CameraWorld().owner, { cloudOrigin });
  return status === 200 ? 'opened' : wordFor(status);
}

async function mediaUnderOtherDevice(isOther: boolean): Promise<string> {
  const api = await ApiWorld.open();
  const own = await stored(api);
  const stranger = await stored(api);
  const url = mediaUrl(isOther ? { ...own, world: stranger.world } : own);
  const { status } = await api.get(url, isOther ? stranger.token : own.token);
  return wordFor(status);
}

attacks('sessions', 'At read: sessions and epochs', [
  {
    name: "the previous owner's session after a reset",
    expected: 'not found',
    observed: () => sessionOverReset(2),
    control: { name: 'the same session, for its own epoch', expected: 'shown', observed: () => sessionOverReset(1) },
  },
  {
    name: 'a new session of the previous owner, for the new epoch',
    expected: 'not found',
    observed: () => afterReset('first', 2),
    control: { name: 'the new owner', expected: 'shown', observed: () => afterReset('second', 2) },
  },
  {
    name: 'the new owner requests old events',
    expected: 'not found',
    observed: () => afterReset('second', 1),
    control: { name: 'the owner of that epoch', expected: 'shown', observed: () => afterReset('first', 1) },
  },
  {
    name: 'a removed member requests the next epoch',
    expected: 'not found, seal-refused',
    observed: () => member(2),
    control: { name: 'the epoch with the member', expected: 'shown, opened', observed: () => member(1) },
  },
  {
    name: "a crossed session: a stranger's token",
    expected: 'records not found, picture not found',
    observed: () => crossedSession(true),
    control: {
      name: "the owner's token",
      expected: 'records shown, picture shown',
      observed: () => crossedSession(false),
    },
  },
  {
    name: 'a swapped mapping at read, with everybody a member',
    expected: '0 records, alarm',
    observed: () => crossedAtRead(true),
    control: { name: 'the correct store', expected: '2 records, no alarm', observed: () => crossedAtRead(false) },
  },
  {
    name: 'a crossed media store: another ciphertext for the picture',
    expected: 'not found, alarm',
    observed: () => swappedMedia(true),
    control: { name: 'the correct store', expected: 'shown, no alarm', observed: () => swappedMedia(false) },
  },
  {
    name: 'a picture requested by its id under another camera',
    expected: 'not found',
    observed: () => mediaUnderOtherDevice(true),
    control: { name: 'under its own camera', expected: 'shown', observed: () => mediaUnderOtherDevice(false) },
  },
  {
    name: 'nonce replay: a signed challenge sent twice',
    expected: 'session refused',
    observed: () => challengeTwice(2),
    control: { name: 'sent once', expected: 'opened', observed: () => challengeTwice(1) },
  },
  {
    name: 'a challenge signed for another cloud',
    expected: 'session refused',
    observed: () => signedFor('https://evil.example'),
    control: { name: 'for this one', expected: 'opened', observed: () => signedFor(CLOUD) },
  },
  {
    name: 'a challenge signed a minute later, the wall clock of the cloud set back meanwhile',
    expected: 'session refused',
    observed: () => challengeAfter(60_000),
    control: { name: 'a millisecond earlier', expected: 'opened', observed: () => challengeAfter(59_999) },
  },
  {
    name: 'a session after its end, the wall clock of the cloud set back meanwhile',
    expected: 'session refused',
    observed: () => readAfter(HOUR_MS),
    control: { name: 'a millisecond earlier', expected: 'shown', observed: () => readAfter(HOUR_MS - 1) },
  },
  {
    name: 'a challenge signed on a page of another origin',
    expected: 'session refused',
    observed: () => signedOn('https://other.example'),
    control: { name: 'on the page that the cloud allows', expected: 'opened', observed: () => signedOn(PAGE) },
  },
]);
