import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOOK_CHECK_INTERVAL_MS } from '../../../../cloud/api/look-stream.js';
import { HTTP_LIMITS, type HttpLimits } from '../../../../cloud/api/shares.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { equal, toBase64, toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import type { ClaimV2 } from '../../../../protocol/objects/claim.js';
import type { Look } from '../../../../protocol/objects/look.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { decodeDown } from '../../../../protocol/transport/messages.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { until } from '../../../support/runner/wait.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraV2 } from '../../../support/worlds/camera-v2.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { LiveSender, lookOrder, Viewer } from '../../../support/worlds/live-viewer.js';

interface World {
  readonly api: ApiWorld;
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
}

async function claimed(wrap?: (store: CloudStore) => CloudStore, limits: Partial<HttpLimits> = {}): Promise<World> {
  const store = openSqliteStore(join(tempFolder(), 'cloud.db'));
  const api = await ApiWorld.open(wrap, {}, store, { limits: { ...HTTP_LIMITS, ...limits } });
  const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
  const claim = camera.claim();
  await api.store.claims.accept(claim, camera.accept(claim), api.clock.wallMs());
  return { api, camera, claim };
}

/** Opens a look of one of the camera's members. */
async function openLook(
  { api, camera, claim }: World,
  who: Signer = camera.signers[2],
): Promise<{
  viewer: Viewer;
  order: Verified<Look>;
  send: (payload: Uint8Array) => void;
  sender: LiveSender;
  token: string;
}> {
  const { token } = await api.session(who);
  const order = lookOrder(claim, who);
  const viewer = await Viewer.open(await api.port(), token, order);
  expect(viewer.status).toBe(200);
  const send = (payload: Uint8Array): void => {
    api.live.publish(order.value.device, payload);
  };
  return { viewer, order, send, sender: new LiveSender(order.value.session), token };
}

async function renew({ api }: World, token: string, order: Verified<Look>): Promise<number> {
  const url = `/v1/devices/${toHex(order.value.device)}/looks/renewals`;
  return (await api.send('POST', url, token, { order: toBase64(order.bytes) })).status;
}

describe('a look', () => {
  it('relays the order, then exactly the messages of its session in order, until the camera ends it', async () => {
    const world = await claimed();
    const { api, camera } = world;
    const { viewer, order, send, sender } = await openLook(world);
    expect(viewer.contentType).toBe('application/octet-stream');
    expect(api.sentDown.map(({ payload }) => decodeDown(payload))).toEqual([{ type: 'look', order: order.bytes }]);
    await until('the body has begun', () => viewer.keepAlives === 1);
    const sent = [...sender.many(20), sender.last()];
    const other = new LiveSender(realRandom.bytes(16));
    for (const message of sent) {
      send(message);
      send(other.next());
    }
    await until('it has ended', () => viewer.isEnded);
    expect(viewer.messages).toEqual(sent);
    expect(viewer.reason).toMatchObject({ code: 'ended' });
    await until('it is logged', () => api.counters.get('looks.closed') === 1);
    expect(api.live.count).toBe(0);
    expect(api.counters.get('looks.frames-relayed')).toBe(21);
    const bytes = sent.reduce((sum, { length }) => sum + length, 0);
    const look = { session: order.value.session, end: { bytes, seconds: 0 } };
    const lines = async () => api.store.access.ofReadable(camera.signers[2].publicKey, 9);
    await until('its end is logged', async () => (await lines()).length === 2);
    expect(await lines()).toMatchObject([
      { what: 'look', look },
      { what: 'look', look: { ...look, end: null } },
    ]);
    const { entries } = (await api.get('/v1/access', (await api.session(camera.world.owner)).token)).body as {
      entries: object[];
    };
    const session = toHex(order.value.session);
    expect(entries).toMatchObject([
      { what: 'look', fromSeq: null, look: { session, end: { bytes, seconds: 0 } } },
      { what: 'look', fromSeq: null, look: { session, end: null } },
    ]);
  });

  it.each([true, false])('does not cross another viewer of the camera (kept apart: %s)', async (isApart) => {
    const world = await claimed();
    world.api.live.isCrossed = !isApart;
    const one = await openLook(world, world.camera.signers[1]);
    const other = await openLook(world);
    for (let i = 0; i < 10; i++) {
      one.send(one.sender.next());
      other.send(other.sender.next());
    }
    other.send(other.sender.last());
    await until('the second is over', () => other.viewer.isEnded);
    const crossed = other.viewer.messages.length - 11;
    expect(crossed).toBe(isApart ? 0 : 10);
    // The end of one is not that of the other.
    expect(one.viewer.isEnded).toBe(!isApart);
  });

  it('ends when the viewer leaves, and gives back what it held', async () => {
    const world = await claimed();
    const { viewer } = await openLook(world);
    expect(world.api.live.count).toBe(1);
    viewer.leave();
    await until('it is over', () => world.api.live.count === 0);
    expect(world.api.counters.get('looks.closed')).toBe(1);
  });
});

describe('an order to look', () => {
  it('is relayed for those whom the open claim names, and every other one gets the same answer', async () => {
    const world = await claimed();
    const { api, camera, claim } = world;
    const [owner, browser, member] = camera.signers;
    const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const old = await claimed();
    const one = new CameraWorld({ cloud: api.receiptSigner, owner });
    const claimV1 = one.claim();
    await api.store.claims.accept(claimV1, one.record(claimV1, 0, claimV1.hash, { kind: 'accept' }), 0);
    const port = await api.port();
    const asked = async (signer: Signer, order: Verified<Look>): Promise<Viewer> => {
      const viewer = await Viewer.open(port, (await api.session(signer)).token, order);
      if (viewer.status !== 200) await until('the refusal is read', () => viewer.isEnded);
      return viewer;
    };
    for (const signer of [owner, browser, member]) {
      const viewer = await asked(signer, lookOrder(claim, signer));
      expect(viewer.status).toBe(200);
      viewer.leave();
    }
    const relayed = api.sentDown.length;
    expect(relayed).toBe(3);
    const refused = [
      await asked(stranger, lookOrder(claim, stranger)),
      // An order of the owner, sent by a member who holds a copy.
      await asked(member, lookOrder(claim, owner)),
      await asked(member, lookOrder(claim, member, { claimHash: realRandom.bytes(32) })),
      await asked(member, lookOrder(claim, member, { epoch: 2 })),
      await asked(member, lookOrder(claim, member, { device: realRandom.bytes(32) })),
      // A camera of another household, and one of version 1, which knows no looks.
      await asked(member, lookOrder(old.claim, member)),
      await asked(owner, lookOrder(claimV1, owner)),
    ];
    const answers = refused.map(({ status, refusal }) => ({ status, refusal }));
    expect(answers).toEqual(answers.map(() => answers[0]));
    expect(answers[0]).toMatchObject({
      status: 404,
      refusal: { error: { code: 'not-found', message: 'no such camera' } },
    });
    await api.store.claims.close(camera.world.deviceId, 1, 0);
    expect((await asked(member, lookOrder(claim, member))).refusal).toEqual(answers[0]?.refusal);
    expect(api.sentDown).toHaveLength(relayed);
    expect(api.live.count).toBe(0);
  });

  it('of the path of another camera, forged or malformed is refused', async () => {
    const world = await claimed();
    const { api, camera, claim } = world;
    const { token } = await api.session(camera.signers[2]);
    const post = async (device: Uint8Array, bytes: Uint8Array): Promise<number> =>
      (await api.send('POST', `/v1/devices/${toHex(device)}/looks`, token, { order: toBase64(bytes) })).status;
    const order = lookOrder(claim, camera.signers[2]);
    const forged = order.bytes.map((byte, i) => (i === order.bytes.length - 1 ? byte ^ 1 : byte));
    expect(await post(realRandom.bytes(32), order.bytes)).toBe(404);
    expect(await post(camera.world.deviceId, forged)).toBe(400);
    expect(await post(camera.world.deviceId, new Uint8Array(20))).toBe(400);
    expect(await post(camera.world.deviceId, lookOrder(claim, camera.signers[2], { renewal: 1 }).bytes)).toBe(400);
    expect(api.sentDown).toEqual([]);
  });

  it('is not relayed where nobody would receive what the camera sends', async () => {
    const world = await claimed();
    const { api, camera, claim } = world;
    api.live.fault = new SealcamError('broker-unreachable', 'not available');
    const { token } = await api.session(camera.signers[2]);
    const viewer = await Viewer.open(await api.port(), token, lookOrder(claim, camera.signers[2]));
    expect([viewer.status, api.sentDown.length]).toEqual([503, 0]);
    // The control: the same with a subscription. What the first one held was given back.
    api.live.fault = null;
    await openLook(world);
    expect(api.sentDown).toHaveLength(1);
  });

  it('is not relayed where the access log cannot be written', async () => {
    let isBroken = true;
    const world = await claimed((store) => ({
      ...store,
      access: {
        ...store.access,
        append: (entries) =>
          isBroken ? Promise.reject(new SealcamError('store-unavailable', 'full')) : store.access.append(entries),
      },
    }));
    const { api, camera, claim } = world;
    const { token } = await api.session(camera.signers[2]);
    const viewer = await Viewer.open(await api.port(), token, lookOrder(claim, camera.signers[2]));
    expect([viewer.status, api.sentDown.length, api.live.count]).toEqual([503, 0, 0]);
    isBroken = false;
    await openLook(world);
    expect(api.sentDown).toHaveLength(1);
  });

  it.each([
    ['looksPerKey', 'looks-per-key'],
    ['looksPerAccount', 'looks-per-account'],
    ['looksPerAddress', 'looks-per-address'],
  ] as const)('has a share: %s', async (limit, share) => {
    const world = await claimed(undefined, { [limit]: 1 });
    const { api, camera, claim } = world;
    const [owner, browser, member] = camera.signers;
    const { viewer } = await openLook(world, member);
    const open = async (signer: Signer): Promise<number> =>
      (await Viewer.open(await api.port(), (await api.session(signer)).token, lookOrder(claim, signer))).status;
    expect(await open(member)).toBe(429);
    expect(api.counters.get(`shares.${share}`)).toBe(1);
    // What a member holds is not taken from the owner, nor from another member where it is the share of a person.
    expect(await open(owner)).toBe(limit === 'looksPerAddress' ? 429 : 200);
    expect(await open(browser)).toBe(limit === 'looksPerKey' ? 200 : 429);
    viewer.leave();
    await until('it is free again', () => api.counters.get('looks.closed') === 1);
    expect(await open(member)).toBe(200);
  });

  it('has a share of each minute, renewals included', async () => {
    const world = await claimed(undefined, { lookOrdersPerMinute: 2 });
    const { api, camera, claim } = world;
    const [owner, , member] = camera.signers;
    const { order, token } = await openLook(world, member);
    const renewal = (number: number): Verified<Look> =>
      lookOrder(claim, member, { session: order.value.session, renewal: number });
    expect([await renew(world, token, renewal(1)), await renew(world, token, renewal(2))]).toEqual([202, 429]);
    expect(api.counters.get('shares.look-orders')).toBe(1);
    await openLook(world, owner);
    api.clock.advance(60_000);
    expect(await renew(world, token, renewal(3))).toBe(202);
  });

  it('of a paused account is answered as every read is', async () => {
    const world = await claimed();
    const { api, camera, claim } = world;
    const { token } = await api.session(camera.signers[2]);
    await api.store.reads.pause({ account: camera.world.account, sentence: 'We look into it.', sinceMs: 1 });
    const viewer = await Viewer.open(await api.port(), token, lookOrder(claim, camera.signers[2]));
    await until('the refusal is read', () => viewer.isEnded);
    expect(viewer.refusal).toMatchObject({ error: { code: 'reads-paused', message: 'We look into it.' } });
    expect(api.sentDown).toEqual([]);
  });
});

/** Answers from the first answer, as a cache does: with it a look outlives the right to it. */
function cached(store: CloudStore): CloudStore {
  const { claims, reads, accounts } = store;
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    if (!answers.has(name)) answers.set(name, ask());
    return answers.get(name) as Promise<T>;
  };
  return {
    ...store,
    claims: {
      ...claims,
      row: (device, epoch) => once(`row ${toHex(device)} ${String(epoch)}`, () => claims.row(device, epoch)),
      latest: (device) => once(`latest ${toHex(device)}`, () => claims.latest(device)),
    },
    reads: { ...reads, pauseOf: (of) => once('pause', () => reads.pauseOf(of)) },
    accounts: { ...accounts, marks: (of) => once('marks', () => accounts.marks(of)) },
  };
}

/** What ends the right to look, and the code with which the look then ends. */
const ENDINGS: readonly (readonly [string, string, (world: World) => Promise<unknown>])[] = [
  [
    'the member was removed',
    'not-found',
    async ({ api, camera, claim }) => {
      const recipients = claim.value.recipients.slice(0, 2);
      const next = camera.claim(2, claim.hash, { recipients });
      await api.store.claims.accept(next, camera.accept(next), 1);
    },
  ],
  ['the epoch ended', 'not-found', ({ api, camera }) => api.store.claims.close(camera.world.deviceId, 1, 0)],
  [
    'the account is paused',
    'reads-paused',
    ({ api, camera }) => api.store.reads.pause({ account: camera.world.account, sentence: 'A fault.', sinceMs: 1 }),
  ],
  [
    'everybody is paused',
    'reads-paused',
    ({ api }) => api.store.reads.pause({ account: null, sentence: 'A fault.', sinceMs: 1 }),
  ],
  [
    'the account is marked',
    'not-found',
    ({ api, camera }) => api.store.accounts.mark(camera.world.owner.publicKey, [], 1e15),
  ],
];

describe('a look ends within the interval of the check', () => {
  it.each(ENDINGS)('when %s', async (_, code, end) => {
    for (const isCached of [false, true]) {
      const world = await claimed(isCached ? cached : undefined);
      const { api } = world;
      const { viewer, send, sender } = await openLook(world);
      await api.clock.run(LOOK_CHECK_INTERVAL_MS, 1000);
      send(sender.next());
      await until('it goes on after the first check', () => viewer.messages.length === 1 && viewer.keepAlives === 2);
      await end(world);
      await api.clock.run(LOOK_CHECK_INTERVAL_MS, 1000);
      if (isCached) {
        // The control: a store that answers from a cache. What the camera sends goes on to who may not see it any longer.
        await until('the keep-alive came', () => viewer.keepAlives === 3);
        await api.clock.run(1);
        send(sender.next());
        await until('a message came after that', () => viewer.messages.length === 2);
        continue;
      }
      await until('it is over', () => viewer.isEnded);
      send(sender.next());
      expect(viewer.reason?.code).toBe(code);
      expect(viewer.messages).toHaveLength(1);
      expect(api.live.count).toBe(0);
    }
  });

  it('when the session ended; another session of the same person goes on', async () => {
    const world = await claimed();
    const { api } = world;
    const one = await openLook(world);
    const other = await openLook(world);
    await api.app.inject({ method: 'DELETE', url: '/v1/session', headers: { authorization: `Bearer ${one.token}` } });
    await api.clock.run(LOOK_CHECK_INTERVAL_MS, 1000);
    await until('the first is over', () => one.viewer.isEnded);
    expect(one.viewer.reason?.code).toBe('session-refused');
    await until('the second has its keep-alive', () => other.viewer.keepAlives === 2);
    expect(other.viewer.isEnded).toBe(false);
  });

  it.each(['fails', 'never answers'])('when the store %s', async (how) => {
    let isBroken = false;
    const world = await claimed((store) => ({
      ...store,
      claims: {
        ...store.claims,
        latest: (device) => {
          if (!isBroken) return store.claims.latest(device);
          return how === 'fails'
            ? Promise.reject(new SealcamError('store-unavailable', 'no answer'))
            : new Promise(() => undefined);
        },
      },
    }));
    const { viewer } = await openLook(world);
    await world.api.clock.run(LOOK_CHECK_INTERVAL_MS, 1000);
    await until('it goes on', () => viewer.keepAlives === 2);
    isBroken = true;
    await world.api.clock.run(2 * LOOK_CHECK_INTERVAL_MS, 1000);
    await until('it is over', () => viewer.isEnded);
    expect(viewer.reason?.code).toBe('store-unavailable');
  });
});

describe('the time of a look', () => {
  /** Lets time pass in steps of the check, each with a message if the camera sends. */
  async function pass({ api }: World, viewer: Viewer, ms: number, send: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms && !viewer.isEnded; passed += LOOK_CHECK_INTERVAL_MS) {
      const before = viewer.keepAlives;
      send();
      api.clock.advance(LOOK_CHECK_INTERVAL_MS);
      await until('it was checked', () => viewer.keepAlives > before || viewer.isEnded);
      // The answer of the store, before the next check asks again.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('is over 70 s after its start where the camera is silent', async () => {
    const world = await claimed();
    const { viewer } = await openLook(world);
    await pass(world, viewer, 65_000);
    expect(viewer.isEnded).toBe(false);
    await pass(world, viewer, 5000);
    await until('it is over', () => viewer.isEnded);
    expect(viewer.reason?.code).toBe('expired');
  });

  it('goes on while the camera sends, and is over when it has been silent for 15 s', async () => {
    const world = await claimed();
    const { viewer, send, sender } = await openLook(world);
    await pass(world, viewer, 200_000, () => {
      send(sender.next());
    });
    expect(viewer.isEnded).toBe(false);
    await pass(world, viewer, 20_000);
    expect([viewer.isEnded, viewer.reason?.code]).toEqual([true, 'expired']);
  });

  it('is prolonged by a renewal, which reaches the camera', async () => {
    const world = await claimed();
    const { camera, claim, api } = world;
    const { viewer, order, token } = await openLook(world);
    const { session } = order.value;
    const renewal = lookOrder(claim, camera.signers[2], { session, renewal: 1 });
    expect(await renew(world, token, renewal)).toBe(202);
    expect(decodeDown(api.sentDown[1]?.payload ?? new Uint8Array(0))).toEqual({ type: 'look', order: renewal.bytes });
    await pass(world, viewer, 125_000);
    expect(viewer.isEnded).toBe(false);
    await pass(world, viewer, 5000);
    expect(viewer.isEnded).toBe(true);
    // By those who may look alone, and a start is no renewal.
    expect(await renew(world, token, order)).toBe(400);
    const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const strangers = lookOrder(claim, stranger, { session, renewal: 2 });
    expect(await renew(world, (await api.session(stranger)).token, strangers)).toBe(404);
    expect(api.sentDown).toHaveLength(2);
  });

  it('is not prolonged by the renewal of another member', async () => {
    const world = await claimed();
    const { viewer, order } = await openLook(world);
    const [owner] = world.camera.signers;
    const other = lookOrder(world.claim, owner, { session: order.value.session, renewal: 1 });
    expect(await renew(world, (await world.api.session(owner)).token, other)).toBe(202);
    await pass(world, viewer, 70_000);
    expect(viewer.isEnded).toBe(true);
  });
});

it('a row whose account is not that of its claim opens no look, and raises an alarm', async () => {
  let isMixedUp = false;
  const world = await claimed((store) => ({
    ...store,
    claims: {
      ...store.claims,
      row: async (device, epoch) => {
        const row = await store.claims.row(device, epoch);
        return row === undefined || !isMixedUp ? row : { ...row, account: new Uint8Array(16) };
      },
    },
  }));
  const { api, camera, claim } = world;
  (await openLook(world)).viewer.leave();
  isMixedUp = true;
  const [owner] = camera.signers;
  const viewer = await Viewer.open(await api.port(), (await api.session(owner)).token, lookOrder(claim, owner));
  expect(viewer.status).toBe(404);
  const [alarm] = await api.store.alarms.since(0, 1);
  expect(alarm).toMatchObject({ place: 'read', verdict: 'foreign' });
  expect(equal(alarm?.device ?? new Uint8Array(0), camera.world.deviceId)).toBe(true);
});
