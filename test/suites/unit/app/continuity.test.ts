import { describe, expect, it } from 'vitest';
import { LATE_AFTER_MS, type HistoryMark } from '../../../../app/core/camera-log.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import type { SessionView } from '../../../../app/core/session-view.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Claim } from '../../../../protocol/objects/claim.js';
import { deletionKind, type Deletion } from '../../../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../../../protocol/objects/floor.js';
import type { SealcamRecord } from '../../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import type { CameraWorld } from '../../../support/worlds/camera-world.js';
import { ClaimingPage } from '../../../support/worlds/claiming-page.js';
import { HEALTH } from '../../../support/worlds/cloud-world.js';
import { PageCloud } from '../../../support/worlds/page-cloud.js';

const DAY_MS = 86_400_000;
/** Nine records of all kinds; the queue is empty at the health records 4 and 8. */
const KINDS = ['accept', 'motion', 'scene', 'command', 'health', 'motion', 'gap', 'scene', 'health'] as const;

function history(world: CameraWorld, claim: Verified<Claim>): Verified<SealcamRecord>[] {
  const records: Verified<SealcamRecord>[] = [];
  for (const [seq, kind] of KINDS.entries()) {
    const prev = records[seq - 1]?.hash ?? claim.hash;
    records.push(world.record(claim, seq, prev, { kind, ...CONTENT[kind](seq) }));
  }
  return records;
}

const CONTENT: Record<(typeof KINDS)[number], (seq: number) => Partial<SealcamRecord>> = {
  accept: () => ({}),
  motion: (seq) => ({ event: { id: new Uint8Array(16).fill(seq), phase: 'start', revision: 0 } }),
  scene: () => ({ scene: { class: 'stall' } }),
  command: () => ({ command: { source: 'console', action: 'reboot', result: 'done' } }),
  health: () => ({ health: { ...HEALTH, queued: 0 } }),
  gap: () => ({ loss: [{ reason: 'full', count: 1 }] }),
};

async function shown(change: (cloud: PageCloud) => void): Promise<{ view: SessionView; cloud: PageCloud }> {
  const cloud = new PageCloud(0, history);
  change(cloud);
  const { session } = await cloud.browser();
  await session.refresh();
  return { view: session.view(), cloud };
}

function marksIn({ marks }: SessionView): string[] {
  return marks.map(({ kind, seqs }: HistoryMark) => `${kind} ${seqs === null ? 'somewhere' : seqs.join('-')}`);
}

function deletion(
  { world, claim, records }: PageCloud,
  change: Partial<Deletion> = {},
  signer = world.owner,
): Uint8Array {
  const lastHash = records[change.toSeq ?? 5]?.hash ?? claim.hash;
  const range = { device: world.deviceId, epoch: 1, claimHash: claim.hash, fromSeq: 5, toSeq: 5, lastHash };
  return signObject(deletionKind, nodeSuite, signer, { ...range, issuedAtMs: 0, ...change }).bytes;
}

function floor({ world, claim }: PageCloud, change: Partial<Floor> = {}, signer = world.cloud): Uint8Array {
  const sinceMs = Date.UTC(2026, 10, 27);
  const terms = { device: world.deviceId, epoch: 1, claimHash: claim.hash, belowSeq: 5, sinceMs, periodMs: 5 * DAY_MS };
  return signObject(floorKind, nodeSuite, signer, { ...terms, ...change }).bytes;
}

describe('the continuity of a camera', () => {
  it('is whole where nothing is missing', async () => {
    const { view } = await shown(() => undefined);
    expect(marksIn(view)).toEqual([]);
    expect(view.alarms).toEqual([]);
  });

  it('shows a hole before a record of every kind, and raises an alarm', async () => {
    for (let seq = 1; seq < KINDS.length - 1; seq++) {
      const { view, cloud } = await shown((lying) => {
        lying.hides = (hidden) => hidden === seq;
      });
      expect(marksIn(view)).toEqual([`missing ${String(seq)}-${String(seq)}`]);
      expect(view.alarms).toMatchObject([{ verdict: 'gap' }]);
      expect(cloud.reports).toMatchObject([{ verdict: 'gap', code: 'records-missing' }]);
    }
  });

  it('shows one hole for a range, also at the beginning of the history', async () => {
    const { view } = await shown((cloud) => {
      cloud.hides = (seq) => seq < 3 || seq === 5 || seq === 6;
    });
    expect(marksIn(view)).toEqual(['missing 5-6', 'missing 0-2']);
  });

  it('waits for what may still arrive, but not for ever', async () => {
    const hidden = (cloud: PageCloud): void => {
      // Without a later health record that reports an empty queue.
      cloud.upTo = 7;
      cloud.hides = (seq) => seq === 5 || seq === 6;
    };
    const { view, cloud } = await shown(hidden);
    // The records are eight days old by the page's clock.
    expect(marksIn(view)).toEqual(['late 5-6']);
    expect(view.alarms).toMatchObject([{ verdict: 'pending' }]);

    const signedMs = cloud.records[7]?.value.time.wallMs ?? 0;
    for (const [afterMs, kind] of [
      [LATE_AFTER_MS, 'waiting'],
      [LATE_AFTER_MS + 1, 'late'],
    ] as const) {
      const clock = { monotonicMs: () => 0, wallMs: () => signedMs + afterMs, after: () => () => undefined };
      const { session } = await cloud.browser({ clock });
      await session.refresh();
      expect(marksIn(session.view())).toEqual([`${kind} 5-6`]);
      expect(session.view().alarms).toHaveLength(kind === 'late' ? 1 : 0);
    }
  });

  it('marks the place of a refused record, and a refused record beside a whole history', async () => {
    const { view } = await shown((cloud) => {
      cloud.replaces = ({ bytes, value }) => (value.seq === 6 ? bytes.slice(1) : bytes);
    });
    expect(marksIn(view)).toEqual(['refused 6-6']);
    expect(view.alarms).toMatchObject([{ verdict: 'malformed' }]);
    const beside = await shown((cloud) => {
      const [first] = cloud.records;
      if (first === undefined) throw new Error('no records');
      cloud.records = [...cloud.records, { ...first, value: { ...first.value, seq: 9 } }];
      cloud.upTo = 9;
      cloud.replaces = ({ bytes, value }) => (value.seq === 9 ? bytes.slice(1) : bytes);
    });
    expect(marksIn(beside.view)).toEqual(['refused somewhere']);
    const nothing = await shown((cloud) => {
      cloud.replaces = ({ bytes }) => bytes.slice(1);
    });
    expect(marksIn(nothing.view)).toEqual(['refused somewhere']);
  });

  it('says what the camera lost', async () => {
    const lost = new PageCloud(0, (world, claim) => {
      const records = world.chain(claim, 5);
      const loss: NonNullable<SealcamRecord['loss']> = [{ reason: 'full', seqs: [2, 4] }];
      records.push(world.record(claim, 6, records[5]?.hash ?? null, { kind: 'gap', loss }));
      return records;
    });
    lost.hides = (seq) => seq >= 2 && seq <= 4;
    const { session } = await lost.browser();
    await session.refresh();
    expect(marksIn(session.view())).toEqual(['lost 2-4']);
    expect(session.view().alarms).toEqual([]);
  });
});

describe('statements on a history', () => {
  it('explain a hole: what the owner deleted, what retention removed', async () => {
    const deleted = await shown((cloud) => {
      cloud.hides = (seq) => seq === 5;
      cloud.answer = { deletions: [deletion(cloud)] };
    });
    expect(marksIn(deleted.view)).toEqual(['deleted 5-5']);
    expect(deleted.view.alarms).toEqual([]);
    const expired = await shown((cloud) => {
      cloud.hides = (seq) => seq > 0 && seq < 5;
      cloud.answer = { floor: floor(cloud) };
    });
    expect(marksIn(expired.view)).toEqual(['expired 1-4']);
    expect(expired.view.alarms).toEqual([]);
  });

  it('explain nothing more than they name, nor for anybody who may not sign them', async () => {
    const cases: readonly ((cloud: PageCloud) => { deletions?: Uint8Array[]; floor?: Uint8Array })[] = [
      (cloud) => ({ deletions: [deletion(cloud, { fromSeq: 4, toSeq: 4 })] }),
      (cloud) => ({ deletions: [deletion(cloud, { claimHash: new Uint8Array(32) })] }),
      (cloud) => ({ deletions: [deletion(cloud, {}, cloud.world.cloud)] }),
      (cloud) => ({ deletions: [deletion(cloud, { fromSeq: 5, toSeq: 7, lastHash: cloud.claim.hash })] }),
      (cloud) => ({ floor: floor(cloud) }),
      (cloud) => ({ floor: floor(cloud, { belowSeq: 6 }, cloud.world.owner) }),
      (cloud) => ({ floor: floor(cloud, { belowSeq: 6, claimHash: new Uint8Array(32) }) }),
    ];
    for (const answer of cases) {
      const { view } = await shown((cloud) => {
        cloud.hides = (seq) => seq === 5;
        cloud.answer = answer(cloud);
      });
      expect(marksIn(view)).toEqual(['missing 5-5']);
      expect(view.alarms).toContainEqual(expect.objectContaining({ verdict: 'gap' }));
    }
  });

  it('cover the head that this device saw last', async () => {
    const cloud = new PageCloud(0, history);
    const { storage, session } = await cloud.browser();
    await session.refresh();
    cloud.hides = () => true;
    cloud.answer = { deletions: [deletion(cloud, { fromSeq: 0, toSeq: 8 })] };
    const after = await cloud.browser({ storage });
    await after.session.refresh();
    expect(after.session.view().alarms).toEqual([]);
    // The control: a statement that ends before the head.
    cloud.answer = { deletions: [deletion(cloud, { fromSeq: 0, toSeq: 7 })] };
    const again = await cloud.browser({ storage });
    await again.session.refresh();
    expect(again.session.view().alarms).toMatchObject([{ verdict: 'older-history' }]);
  });

  it('raise the alarm where a floor is younger than the promised period', async () => {
    const early = async (change: Partial<Floor>, isSeenBefore = false): Promise<string[]> => {
      const cloud = new PageCloud(0, history);
      const { storage, session } = await cloud.browser();
      cloud.answer = isSeenBefore ? { floor: floor(cloud, { belowSeq: 1, periodMs: 10 * DAY_MS }) } : {};
      await session.refresh();
      cloud.hides = (seq) => seq > 0 && seq < 5;
      cloud.answer = { floor: floor(cloud, change) };
      const after = await cloud.browser({ storage });
      await after.session.refresh();
      return after.session.view().alarms.map(({ message }) => message);
    };
    // The records are of 21 November.
    expect(await early({})).toEqual([]);
    expect(await early({ sinceMs: Date.UTC(2026, 10, 24) })).toEqual([expect.stringContaining('younger than')]);
    expect(await early({ sinceMs: Date.UTC(2027, 10, 21) })).toEqual([expect.stringContaining('not come')]);
    expect(await early({}, true)).toEqual([expect.stringContaining('had promised 10 days')]);
  });

  it('are held to the period that the cloud named when the camera was claimed', async () => {
    for (const [keepsForMs, broken] of [
      [5 * DAY_MS, null],
      [30 * DAY_MS, expect.stringContaining('had promised 30 days') as string],
    ] as const) {
      const page = new ClaimingPage();
      page.keepsForMs = keepsForMs;
      page.named = [page.camera.cloud.publicKey];
      page.offer = page.makeOffer({});
      await page.claims();
      const terms = { device: page.camera.deviceId, epoch: 1, claimHash: new Uint8Array(32), belowSeq: 5 };
      const witnesses = { log: { latestBelow: () => null }, head: null, nowMs: Date.UTC(2026, 10, 29) };
      const later = { ...terms, sinceMs: witnesses.nowMs, periodMs: 5 * DAY_MS };
      const restarted = new HistoryKeeper(nodeSuite, page.storage, page.camera.recipient);
      await restarted.load();
      expect(await restarted.promise.hold(later, witnesses)).toEqual(broken);
    }
  });
});
