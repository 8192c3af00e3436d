import { realRandom } from '../../../common/adapters/real-random.js';
import { Sessions } from '../../../cloud/api/sessions.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { sessionKind } from '../../../protocol/objects/session.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { seal, unseal } from '../../../protocol/seal/seal.js';
import { ApiWorld, CLOUD, PAGE } from '../../support/worlds/api-world.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
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

/** Whether an owner's challenge still opens a session after strangers asked for many. */
async function challengeAmong(isOfThisProcess: boolean): Promise<string> {
  const api = await ApiWorld.open();
  const from = isOfThisProcess ? api : await ApiWorld.open();
  const ask = (world: ApiWorld): Promise<{ json: () => { nonce: string; expiresAtMs: number } }> =>
    world.app.inject({ method: 'POST', url: '/v1/session/challenge' });
  const { nonce, expiresAtMs } = (await ask(from)).json();
  for (let i = 0; i < 100; i++) await ask(api);
  const challenge = {
    cloudOrigin: CLOUD,
    pageOrigin: PAGE,
    nonce: new Uint8Array(Buffer.from(nonce, 'hex')),
    expiresAtMs,
  };
  const { status } = await api.answer(signObject(sessionKind, nodeSuite, new CameraWorld().owner, challenge).bytes);
  return status === 200 ? 'opened' : wordFor(status);
}

/** Whether a session is there after strangers from one address opened more than there is room for. */
function sessionAmong(address: string): string {
  const settings = { cloudOrigin: () => CLOUD, pageOrigins: [PAGE], lifetimeMs: HOUR_MS, sessionsMax: 20 };
  const sessions = new Sessions(settings, nodeSuite, new VirtualClock(), realRandom);
  const open = (from: string): string => {
    const challenge = { cloudOrigin: CLOUD, pageOrigin: PAGE, ...sessions.challenge() };
    const signed = signObject(sessionKind, nodeSuite, new CameraWorld().owner, challenge).bytes;
    return sessions.open(signed, PAGE, [], from).token;
  };
  const token = open(address);
  for (let i = 0; i < 40; i++) open('198.51.100.1');
  return codeOf(() => sessions.of(`Bearer ${token}`)) === 'accepted' ? 'kept' : 'ended';
}

/** How many cameras a person's list has while a rogue camera signs claim after claim that names that person. */
async function listedFor(isAccepted: boolean): Promise<string> {
  const api = await ApiWorld.open();
  const victim = await stored(api);
  const rogue = new CameraWorld({ cloud: api.receiptSigner });
  let previous: Uint8Array | null = null;
  for (let epoch = 1; epoch <= 40; epoch++) {
    const claim = rogue.claim(epoch, previous, { recipients: [rogue.recipient, victim.world.recipient] });
    await api.store.claims.accept(claim, rogue.record(claim, 0, claim.hash, { kind: 'accept' }), api.clock.wallMs());
    previous = claim.hash;
  }
  const { token } = await api.session(victim.world.owner, {}, {}, isAccepted ? [rogue.account] : []);
  const { cameras } = (await api.get('/v1/cameras', token)).body as { cameras: readonly unknown[] };
  return `${String(cameras.length)} listed`;
}

/** How many are kept of 120 reports that four keys make. */
async function reportedBy(isReader: boolean): Promise<string> {
  const api = await ApiWorld.open();
  for (let i = 0; i < 4; i++) {
    const { token } = isReader ? await stored(api) : await api.session(new CameraWorld().owner);
    const headers = { authorization: `Bearer ${token}` };
    const payload = { verdict: 'foreign', code: 'foreign', device: null, epoch: null };
    const remoteAddress = `192.0.2.${String(i)}`;
    const request = { method: 'POST', url: '/v1/alarms', headers, payload, remoteAddress } as const;
    for (let j = 0; j < 30; j++) await api.app.inject(request);
  }
  const { length } = await api.store.alarms.since(0, 999);
  return `${String(length)} kept, ${String(api.counters.get('alarms.app'))} counted`;
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
  {
    name: "strangers ask for challenges without end, to push an owner's out",
    expected: 'opened',
    observed: () => challengeAmong(true),
    control: {
      name: 'a challenge that another cloud made',
      expected: 'session refused',
      observed: () => challengeAmong(false),
    },
  },
  {
    name: "strangers open more sessions than there is room for, to push an owner's out",
    expected: 'kept',
    observed: () => sessionAmong('192.0.2.1'),
    control: {
      name: 'the oldest of their own address',
      expected: 'ended',
      observed: () => sessionAmong('198.51.100.1'),
    },
  },
  {
    name: 'a rogue camera signs 40 claims that name a person who never agreed',
    expected: '3 listed',
    observed: () => listedFor(false),
    control: {
      name: 'of a household that the person accepted',
      expected: '41 listed',
      observed: () => listedFor(true),
    },
  },
  {
    name: 'keys that no claim names report alarms, to push out those of readers',
    expected: '100 kept, 120 counted',
    observed: () => reportedBy(false),
    control: { name: 'readers of cameras', expected: '120 kept, 120 counted', observed: () => reportedBy(true) },
  },
]);
