import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { PageCloud } from '../../../support/worlds/page-cloud.js';
import { PageOnApi } from '../../../support/worlds/page-on-api.js';
import { until } from '../../../support/runner/wait.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { headsKind } from '../../../../protocol/objects/heads.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';

const NEWEST = 4;
const DAY_MS = 86_400_000;

/** An API whose store can leave out the newest record of every page, and one camera of the owner in it. */
async function apiWithCamera(master: Uint8Array): Promise<{ api: ApiWorld; lie: (isLying: boolean) => void }> {
  let isLying = false;
  const leavingOut = (real: CloudStore): CloudStore => ({
    ...real,
    records: {
      ...real.records,
      page: async (...query) => (await real.records.page(...query)).filter(({ seq }) => !isLying || seq < NEWEST),
    },
  });
  const api = await ApiWorld.open(leavingOut);
  const { keys } = new PageOnApi(api, api.clock, master);
  const world = new CameraWorld({ owner: keys.signer, ownerSecret: keys.recipient.secret, cloud: api.receiptSigner });
  const claim = world.claim();
  const [accept, ...records] = world.chain(claim, NEWEST);
  if (accept === undefined) throw new Error('no accept');
  await api.store.claims.accept(claim, accept, 1);
  for (const record of records) await api.store.records.put(record, [], api.clock.wallMs());
  return {
    api,
    lie: (to) => {
      isLying = to;
    },
  };
}

async function alarmsOf(api: ApiWorld, master: Uint8Array): Promise<string[]> {
  const page = await new PageOnApi(api, api.clock, master).load();
  await page.session.refresh();
  return page.session.view().alarms.map(({ verdict, message }) => `${verdict}: ${message}`);
}

describe("heads of a household, through the cloud's own API", () => {
  it('tell a browser what another one was shown', async () => {
    const master = realRandom.bytes(32);
    const { api, lie } = await apiWithCamera(master);
    expect(await alarmsOf(api, master)).toEqual([]);
    // The control: a second browser that is shown the same.
    expect(await alarmsOf(api, master)).toEqual([]);
    lie(true);
    expect(await alarmsOf(api, master)).toEqual([
      `older-history: record ${String(NEWEST)} was verified by another browser of the household, and the cloud no longer shows it`,
    ]);
  });
});

describe('statements of heads', () => {
  it("are compared before what came with the session counts as loaded, and this browser's own is sent after that", async () => {
    const cloud = new PageCloud(4);
    cloud.bringsFirst = true;
    // The control: another browser was shown what this one is.
    const other = await cloud.browser();
    await other.session.refresh();
    cloud.beforeStatement = () => new Promise(() => undefined);
    /** Verdicts of the alarms, and number of cameras, of each view that counts as loaded. */
    const loadedViews = async (): Promise<(readonly [string[], number])[]> => {
      const { session } = await cloud.browser();
      const views: (readonly [string[], number])[] = [];
      session.subscribe(({ isLoaded, alarms, cameras }) => {
        if (isLoaded) views.push([alarms.map(({ verdict }) => verdict), cameras.length]);
      });
      void session.run(new AbortController().signal);
      await until('the first page is shown', () => views.length > 0);
      return views;
    };
    expect(await loadedViews()).toEqual([[[], 1]]);
    cloud.upTo--;
    expect(await loadedViews()).toEqual([[['older-history'], 1]]);
  });

  it('rise with each one, and name no id of the browser that two audiences share', async () => {
    const cloud = new PageCloud(3);
    const clock = new VirtualClock();
    const { session, history } = await cloud.browser({ clock });
    await session.refresh();
    // A second epoch with another member.
    const { world } = cloud;
    const claim = world.claim(2, cloud.claim.hash, { recipients: [world.recipient, new CameraWorld().recipient] });
    await history.addClaim(claim.bytes);
    await history.verifyAndApply(world.record(claim, 0, claim.hash, { kind: 'accept' }).bytes, 1);
    clock.advance(61_000);
    await session.refresh();
    const sent = cloud.statements.map((bytes) => openSigned(headsKind, nodeSuite, bytes).value);
    expect(sent.map(({ heads }) => heads.map(([, epoch, seq]) => [epoch, seq]))).toEqual([[[1, 3]], [[2, 0]]]);
    expect(sent.map(({ counter }) => counter)).toEqual([1, 2]);
    expect(sent[0]?.browser).not.toEqual(sent[1]?.browser);
  });

  it('of a browser that stays away longer than it used to are overdue, not an alarm', async () => {
    const cloud = new PageCloud(3);
    const clock = new VirtualClock();
    await (await cloud.browser({ clock })).session.refresh();
    const { session, household } = await cloud.browser({ clock });
    for (const [days, isOverdue] of [
      [1, false],
      [8, true],
    ] as const) {
      clock.advance(days * DAY_MS);
      await session.refresh();
      expect(household.others()).toMatchObject([{ isOverdue }]);
    }
    expect(session.view().alarms.filter(({ message }) => message.includes('statement'))).toEqual([]);
  });
});
