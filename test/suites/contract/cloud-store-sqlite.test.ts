import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { migrations } from '../../../cloud/store/sqlite/schema.js';
import { cloudStoreContract } from '../../support/contracts/cloud-store/index.js';
import { claimed } from '../../support/contracts/cloud-store/world.js';
import { tempFolder } from '../../support/runner/temp.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';

describe('cloud store: sqlite', () => {
  cloudStoreContract(() => Promise.resolve(openSqliteStore(join(tempFolder(), 'cloud.db'))));
});

describe('cloud store: sqlite file', () => {
  it('refuses to undo a revocation, also for plain SQL', async () => {
    const path = join(tempFolder(), 'cloud.db');
    await openSqliteStore(path).close();
    const db = new Sqlite(path);
    const id = Buffer.alloc(32, 7);
    db.prepare('INSERT INTO revoked_device VALUES (?, 1)').run(id);
    db.prepare("INSERT INTO claim VALUES (?, 1, ?, ?, NULL, 'revoked', NULL, 5, 1)").run(id, Buffer.alloc(16), id);
    expect(() => db.exec('DELETE FROM revoked_device')).toThrow(/stays revoked/);
    expect(() => db.exec("UPDATE claim SET state = 'open'")).toThrow(/stays revoked/);
    db.close();
  });

  it('reports a record as stored once its group is committed, which another process then sees whole', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const waits: (() => void)[] = [];
    const nextTurn = (): Promise<void> => new Promise((resolve) => waits.push(resolve));
    const store = openSqliteStore(path, { clock: new VirtualClock(), nextTurn });
    const { records } = await claimed(store);
    const db = new Sqlite(path, { readonly: true });
    const stored = db.prepare('SELECT count(*) FROM record').pluck();
    const seen: unknown[] = [];
    const puts = records.slice(1).map((record) => store.records.put(record, [], 2).then(() => seen.push(stored.get())));
    await Promise.resolve();
    expect([stored.get(), seen, waits.length]).toEqual([1, [], 1]);
    waits[0]?.();
    await Promise.all(puts);
    expect(seen).toEqual([7, 7, 7, 7, 7, 7]);
    db.close();
    await store.close();
  });

  it('gives the process time after a commit that was shared, and none after one of a single record', async () => {
    const clock = new VirtualClock();
    const store = openSqliteStore(join(tempFolder(), 'cloud.db'), { clock, nextTurn: () => Promise.resolve() });
    const { records } = await claimed(store);
    const [, one, two, three, four] = records;
    if (one === undefined || two === undefined || three === undefined || four === undefined)
      throw new Error('no records');
    const slowly = (): boolean => {
      // The commit takes as long.
      clock.advance(3);
      return true;
    };
    await store.records.put(one, [], 2, slowly);
    // Alone, it shares nothing: the next one, of a camera that waits for each receipt, is committed at once.
    const shared = Promise.all([store.records.put(two, [], 2, slowly), store.records.put(three, [], 2)]);
    expect(await shared).toMatchObject([{ outcome: 'stored' }, { outcome: 'stored' }]);
    let isStored = false;
    const fourth = store.records.put(four, [], 2).then(() => (isStored = true));
    await clock.run(5, 1);
    expect(isStored).toBe(false);
    await clock.run(1, 1);
    await fourth;
    await store.close();
  });

  it('drops the oldest alarms of a place that overflows, and no alarm of another place', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const store = openSqliteStore(path);
    const alarm = { atMs: 1, verdict: 'foreign', device: null, epoch: null, reader: null, reason: 'first' } as const;
    await store.alarms.put({ ...alarm, place: 'read', quarantineId: null });
    const db = new Sqlite(path);
    db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
      INSERT INTO alarm (at_ms, place, verdict, reason, reader)
      SELECT i, 'app', 'foreign', 'flood', CAST(i AS BLOB) FROM n`);
    db.close();
    await store.alarms.put({ ...alarm, place: 'app', quarantineId: null });
    const all = await store.alarms.since(0, 99_999);
    expect(all).toHaveLength(10_001);
    expect(all.at(-1)).toMatchObject({ place: 'read', reason: 'first' });
    await store.close();
  });

  it('refuses to change or delete a line of the access log, also for plain SQL', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const store = openSqliteStore(path);
    await store.access.append([
      {
        atMs: 1,
        reader: new Uint8Array(32),
        device: new Uint8Array(32),
        epoch: 1,
        what: 'media',
        fromSeq: 1,
        toSeq: 1,
        mediaId: null,
      },
    ]);
    await store.close();
    const db = new Sqlite(path);
    expect(() => db.exec('DELETE FROM access')).toThrow(/append-only/);
    expect(() => db.exec('UPDATE access SET at_ms = 0')).toThrow(/append-only/);
    // Of another day.
    db.exec('INSERT INTO access_archive VALUES (1)');
    expect(() => db.exec('DELETE FROM access')).toThrow(/append-only/);
    expect(() => db.exec('UPDATE access_archive SET day = 0')).toThrow(/stays noted/);
    expect(() => db.exec('DELETE FROM access_archive')).toThrow(/stays noted/);
    expect(db.prepare('SELECT count(*) AS n FROM access').get()).toEqual({ n: 1 });
    db.close();
  });

  it('opens a database of the first version and keeps what is in it', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const old = new Sqlite(path);
    old.exec(migrations[0] ?? '');
    old.pragma('user_version = 1');
    const device = Buffer.alloc(32, 7);
    old.prepare("INSERT INTO claim VALUES (?, 1, ?, ?, NULL, 'open', NULL, 5)").run(device, Buffer.alloc(16), device);
    old.close();
    const store = openSqliteStore(path);
    expect(await store.claims.row(new Uint8Array(device), 1)).toMatchObject({ state: 'open', acceptedAtMs: 5 });
    expect(await store.reads.pauses()).toEqual([]);
    await store.close();
  });

  it('opens a database without the newest time: it is that of its newest record, and only rises', async () => {
    const path = join(tempFolder(), 'cloud.db');
    const old = new Sqlite(path);
    const version = migrations.findIndex((step) => step.includes('TABLE newest_time'));
    for (const step of migrations.slice(0, version)) old.exec(step);
    old.pragma(`user_version = ${String(version)}`);
    const device = Buffer.alloc(32, 7);
    const insert = old.prepare("INSERT INTO record VALUES (NULL, ?, 1, ?, ?, 'scene', ?, ?)");
    for (const [seq, atMs] of [
      [0, 5000],
      [1, 3000],
    ] as const)
      insert.run(device, seq, device, device, atMs);
    old.exec("INSERT INTO alarm (at_ms, place, verdict, reason) VALUES (1, 'app', 'foreign', 'old')");
    old.close();
    const store = openSqliteStore(path);
    expect(await store.times.newest()).toBe(5000);
    const alarm = { atMs: 2, verdict: 'clock-doubt', device: null, epoch: null, reader: null, reason: 'new' } as const;
    await store.alarms.put({ ...alarm, place: 'clock', quarantineId: null });
    expect((await store.alarms.since(0, 9)).map(({ reason }) => reason)).toEqual(['new', 'old']);
    await store.close();
    const db = new Sqlite(path);
    expect(() => db.exec('UPDATE newest_time SET at_ms = 4999')).toThrow(/only rises/);
    expect(() => db.exec('DELETE FROM newest_time')).toThrow(/only rises/);
    db.close();
  });

  it('refuses a database of a newer version', async () => {
    const path = join(tempFolder(), 'cloud.db');
    await openSqliteStore(path).close();
    const db = new Sqlite(path);
    db.pragma('user_version = 99');
    db.close();
    expect(() => openSqliteStore(path)).toThrow(/newer than this program/);
  });
});
