import { afterAll, beforeAll } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { STORE_KINDS, type StoreKind } from '../../../cloud/store/kinds.js';
import { CameraTimes } from '../../../cloud/trust/camera-times.js';
import { LISTEN_MS } from '../../../cloud/trust/deletion-clock.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { attacks } from '../../support/attack.js';
import { asyncCodeOf } from '../../support/codes.js';
import { BothStores } from '../../support/engines/both-stores.js';
import { describeWith } from '../../support/engines/tools.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { ClockWorld, DAY_MS, HOUR_MS, PERIOD_MS } from '../../support/worlds/clock-world.js';
import { listOf } from '../../support/worlds/maker-list-world.js';
import { PageOnApi } from '../../support/worlds/page-on-api.js';

const BACK = -400 * DAY_MS;
const AHEAD = 60 * DAY_MS;
const stores = new BothStores();

/** How many of 20 records that were receipted the cloud deletes although they are young. Their camera has no clock. */
async function lost(kind: StoreKind, isGuarded: boolean, trial: 'back' | 'ahead'): Promise<string> {
  const world = await ClockWorld.start(await stores.open(kind), 0, { isGuarded });
  if (trial === 'back') {
    world.setClock(BACK);
    await world.deleteDue();
  }
  const camera = await world.camera('unset');
  const seqs = await world.receive(camera, 20);
  if (trial === 'back') world.setClock(0);
  else await world.restart(AHEAD);
  await world.deleteDue();
  const left = await world.seqsOf(camera);
  const gone = seqs.filter((seq) => !left.includes(seq)).length;
  const alarms = (await world.alarms()).length;
  return `${String(gone)} of 20 lost, ${String(alarms)} alarms`;
}

/** A camera signs the year 9999, another one the truth. How many records of each are left when all but the last are due. */
async function leftOfLiar(kind: StoreKind, isEveryTimeBelieved: boolean): Promise<string> {
  const world = await ClockWorld.start(await stores.open(kind));
  const liar = await world.camera('ntp', Date.UTC(9999, 0) - world.trueMs);
  const honest = await world.camera('ntp');
  for (const camera of [liar, honest]) await world.receive(camera, 9);
  world.pass(PERIOD_MS + HOUR_MS);
  if (isEveryTimeBelieved) await world.deleteUnguarded(world.trueMs);
  else await world.deleteDue();
  const [of, others] = [await world.seqsOf(liar), await world.seqsOf(honest)];
  return `${String(of.length)} of the liar's, ${String(others.length)} of the other's left`;
}

/** The cloud starts with a clock 60 days ahead; some cameras sign that very time. What is left of 20 records. */
async function confirmed(liars: number): Promise<string> {
  const world = await ClockWorld.start(await stores.open('sqlite'));
  const camera = await world.camera('unset');
  await world.receive(camera, 20);
  await world.restart(AHEAD);
  for (let i = 0; i < 3; i++) {
    const isLiar = i < liars;
    const witness = await world.camera('ntp', isLiar ? AHEAD : 0);
    // The liar speaks first, and the cloud looks for what is due meanwhile.
    await world.deleteDue();
    world.pass(LISTEN_MS / 2);
    await world.receive(witness, 1);
  }
  await world.deleteDue();
  return (await world.seqsOf(camera)).length === 20 ? 'nothing deleted' : 'deleted';
}

/** Whether cameras that sign a time 60 days ahead make the cloud doubt its own clock, which is right. */
async function doubted(liars: number): Promise<string> {
  const world = await ClockWorld.start(await stores.open('sqlite'));
  for (let i = 0; i < 4; i++) {
    const camera = await world.camera('ntp', i < liars ? AHEAD : 0);
    await world.receive(camera, i < liars ? 10 : 1);
  }
  await world.deleteDue();
  return world.deletionClock.reason === null ? 'deletion goes on' : 'in doubt';
}

/** How many of 1,000 honest cameras are still heard after 20,000 cameras of one sender were. */
function heardAfterFlood(senders: number): string {
  const times = new CameraTimes(nodeSuite, realRandom.bytes(16));
  const camera = (errorMs: number): void => {
    times.observe(realRandom.bytes(32), errorMs, 0);
  };
  for (let i = 0; i < 1000; i++) camera(0);
  const liar = realRandom.bytes(32);
  for (let i = 0; i < 20_000; i++) {
    if (senders === 1) times.observe(liar, AHEAD, 0);
    else camera(AHEAD);
  }
  const { later, cameras } = times.opinionOn(0, 0, DAY_MS);
  return `${2 * later > cameras ? 'the flood' : 'the others'} decide, ${cameras <= 1024 ? 'bounded' : 'unbounded'}`;
}

/** An owner revokes while the browser's clock is 73 years ahead, and a stolen camera later, when it is right again. */
async function revokedLater(kind: StoreKind, isByTheClock: boolean): Promise<string> {
  const api = await ApiWorld.open((real) => real, {}, await stores.open(kind));
  const clock = new VirtualClock();
  const page = new PageOnApi(api, clock);
  const devices: Uint8Array[] = [];
  for (let i = 0; i < 2; i++) {
    const world = new CameraWorld({ owner: page.keys.signer, cloud: api.receiptSigner });
    const claim = world.claim();
    await api.store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1);
    devices.push(world.deviceId);
  }
  const entries = devices.map((device) => ({ device, epoch: 1 }));
  const [first, second] = entries;
  if (first === undefined || second === undefined) throw new Error('no cameras');
  const rightMs = clock.wallMs();
  clock.wallStartMs += 73 * 365 * DAY_MS;
  if (isByTheClock) {
    const put = (listVersion: number, entry: typeof first): Promise<string> =>
      api.store.revocations.put(listOf(page.keys.signer, { scope: 'owner', listVersion, entries: [entry] }), 1);
    await put(clock.wallMs(), first);
    return put(rightMs, second);
  }
  await page.owner.revoke(first.device, 1);
  clock.wallStartMs -= 73 * 365 * DAY_MS;
  const code = await asyncCodeOf(() => page.owner.revoke(second.device, 1));
  const state = (await api.store.claims.row(second.device, 1))?.state;
  return code === 'accepted' ? (state ?? 'no row') : code;
}

/** An earlier list of an owner or one above it, sent to a store whose clock has gone back before the first. */
async function replayed(kind: StoreKind, listVersion: number): Promise<string> {
  const store = await stores.open(kind);
  const world = new CameraWorld();
  const claim = world.claim();
  await store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1);
  const list = (version: number, issuedAtMs: number) =>
    listOf(world.owner, {
      scope: 'owner',
      listVersion: version,
      issuedAtMs,
      entries: [{ device: world.deviceId, epoch: 1 }],
    });
  await store.revocations.put(list(1, 1000), 10_000);
  await store.revocations.put(list(2, 2000), 20_000);
  // Issued later than both, by the signer's clock.
  return store.revocations.put(list(listVersion, 9000), 5);
}

async function sessionAfter(hours: number): Promise<string> {
  const api = await ApiWorld.open();
  const { token } = await api.session(new CameraWorld().owner);
  api.clock.advance(hours * HOUR_MS);
  api.clock.wallStartMs += BACK;
  return String((await api.get('/v1/cameras', token)).status);
}

describeWith('postgres', 'clocks', () => {
  beforeAll(() => stores.start());
  afterAll(() => stores.stop());

  attacks('clocks', 'Clocks that are wrong, or lie', [
    ...STORE_KINDS.map((kind) => ({
      name: `the cloud's clock is 400 days back while it receives 20 records, then right (${kind})`,
      expected: '0 of 20 lost, 1 alarms',
      observed: () => lost(kind, true, 'back'),
      control: {
        name: 'by the wall clock alone',
        expected: '19 of 20 lost, 0 alarms',
        observed: () => lost(kind, false, 'back'),
      },
    })),
    ...STORE_KINDS.map((kind) => ({
      name: `the cloud restarts with its clock 60 days ahead (${kind})`,
      expected: '0 of 20 lost, 1 alarms',
      observed: () => lost(kind, true, 'ahead'),
      control: {
        name: 'by the wall clock alone',
        expected: '19 of 20 lost, 0 alarms',
        observed: () => lost(kind, false, 'ahead'),
      },
    })),
    ...STORE_KINDS.map((kind) => ({
      name: `a camera signs the year 9999, to be kept for ever and to stop the deletion of others (${kind})`,
      expected: "1 of the liar's, 1 of the other's left",
      observed: () => leftOfLiar(kind, false),
      control: {
        name: 'any signed time believed',
        expected: "9 of the liar's, 1 of the other's left",
        observed: () => leftOfLiar(kind, true),
      },
    })),
    {
      name: "a camera signs the cloud's wrong time before others speak, to confirm it",
      expected: 'nothing deleted',
      observed: () => confirmed(1),
      control: { name: 'most cameras sign it', expected: 'deleted', observed: () => confirmed(2) },
    },
    {
      name: "a camera sends ten records of another time, to put the cloud's right clock in doubt",
      expected: 'deletion goes on',
      observed: () => doubted(1),
      control: { name: 'three of four cameras', expected: 'in doubt', observed: () => doubted(3) },
    },
    {
      name: 'a camera floods the cloud with signed times, to silence the others',
      expected: 'the others decide, bounded',
      observed: () => heardAfterFlood(1),
      control: {
        name: 'twenty times as many cameras',
        expected: 'the flood decide, bounded',
        observed: () => heardAfterFlood(20_000),
      },
    },
    ...STORE_KINDS.map((kind) => ({
      name: `an owner revoked with a clock 73 years ahead, and revokes a stolen camera with a right one (${kind})`,
      expected: 'revoked',
      observed: () => revokedLater(kind, false),
      control: {
        name: 'versions by the clock',
        expected: 'rollback',
        observed: () => revokedLater(kind, true),
      },
    })),
    ...STORE_KINDS.map((kind) => ({
      name: `a revocation list of the last version with a later time (${kind})`,
      expected: 'rollback',
      observed: () => replayed(kind, 2),
      control: { name: 'of the next version', expected: 'stored', observed: () => replayed(kind, 3) },
    })),
    {
      name: "a session whose end is put off by setting the cloud's clock back",
      expected: '401',
      observed: () => sessionAfter(2),
      control: { name: 'within its hour', expected: '200', observed: () => sessionAfter(0.5) },
    },
  ]);
});
