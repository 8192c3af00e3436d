import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import { CLOCK_AHEAD_MAX_MS } from '../../../../app/core/plausible-time.js';
import type { OwnerSession } from '../../../../app/core/owner-session.js';
import type { CameraView, SessionView } from '../../../../app/core/session-view.js';
import type { MemoryStorage } from '../../../../app/core/storage.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { deletionKind } from '../../../../protocol/objects/deletion.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { listOf } from '../../../support/worlds/maker-list-world.js';
import { PageCloud } from '../../../support/worlds/page-cloud.js';

function onlyCamera(view: SessionView): CameraView {
  const [camera] = view.cameras;
  if (camera === undefined || view.cameras.length > 1) throw new Error('one camera expected');
  return camera;
}

/** Runs one stream of the cloud to its end. */
async function streamOf(session: OwnerSession): Promise<void> {
  const over = new AbortController();
  const unsubscribe = session.subscribe(({ connection }) => {
    if (connection === 'offline') over.abort();
  });
  await session.run(over.signal);
  unsubscribe();
}

describe("an owner's session", () => {
  it('fetches what it missed, page by page, and no more', async () => {
    const cloud = new PageCloud(400);
    const { session, history } = await cloud.browser();

    cloud.upTo = 100;
    await session.refresh();
    expect(cloud.pages).toEqual([null]);
    expect(onlyCamera(session.view()).hasOlder).toBe(true);

    cloud.upTo = 400;
    await session.refresh();
    expect(cloud.pages.slice(1)).toEqual([null, 377, 277, 177]);
    const unverified = cloud.records.slice(78).filter((record) => history.continuityOf(record).verdict !== 'intact');
    expect(unverified).toEqual([]);
    expect(session.view().alarms).toEqual([]);
    expect(session.view().marks).toEqual([]);

    // Up to date: one page is fetched, even if it brings nothing new.
    await session.refresh();
    expect(cloud.pages.slice(5)).toEqual([null]);
  });

  it('goes on where a failed request left a hole, without an alarm', async () => {
    const cloud = new PageCloud(400);
    const { session } = await cloud.browser();
    cloud.upTo = 100;
    await session.refresh();
    cloud.upTo = 400;
    cloud.failsAt = 277;
    await expect(session.refresh()).rejects.toThrow('connection lost');
    session.markPictureMissing(new Uint8Array(16));
    expect(session.view().marks).toEqual([]);
    cloud.failsAt = null;
    await session.refresh();
    expect(cloud.pages.slice(-4)).toEqual([null, 377, 277, 177]);
    expect(session.view().marks).toEqual([]);
    expect(session.view().alarms).toEqual([]);
  });

  it('loads older pages until the first record, and knows the time from which everything is here', async () => {
    const cloud = new PageCloud(200);
    const { session } = await cloud.browser();
    await session.refresh();
    for (let pulls = 0; onlyCamera(session.view()).hasOlder && pulls < 5; pulls++) {
      const lowest = cloud.records.find(({ value }) => value.seq === 177 - 100 * pulls);
      expect(onlyCamera(session.view()).loadedFromMs).toBe(lowest?.value.time.wallMs);
      await session.loadOlder();
    }
    expect(cloud.pages).toEqual([null, 177, 77]);
    expect(onlyCamera(session.view()).hasOlder).toBe(false);
  });

  it('stops asking for older pages that hold nothing it may show', async () => {
    const cloud = new PageCloud(200);
    // A cloud that promises more than it has.
    cloud.hides = (seq) => seq < 177;
    cloud.answer = { lowestSeq: 0 };
    const { session } = await cloud.browser();
    await session.refresh();
    for (let pulls = 0; onlyCamera(session.view()).hasOlder && pulls < 5; pulls++) await session.loadOlder();
    expect(cloud.pages).toEqual([null, 177]);
    expect(onlyCamera(session.view()).hasOlder).toBe(false);
  });

  it('raises an alarm when the cloud has less than was seen here', async () => {
    const cloud = new PageCloud(20);
    const { session } = await cloud.browser();
    await session.refresh();
    expect(session.view().alarms).toEqual([]);
    cloud.upTo = 10;
    await session.refresh();
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
    cloud.upTo = 9;
    await session.refresh();
    expect(cloud.reports).toEqual([
      { verdict: 'older-history', code: 'cloud-lied', device: toHex(cloud.world.deviceId), epoch: 1 },
    ]);
  });

  it('raises an alarm when the cloud names the newest record but shows older ones or none, on a reload too', async () => {
    for (const shown of [20, -1]) {
      const cloud = new PageCloud(50);
      const { storage } = await loaded(cloud);
      // The control: the same reload over a cloud that shows what it names.
      expect((await loaded(cloud, storage)).session.view().alarms).toEqual([]);
      cloud.hides = (seq) => seq > shown;
      const { session } = await loaded(cloud, storage);
      expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
      expect(cloud.reports).toMatchObject([{ verdict: 'older-history', code: 'cloud-lied' }]);
    }
  });

  it('holds what comes with the session to what was verified before, as it holds an answer', async () => {
    const lies: Readonly<Record<string, (cloud: PageCloud) => void>> = {
      'an older history': (cloud) => void (cloud.upTo = 10),
      'a camera that is not named': (cloud) => void (cloud.isListed = false),
      'another record in its place': (cloud) => {
        const fork = { kind: 'scene', scene: { class: 'tamper' } } as const;
        cloud.replaces = (record) =>
          record.value.seq === 20 ? cloud.world.record(cloud.claim, 20, record.value.prev, fork).bytes : record.bytes;
      },
    };
    for (const name of [...Object.keys(lies), 'nothing, the control']) {
      const cloud = new PageCloud(20);
      const { storage } = await loaded(cloud);
      cloud.bringsFirst = true;
      lies[name]?.(cloud);
      const asked = cloud.asked;
      const { session } = await cloud.browser({ storage });
      await streamOf(session);
      expect({ name, isAlarmed: session.view().alarms.length > 0 }).toEqual({ name, isAlarmed: name in lies });
      // Nothing was asked again before it was shown.
      expect(cloud.asked - asked).toBe(0);
    }
  });

  it('asks for the record that it saw last where the newest page does not reach down to it, and compares its hash', async () => {
    const cloud = new PageCloud(200);
    cloud.upTo = 100;
    const { storage } = await loaded(cloud);
    cloud.upTo = 200;
    const before = cloud.pages.length;
    expect((await loaded(cloud, storage)).session.view().alarms).toEqual([]);
    expect(cloud.pages.slice(before)).toEqual([null, 101]);

    const behind = new PageCloud(200);
    behind.upTo = 100;
    const seen = await loaded(behind);
    behind.upTo = 200;
    behind.hides = (seq) => seq === 100;
    expect((await loaded(behind, seen.storage)).session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);

    // Another record in its place, signed by the same camera.
    const forked = new PageCloud(100);
    const first = await loaded(forked);
    const { world, claim, records } = forked;
    const other = world.record(claim, 100, records[99]?.hash ?? null, { kind: 'scene', scene: { class: 'tamper' } });
    forked.replaces = (record) => (record.value.seq === 100 ? other.bytes : record.bytes);
    expect((await loaded(forked, first.storage)).session.view().alarms).toMatchObject([
      { verdict: 'equivocation' },
      { verdict: 'older-history' },
    ]);
  });

  it('raises no alarm for records that arrive while the cloud answers or while a camera item waits in the stream', async () => {
    const cloud = new PageCloud(50);
    const { session, history } = await cloud.browser();
    const head = (): number | undefined => history.headOf(cloud.world.deviceId, 1)?.seq;
    cloud.upTo = 30;
    await session.refresh();
    // A record arrives while the list of cameras, which was made before it, is in transit.
    cloud.meanwhile = () => history.verifyAndApply(cloud.records[31]?.bytes ?? new Uint8Array(0), 1);
    await session.refresh();
    expect(head()).toBe(31);
    cloud.meanwhile = () => Promise.resolve();

    // The page fetched after `ready` brings the newest record; camera items pushed before that are behind it.
    cloud.upTo = 40;
    cloud.pushedSeqs.push(30, 40);
    await streamOf(session);
    expect(head()).toBe(40);
    expect(session.view().alarms).toEqual([]);

    // The control: a cloud that answers a request with less than it showed before is withholding records.
    cloud.upTo = 35;
    cloud.pushedSeqs.push(30);
    await streamOf(session);
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
  });
});

describe('a time of receipt in the future', () => {
  it("makes no impossible signed time possible, nor the camera's last word recent", async () => {
    const cloud = new PageCloud(0, (world, claim) => {
      const [accept] = world.chain(claim, 0);
      if (accept === undefined) throw new Error('no accept');
      const event = { id: new Uint8Array(16), phase: 'start', revision: 0 } as const;
      const time = { ...world.time(1), wallMs: Number.MAX_SAFE_INTEGER };
      return [accept, world.record(claim, 1, accept.hash, { kind: 'motion', event, time })];
    });
    cloud.receivedAtMs = () => Number.MAX_SAFE_INTEGER;
    const nowMs = Date.UTC(2026, 10, 29);
    const clock = { monotonicMs: () => 0, wallMs: () => nowMs, after: () => () => undefined };
    const { session } = await cloud.browser({ clock });
    await session.refresh();
    expect(session.view().events).toMatchObject([{ startedAtMs: null, hasImpossibleTime: true }]);
    expect(onlyCamera(session.view()).lastWordMs).toBe(nowMs + CLOCK_AHEAD_MAX_MS);
  });
});

describe('a camera that the cloud no longer names', () => {
  it('stays on the page, with an alarm', async () => {
    const cloud = new PageCloud(5);
    const { storage } = await loaded(cloud);
    cloud.isListed = false;
    const { session } = await loaded(cloud, storage);
    expect(session.view().cameras).toMatchObject([{ epoch: 1, isListed: false, isOnline: null, isOwned: true }]);
    expect(session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
    expect(cloud.reports).toMatchObject([{ code: 'camera-unlisted' }]);
    // Named again, it is as before.
    cloud.isListed = true;
    await session.refresh();
    expect(session.view().cameras).toMatchObject([{ isListed: true, lastWordMs: cloud.records[5]?.value.time.wallMs }]);
  });

  it('is no alarm where another browser of the owner revoked it, by a list that the owner signed', async () => {
    const cloud = new PageCloud(5);
    const { storage } = await loaded(cloud);
    cloud.isListed = false;
    const entries = [{ device: cloud.world.deviceId, epoch: 1 }];
    const list = (signer: Signer): Uint8Array => listOf(signer, { scope: 'owner', listVersion: 7, entries }).bytes;
    cloud.revocation = list(cloud.world.owner);
    const told = await loaded(cloud, storage);
    expect(told.session.view()).toMatchObject({ alarms: [], cameras: [] });
    expect(told.history.revocationVersion).toBe(7);

    const lied = new PageCloud(5);
    const seen = await loaded(lied);
    lied.isListed = false;
    lied.revocation = listOf(lied.world.cloud, {
      scope: 'owner',
      entries: [{ device: lied.world.deviceId, epoch: 1 }],
    }).bytes;
    expect((await loaded(lied, seen.storage)).session.view().alarms).toMatchObject([
      { verdict: 'foreign' },
      { verdict: 'older-history' },
    ]);
  });

  it('is no alarm where its owner deleted all of it, and says when', async () => {
    const cloud = new PageCloud(5);
    const { storage } = await loaded(cloud);
    cloud.isListed = false;
    cloud.hides = () => true;
    const { world, claim, records } = cloud;
    const deletion = (fromSeq: number): Uint8Array =>
      signObject(deletionKind, nodeSuite, world.owner, {
        device: world.deviceId,
        epoch: 1,
        claimHash: claim.hash,
        fromSeq,
        toSeq: 5,
        lastHash: records[5]?.hash ?? claim.hash,
        issuedAtMs: 77,
      }).bytes;
    cloud.answer = { deletions: [deletion(0)] };
    const { session } = await loaded(cloud, storage);
    expect(session.view()).toMatchObject({ alarms: [], cameras: [{ isListed: false, deletedAtMs: 77 }] });
    // The control: a statement on some of its records does not cover the camera.
    cloud.answer = { deletions: [deletion(2)] };
    expect((await loaded(cloud, storage)).session.view()).toMatchObject({
      alarms: [{ verdict: 'older-history' }],
      cameras: [{ isListed: false, deletedAtMs: null }],
    });
  });

  it('is absent if it was revoked here, or never accepted the claim', async () => {
    const cloud = new PageCloud(5);
    const { storage, history } = await loaded(cloud);
    cloud.isListed = false;
    await history.recordRevocation(cloud.world.deviceId, 1, 1);
    expect((await loaded(cloud, storage)).session.view()).toMatchObject({ alarms: [], cameras: [] });

    const fresh = new PageCloud(5);
    const { storage: other, history: knows } = await fresh.browser();
    await knows.addClaim(fresh.claim.bytes);
    fresh.isListed = false;
    expect((await loaded(fresh, other)).session.view()).toMatchObject({ alarms: [], cameras: [] });
  });
});

/** A browser that has loaded everything that the cloud shows at once. */
async function loaded(cloud: PageCloud, storage?: MemoryStorage) {
  const browser = await cloud.browser(storage === undefined ? {} : { storage });
  await browser.session.refresh();
  return browser;
}
