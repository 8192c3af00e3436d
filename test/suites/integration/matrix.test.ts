import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { fromHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, versionOf, type ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { asyncCodeOf } from '../../support/codes.js';
import { embedded } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { Person } from '../../support/worlds/person.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';
import { sqliteIn, type TestCloud } from '../../support/worlds/test-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

/** The version of the protocol that each end knows. `npm run matrix` has the programs of 0.1 themselves. */
interface Cell {
  readonly camera: ProtocolVersion;
  readonly cloud: ProtocolVersion;
  readonly page: ProtocolVersion;
}

const BOTH = [1, 2] as const;
const CELLS: readonly Cell[] = BOTH.flatMap((camera) =>
  BOTH.flatMap((cloud) => BOTH.map((page) => ({ camera, cloud, page }))),
);

interface World {
  readonly way: WholeWay;
  readonly camera: TestAgent;
  readonly cloud: TestCloud;
  readonly page: Person;
}

function startPage(
  { way, cloud }: Pick<World, 'way' | 'cloud'>,
  version: ProtocolVersion,
  master?: Uint8Array,
): Person {
  const page = new Person(cloud.origin, master, realClock, version).start();
  way.keep(page);
  return page;
}

/** Starts one of each end, and stops them after the work. `store`: replaces the cloud's, which lies. */
async function within(
  { camera: knownByCamera, cloud: knownByCloud, page: knownByPage }: Cell,
  work: (world: World) => Promise<void>,
  lie: (store: CloudStore) => CloudStore = (store) => store,
): Promise<void> {
  const way = await WholeWay.prepare(embedded);
  await way.broker.start();
  try {
    const environment = knownByCloud === 1 ? { SEALCLOUD_PROTOCOL_VERSIONS: '[1]' } : {};
    const cloud = await way.startCloud({ environment, store: lie(sqliteIn(join(way.folder, 'cloud'))) });
    const camera = way.startAgent('camera', undefined, undefined, { isOld: knownByCamera === 1, framesPerSecond: 5 });
    await work({ way, camera, cloud, page: startPage({ way, cloud }, knownByPage) });
  } finally {
    await way.stopAll();
  }
}

/** Opens every picture of an epoch, and returns how many there are. */
async function openAll(page: Person, epoch: number): Promise<number> {
  const pictures = page.pictures(epoch);
  for (const { picture } of pictures) {
    if (picture === null) continue;
    expect((await page.owner.openPicture(picture)).jpeg?.length).toBeGreaterThan(500);
  }
  return pictures.length;
}

/** Returns everything that the cloud has of an epoch, oldest first. */
async function stored({ cloud, camera }: World, epoch: number): Promise<readonly AnyRecord[]> {
  const id = fromHex(camera.device, 32) ?? new Uint8Array(32);
  const rows = await cloud.store.records.page(id, epoch, 1e9, 200);
  return rows.map(({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes).value).sort((a, b) => a.seq - b.seq);
}

/** Claims the camera, and waits for a picture that the page can open and for the camera's health. */
async function claimed({ camera, page }: World): Promise<void> {
  await page.claim(camera.code);
  await until('the page has a picture and the camera’s health', async () => {
    await page.session.refresh();
    return page.pictures(1).length > 0 && (page.camera(camera.device, 1)?.health ?? null) !== null;
  });
}

/** Plays an ownership from claim to release, and holds every end to what it must show. */
async function play(world: World, version: ProtocolVersion): Promise<void> {
  const { camera, cloud, page } = world;
  const { device } = camera;
  await claimed(world);
  const before = await openAll(page, 1);
  await page.orders.send(device, 1, { action: 'snapshot' });
  await page.orders.send(device, 1, { action: 'sensitivity', sensitivity: 80 });
  expect(await openAll(page, 1)).toBeGreaterThan(before);
  // A release erases what waits.
  await page.orders.send(device, 1, { action: 'privacy', privacy: true });
  await until('every record has its receipt', () => camera.agent.outbox.queued().records === 0);
  await page.orders.send(device, 1, { action: 'release' });
  await until('the page shows the end', () => page.camera(device, 1)?.hasEnded === true);
  const records = await stored(world, 1);
  const losses = records.flatMap(({ loss = [] }) => loss);
  // A record that was made between the two is erased with the release, and its tombstone says so.
  expect(losses.filter(({ reason }) => reason !== 'erased')).toEqual([]);
  const erased = losses.flatMap(({ seqs: [from, to] = [0, -1] }) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
  const seqs = [...records.map(({ seq }) => seq), ...erased].sort((one, other) => one - other);
  expect(seqs).toEqual(seqs.map((_, i) => i));
  expect(records.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['accept', 'motion', 'snapshot', 'health']));
  expect(records.at(-1)?.kind).toBe('tombstone');
  expect(new Set(records.map(versionOf))).toEqual(new Set([version]));
  const { alarms, marks } = page.session.view();
  expect(alarms).toEqual([]);
  // The page says what was erased, and marks nothing else.
  expect(marks.map(({ kind, seqs }) => ({ kind, seqs }))).toEqual(losses.map(({ seqs }) => ({ kind: 'lost', seqs })));
  const refused = Object.entries(cloud.cloud.counters.snapshot()).filter(([name]) => name.startsWith('refused.'));
  expect(refused).toEqual([]);
}

describe('camera, cloud and page of either version', () => {
  it.each(CELLS)('camera $camera, cloud $cloud, page $page', async (cell) => {
    const version = Math.min(cell.camera, cell.cloud, cell.page) === 2 ? 2 : 1;
    await within(cell, async (world) => {
      const { page, camera } = world;
      const warnings: (boolean | undefined)[] = [];
      page.session.subscribe(() => warnings.push(page.camera(camera.device, 1)?.isVersionHidden));
      await play(world, version);
      // A page of 0.1 has no such warning; the one that plays it here has.
      expect(warnings.includes(true)).toBe(cell.camera === 2 && version === 1);
    });
  });

  it('a camera that an old page claimed is claimed again in version 2 by a new one, which no old page undoes', () =>
    within({ camera: 2, cloud: 2, page: 1 }, async (world) => {
      const { camera, page: old } = world;
      const { device } = camera;
      await claimed(world);
      const page = startPage(world, 2, old.keys.master);
      const isWarned = (epoch: number): boolean | undefined => page.camera(device, epoch)?.isVersionHidden;
      await until('the new page warns', () => isWarned(1) === true);
      expect(await page.changeMembers(device, 1, [])).toBe(2);
      await until('a picture of the new epoch', () => page.pictures(2).length > 0);
      expect(await openAll(page, 2)).toBeGreaterThan(0);
      expect(await openAll(page, 1)).toBeGreaterThan(0);
      expect(isWarned(2)).toBe(false);
      expect(new Set((await stored(world, 2)).map(versionOf))).toEqual(new Set([2]));
      await old.session.refresh();
      expect(old.pictures(2)).toEqual([]);
      expect(await asyncCodeOf(() => old.changeMembers(device, 2, []))).toBe('not-found');
      expect(page.session.view().alarms).toEqual([]);
    }));
});

describe('a cloud that hides version 2 from the page alone', () => {
  const hidesOffer = (store: CloudStore): CloudStore => ({
    ...store,
    claims: {
      ...store.claims,
      offer: async (device) => {
        const found = await store.claims.offer(device);
        return found === undefined ? undefined : { offer: found.offer, atMs: found.atMs };
      },
    },
  });

  it.each([
    ['hides it: the page warns of an epoch of version 1', hidesOffer, 1],
    ['does not: the control', undefined, 2],
  ] as const)('%s', (_, lie, version) =>
    within(
      { camera: 2, cloud: 2, page: 2 },
      async (world) => {
        await claimed(world);
        const { camera, page } = world;
        expect(page.camera(camera.device, 1)?.isVersionHidden).toBe(version === 1);
        expect(new Set((await stored(world, 1)).map(versionOf))).toEqual(new Set([version]));
      },
      lie,
    ),
  );
});
