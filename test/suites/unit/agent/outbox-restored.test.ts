import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { noteBeforePublish, noteOwnership } from '../../../../agent/outbox/published.js';
import { openRaw } from '../../../../agent/outbox/sqlite.js';
import { MOVE_INTERVAL_MS, MOVE_SEQS_MAX } from '../../../../agent/outbox/state-lost.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { receiptKind } from '../../../../protocol/objects/receipt.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { checkContinuity } from '../../../../protocol/verify/continuity.js';
import { codeOf } from '../../../support/codes.js';
import { storeOf } from '../../../support/outbox-store.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { CloudWorld } from '../../../support/worlds/cloud-world.js';
import { claimed, close, motion, open } from '../../../support/worlds/outbox-world.js';
import { BOTH_FILES, describeRecords, RestoredCamera } from '../../../support/worlds/restored-camera.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';
import { RestoredWalk, type WalkStep } from '../../../support/worlds/restored-walk.js';

const PAGE_BYTES = 4096;

const simple = fc.constantFrom<WalkStep>(
  { do: 'append' },
  { do: 'append' },
  { do: 'append' },
  { do: 'publish' },
  { do: 'publish' },
  { do: 'publish-unanswered' },
  { do: 'flush' },
  { do: 'image' },
  { do: 'image' },
  { do: 'restart' },
  { do: 'pass-time' },
);
const step = fc.oneof(
  { arbitrary: simple, weight: 8 },
  { arbitrary: fc.record({ do: fc.constant('receipt-ahead' as const), n: fc.nat(1000) }), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant('restore' as const),
      what: fc.constantFrom('database' as const, 'mirror' as const, 'both' as const),
      n: fc.nat(20),
    }),
    weight: 3,
  },
);

/** Publishes two records and forgets them: every walk meets what the cloud has. */
const FORK: readonly WalkStep[] = [
  { do: 'image' },
  { do: 'append' },
  { do: 'append' },
  { do: 'publish' },
  { do: 'restore', what: 'both', n: 0 },
];

function walk(steps: readonly WalkStep[], namesHead = true): RestoredWalk {
  const world = new RestoredWalk(namesHead);
  for (const each of steps) world.step(each);
  world.deliverAll();
  return world;
}

/** Overwrites the index of the records, so that the database is damaged and every row can be read; and these tables. */
function damage(path: string, tables: readonly string[] = []): void {
  const db = openRaw(path);
  const roots = db
    .prepare<[string], { readonly rootpage: number }>(
      `SELECT rootpage FROM sqlite_schema WHERE (tbl_name = 'record' AND type = 'index')
         OR (type = 'table' AND name IN (SELECT value FROM json_each(?)))`,
    )
    .all(JSON.stringify(tables));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  expect(roots).toHaveLength(1 + tables.length);
  const file = readFileSync(path);
  for (const { rootpage } of roots) file.fill(0xa5, (rootpage - 1) * PAGE_BYTES, rootpage * PAGE_BYTES);
  writeFileSync(path, file);
}

describe('files that are put back from older images, at any moment', () => {
  it('lose no record without a signed word, and the camera finds the way past what the cloud has', () => {
    let moved = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const world = walk([...FORK, ...steps]);
        expect(world.wrong).toEqual([]);
        moved += world.moved;
      }),
      { numRuns: 25 },
    );
    expect(moved).toBeGreaterThan(0);
  });

  it('keep a camera from the cloud where its rejects do not name the head: the control', () => {
    const append: WalkStep[] = Array.from({ length: 60 }, () => ({ do: 'append' }));
    const publish: WalkStep[] = Array.from({ length: 20 }, () => ({ do: 'publish' }));
    const steps: WalkStep[] = [{ do: 'image' }, ...append, ...publish, { do: 'restore', what: 'both', n: 0 }];
    expect(walk(steps).wrong).toEqual([]);
    expect(walk(steps, false).wrong).toContain('the camera still signs what the cloud has otherwise');
  });
});

describe('one file that is put back from an older image', () => {
  it('is the mirror: the camera goes on after the database, and nothing is missing', () => {
    const camera = new RestoredCamera(['outbox.mirror']);
    expect(camera.mirror.state?.seq).toBeNull();
    const next = camera.motion();
    expect(next.value).toMatchObject({ seq: 4, prev: camera.gone[1]?.hash });
    noteBeforePublish(camera.outbox, camera.mirror, camera.outbox.read({ epoch: 1, seq: 3 }, 1));
    expect(camera.mirror.state?.seq).toBe(4);
    camera.close();
  });

  it('is the database: the camera goes on after the mirror, with a signed gap', () => {
    const camera = new RestoredCamera(['outbox.db']);
    expect(describeRecords(camera.records(2))).toBe('gap 4 (state-lost 2 to 3)');
    expect(brokenSums(camera.outbox)).toEqual([]);
    camera.close();
  });

  it('has another record than the other one for the same seq: one gap says so, however often it starts', () => {
    const camera = new RestoredCamera(BOTH_FILES);
    // By itself it went further than it had been before.
    for (let i = 0; i < 4; i++) camera.motion();
    const [, there] = camera.gone;
    const { state } = camera.mirror;
    if (there === undefined || state === null) throw new Error('nothing was published');
    camera.mirror.write({ ...state, seq: 3, hash: there.hash });
    camera.restart();
    camera.restart();
    const kinds = 'motion 2, motion 3, motion 4, motion 5';
    expect(describeRecords(camera.records(2))).toBe(`${kinds}, gap 6 (state-lost 3 to 3)`);
    expect(camera.records(6)[0]?.prev).toBeNull();
    camera.close();

    const control = new RestoredCamera(BOTH_FILES);
    for (let i = 0; i < 4; i++) control.motion();
    const [, own] = control.signed(2);
    control.mirror.write({ ...state, seq: 3, hash: own?.hash ?? null });
    control.restart();
    expect(describeRecords(control.records(2))).toBe(kinds);
    control.close();
  });
});

describe('both files put back from an older image', () => {
  it.each([
    ['node', nodeSuite],
    ['tweetnacl', tweetnaclSuite],
  ])('are found by a reject of the cloud, and the camera goes on after its head (%s)', async (_, suite) => {
    const cloud = new CloudWorld();
    const camera = new RestoredCamera(BOTH_FILES, { world: cloud.camera(), suite });
    const { world, claim, before, gone } = camera;
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: before[0]?.bytes ?? new Uint8Array(0) });
    await cloud.records(world, [...before.slice(1), ...gone]);
    const own = camera.motion();
    for (let round = 0; round < 3; round++) {
      cloud.sent.length = 0;
      const queued = camera.signed(1);
      if (queued.length > 0) await cloud.records(world, queued);
      for (const { message } of cloud.sent) {
        if (message.type === 'receipt') camera.give(openSigned(receiptKind, nodeSuite, message.receipt));
      }
      camera.outbox.flushLosses(camera.time);
      if (round === 1) camera.motion();
    }
    expect(camera.outbox.totals()).toMatchObject({ quarantined: 1, queued: 1 });
    const there = await cloud.store.records.page(world.deviceId, 1, 100, 100);
    const records = there.map(({ bytes }) => world.outboxSigner().openRecord(bytes)).reverse();
    expect(describeRecords(records.slice(4).map(({ value }) => value))).toBe(
      'gap 4 (state-lost 3 to 3), gap 5 (quarantined 2 to 2), motion 6',
    );
    expect(records.some(({ hash }) => Buffer.from(hash).equals(own.hash))).toBe(false);
    const verdicts: string[] = [];
    for (const { value } of records) {
      verdicts.push(checkContinuity(value, await cloud.store.records.chainFacts(world.deviceId, 1, value.seq)).verdict);
    }
    expect(verdicts).toEqual(['intact', 'intact', 'intact', 'intact', 'gap', 'intact', 'intact']);
    camera.close();
  });

  it('move the camera by at most a million seqs, and a receipt ahead is logged once', () => {
    const log: LogEntry[] = [];
    const camera = new RestoredCamera(BOTH_FILES, { log: testLog(log) });
    for (let i = 0; i < 5; i++) camera.give(camera.world.receipt(camera.claim, [[0, 50 + i, new Uint8Array(32)]]));
    expect(camera.counters.get('receipts.ahead')).toBe(5);
    expect(log.filter(({ code }) => code === 'cloud-lied')).toHaveLength(1);
    camera.give(camera.reject(camera.motion(), 2 + MOVE_SEQS_MAX));
    expect(camera.counters.get('receipts.ahead')).toBe(5);
    expect(camera.motion().value.seq).toBe(4 + MOVE_SEQS_MAX);
    expect(brokenSums(camera.outbox)).toEqual([]);
    camera.close();
  });

  it('move the camera again only after it has run for a day, whatever its boots and its wall clock', () => {
    const camera = new RestoredCamera(BOTH_FILES);
    camera.give(camera.reject(camera.motion(), 9));
    const isMoved = (headSeq: number): boolean => {
      const before = camera.counters.get('receipts.moved');
      camera.give(camera.reject(camera.motion(), headSeq));
      return camera.counters.get('receipts.moved') > before;
    };
    // Each boot begins at 0; one record is early in it, the next at its end.
    const part = MOVE_INTERVAL_MS / 4;
    for (let boot = 0; boot < 4; boot++) {
      expect(isMoved(1000)).toBe(false);
      const id = realRandom.bytes(16);
      const atMs = (monotonicMs: number): typeof camera.time => ({ ...camera.world.time(monotonicMs, null), boot: id });
      camera.restart();
      camera.time = atMs(7);
      camera.motion();
      camera.time = atMs(7 + part - (boot === 3 ? 1 : 0));
    }
    expect(isMoved(1000)).toBe(false);
    camera.time = { ...camera.time, monotonicMs: camera.time.monotonicMs + 1 };
    expect(isMoved(1000)).toBe(true);
    camera.close();
  });

  it('keep the day over a damaged database, which is salvaged without counting a million seqs one by one', () => {
    const camera = new RestoredCamera(BOTH_FILES);
    camera.give(camera.reject(camera.motion(), MOVE_SEQS_MAX));
    noteBeforePublish(camera.outbox, camera.mirror, camera.outbox.read({ epoch: 1, seq: 1 }, 10));
    camera.restart(() => {
      damage(join(camera.folder, 'outbox.db'), ['pending_loss']);
    });
    expect(codeOf(() => camera.motion())).toBe('store-corrupt');
    expect(readdirSync(camera.folder)).toContain('outbox.db.corrupt-1');
    camera.outbox.flushLosses(camera.time);
    expect(describeRecords(camera.records(2))).toContain(`corrupt 2 to ${String(MOVE_SEQS_MAX)}`);
    camera.give(camera.reject(camera.motion(), 2 * MOVE_SEQS_MAX));
    expect(camera.counters.get('receipts.moved')).toBe(1);
    camera.close();
  });

  it('name the lost state again if the gap that names it is dropped', () => {
    const camera = new RestoredCamera(BOTH_FILES);
    camera.give(camera.reject(camera.motion(), 9));
    const store = storeOf(camera.outbox);
    store.transaction(() => {
      const row = store.queries.record.get(1, 10);
      if (row === undefined) throw new Error('no gap');
      store.dropRecord(row, 'full');
    });
    camera.outbox.flushLosses(camera.time);
    expect(describeRecords(camera.records(11))).toBe('gap 11 (quarantined 2 to 2, state-lost 3 to 9, full 10 to 10)');
    camera.close();
  });
});

describe('losses that no record names yet', () => {
  it.each(['whole', 'damaged'])('are counted in the next epoch, where the mirror is an epoch ahead (%s)', (how) => {
    const world = new CameraWorld();
    const folder = tempFolder();
    const path = join(folder, 'outbox.db');
    const first = claimed(world, folder);
    motion(world, first.outbox, 1);
    first.outbox.countLoss('failed', 3);
    close(first);
    copyFileSync(path, `${path}.old`);
    const second = open(world, folder);
    second.outbox.beginEpoch(world.claim(2, first.claimHash), world.time(2));
    noteOwnership(second.outbox, second.mirror);
    noteBeforePublish(second.outbox, second.mirror, second.outbox.read({ epoch: 1, seq: 99 }, 10));
    close(second);
    copyFileSync(`${path}.old`, path);
    if (how === 'damaged') damage(path);
    const third = open(world, folder);
    third.outbox.flushLosses(world.time(3));
    const { queries } = storeOf(third.outbox);
    const records = third.outbox
      .read({ epoch: 2, seq: -1 }, 10)
      .map(({ bytes }) => world.outboxSigner().openRecord(bytes));
    expect(describeRecords(records.map(({ value }) => value))).toContain('failed 3');
    expect(queries.pendingLosses.all(1, 10)).toEqual([]);
    close(third);
  });
});
