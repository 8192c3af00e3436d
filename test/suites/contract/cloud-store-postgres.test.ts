import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database } from '../../../cloud/store/postgres/database.js';
import { Partitions } from '../../../cloud/store/postgres/partitions.js';
import { DAY_MS } from '../../../cloud/store/rows.js';
import { migrations } from '../../../cloud/store/postgres/schema.js';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import type { CloudStore, PutOutcome } from '../../../cloud/store/store.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { cloudStoreContract } from '../../support/contracts/cloud-store/index.js';
import { Epoch } from '../../support/contracts/cloud-store/periods.js';
import { claimed, expireOnce, media } from '../../support/contracts/cloud-store/world.js';
import { asyncCodeOf } from '../../support/codes.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { queryDirectly, postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { keptFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';

let server: TestPostgres;
let databases = 0;

function serverForThisFile(): void {
  beforeAll(async () => {
    server = postgres(keptFolder());
    await server.start();
  });
  afterAll(async () => {
    await server.stop();
  });
}

const emptyUrl = (): Promise<string> => server.database(`store_${String(++databases)}`);

async function openAt(url: string): Promise<CloudStore> {
  const store = await openPostgresStore({ url, password: undefined, connections: 4 });
  afterThisTest(() => store.close());
  return store;
}

describeWith('postgres', 'cloud store: postgres', () => {
  serverForThisFile();
  cloudStoreContract(async () => openAt(await emptyUrl()));
});

describeWith('postgres', 'cloud store: postgres server', () => {
  serverForThisFile();

  it('refuses to undo a revocation or to change a line of the access log, also for plain SQL', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    await claimed(store);
    const reader = new Uint8Array(32);
    const line = { atMs: 1, reader, device: reader, epoch: 1, what: 'media', fromSeq: 1, toSeq: 1 } as const;
    await store.access.append([{ ...line, mediaId: null }]);
    await queryDirectly(url, async (query) => {
      await query("UPDATE claim SET state = 'revoked'");
      await expect(query("UPDATE claim SET state = 'open'")).rejects.toThrow(/stays revoked/);
      await query("INSERT INTO revoked_device VALUES ('\\x07', 1)");
      await expect(query('DELETE FROM revoked_device')).rejects.toThrow(/stays revoked/);
      for (const change of ['DELETE FROM', 'TRUNCATE', 'UPDATE']) {
        const rest = change === 'UPDATE' ? ' SET epoch = 2' : '';
        await expect(query(`${change} access${rest}`)).rejects.toThrow(/append-only/);
        if (change === 'TRUNCATE') continue;
        await expect(query(`${change} access_0${rest}`)).rejects.toThrow(/append-only/);
      }
      // Of another day.
      await query('INSERT INTO access_archive VALUES (1)');
      await expect(query('DELETE FROM access')).rejects.toThrow(/append-only/);
      for (const change of [
        'DELETE FROM access_archive',
        'TRUNCATE access_archive',
        'UPDATE access_archive SET day = 0',
      ]) {
        await expect(query(change)).rejects.toThrow(/stays noted/);
      }
      expect(await query('SELECT epoch FROM access')).toEqual([{ epoch: '1' }]);
    });
  });

  it('drops a partition of the access log once its lines are archived and a later day is, and takes late lines again', async () => {
    const url = await emptyUrl();
    const { access } = await openAt(url);
    const reader = new Uint8Array(32);
    const line = { reader, device: reader, epoch: 1, what: 'records', fromSeq: 1, toSeq: 1, mediaId: null } as const;
    // Partitions cover 30 days.
    await access.append([5, 31, 65].map((day) => ({ ...line, atMs: day * DAY_MS })));
    const partitions = async (): Promise<unknown[]> =>
      (
        await queryDirectly(url, (query) =>
          query("SELECT relid::regclass::text AS n FROM pg_partition_tree('access') WHERE isleaf ORDER BY 1"),
        )
      ).map(({ n }) => n);
    const ids = (await access.lines(0, 99 * DAY_MS, null, 9)).map(({ id }) => id);
    await access.noteArchived(5);
    await access.removeArchived(5, ids);
    expect(await partitions()).toEqual(['access_0', 'access_1', 'access_2', 'access_3']);
    // The second still has a line: it is not dropped with the first.
    await access.noteArchived(65);
    expect(await partitions()).toEqual(['access_1', 'access_2', 'access_3']);
    const late = { ...line, atMs: 6 * DAY_MS };
    await access.append([late]);
    expect(await access.oldestMs()).toBe(late.atMs);
  });

  it('leaves a partition for the next time while a query reads the access log', async () => {
    const url = await emptyUrl();
    const { access } = await openAt(url);
    const reader = new Uint8Array(32);
    await access.append([
      { atMs: 65 * DAY_MS, reader, device: reader, epoch: 1, what: 'records', fromSeq: 1, toSeq: 1, mediaId: null },
    ]);
    await queryDirectly(url, async (query) => {
      await query('CREATE TABLE access_0 PARTITION OF access FOR VALUES FROM (0) TO (2592000000)');
      await query('BEGIN');
      await query('SELECT count(*) FROM access');
      await access.noteArchived(65);
      expect(await query("SELECT to_regclass('access_0') IS NOT NULL AS there")).toEqual([{ there: true }]);
      await query('COMMIT');
    });
    await access.noteArchived(65);
    await queryDirectly(url, async (query) => {
      expect(await query("SELECT to_regclass('access_0') IS NOT NULL AS there")).toEqual([{ there: false }]);
    });
  });

  it('drops the oldest alarms of a place that overflows, and no alarm of another place', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    const alarm = { atMs: 1, verdict: 'foreign', device: null, epoch: null, reader: null, reason: 'first' } as const;
    await store.alarms.put({ ...alarm, place: 'read', quarantineId: null });
    await queryDirectly(url, (query) =>
      query(`INSERT INTO alarm (at_ms, place, verdict, reason, reader)
        SELECT i, 'app', 'foreign', 'flood', int8send(i) FROM generate_series(1, 10500) AS i`),
    );
    await store.alarms.put({ ...alarm, place: 'app', quarantineId: null });
    const all = await store.alarms.since(0, 99_999);
    expect(all).toHaveLength(10_001);
    expect(all.at(-1)).toMatchObject({ place: 'read', reason: 'first' });
  });

  it('creates its schema once when several workers start together, and refuses a newer schema', async () => {
    const url = await emptyUrl();
    const [first, second] = await Promise.all([openAt(url), openAt(url), openAt(url)]);
    const { world } = await claimed(first);
    expect(await second.claims.row(world.deviceId, 1)).toMatchObject({ state: 'open' });
    await queryDirectly(url, (query) => query('UPDATE schema_version SET version = 99'));
    expect(await asyncCodeOf(() => openAt(url))).toBe('store-newer');
  });

  it('reads a claim row as committed now, whichever process changed it', async () => {
    const url = await emptyUrl();
    const one = await openAt(url);
    const other = await openAt(url);
    const { world } = await claimed(one);
    expect(await one.claims.row(world.deviceId, 1)).toMatchObject({ state: 'open' });
    await other.claims.close(world.deviceId, 1, 6);
    expect(await one.claims.row(world.deviceId, 1)).toMatchObject({ state: 'closed', closedAtSeq: 6 });
    await queryDirectly(url, (query) => query("UPDATE claim SET state = 'revoked'"));
    expect(await one.claims.row(world.deviceId, 1)).toMatchObject({ state: 'revoked' });
  });

  it('stores records and pictures once when two workers bring the same at the same time', async () => {
    const url = await emptyUrl();
    const workers = [await openAt(url), await openAt(url)];
    const [first] = workers;
    if (first === undefined) throw new Error('no store');
    const { world, claim, records } = await claimed(first);
    const { meta, stored } = media();
    const event = { id: meta.id, phase: 'start', revision: 0 } as const;
    const pictured = world.record(claim, 7, records[6]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    const all = [...records.slice(1), pictured];
    const puts = workers.flatMap((store, i) =>
      // In opposite order: written in order of arrival, the two batches would deadlock.
      (i === 0 ? all : [...all].reverse()).map((record) =>
        store.records.put(record, record === pictured ? [stored] : [], 5),
      ),
    );
    const count = (outcomes: readonly PutOutcome[], wanted: PutOutcome['outcome']): number =>
      outcomes.filter(({ outcome }) => outcome === wanted).length;
    const outcomes = await Promise.all(puts);
    expect([count(outcomes, 'stored'), count(outcomes, 'duplicate')]).toEqual([7, 7]);
    expect(await first.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 7 });
    const bodies = await queryDirectly(url, (query) => query('SELECT count(*)::int AS n FROM record_body'));
    expect(bodies).toEqual([{ n: 8 }]);
  });

  it('lets one of two simultaneous claims have an epoch', async () => {
    const url = await emptyUrl();
    const one = await openAt(url);
    const other = await openAt(url);
    for (let round = 0; round < 5; round++) {
      const world = new CameraWorld();
      // Of two epochs, the lower may be stored only before the higher.
      const first = world.claim(1);
      const claims = [first, round % 2 === 0 ? world.claim(1) : world.claim(2, first.hash)];
      const outcomes = await Promise.all(
        claims.map(async (claim, i) =>
          (i === 0 ? one : other).claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 1),
        ),
      );
      const stored = outcomes.filter(({ outcome }) => outcome === 'stored').length;
      const isFirstRefused = outcomes[0]?.outcome === 'equivocation';
      expect(stored).toBe(round % 2 === 0 || isFirstRefused ? 1 : 2);
      const winner = claims.findLast((_, i) => outcomes[i]?.outcome === 'stored');
      expect((await one.claims.latest(world.deviceId))?.claimHash).toEqual(winner?.hash);
    }
  });

  it('returns no arrival that a slower transaction could still precede', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    const { world, records } = await claimed(store);
    const before = await store.records.lastId();
    const epochs = [{ device: world.deviceId, epoch: 1 }];
    const [, one, two] = records;
    if (one === undefined || two === undefined) throw new Error('no records');
    await queryDirectly(url, async (query) => {
      // Another worker has drawn its arrival number and has not committed.
      await query('BEGIN');
      await query('SELECT arrival_id(0)');
      expect(await store.records.put(one, [], 2)).toMatchObject({ outcome: 'stored' });
      // The record can be read by its key; it is not yet in the order of arrival.
      expect(await store.records.get(world.deviceId, 1, 1)).toBeDefined();
      expect(await store.records.since(before, epochs, 9)).toEqual([]);
      expect(await store.records.arrivals(before, 9)).toEqual([]);
      expect(await store.records.lastId()).toBe(before);
      await query('COMMIT');
    });
    expect((await store.records.since(before, epochs, 9)).map(({ seq }) => seq)).toEqual([1]);
    expect(await store.records.lastId()).toBeGreaterThan(before);
  });

  it('keeps counting arrivals after a restore into a cluster whose transaction numbers start again', async () => {
    const url = await emptyUrl();
    const old = await openAt(url);
    const { world, records } = await claimed(old);
    const [, one] = records;
    if (one === undefined) throw new Error('no record');
    await old.close();
    await queryDirectly(url, (query) => query('UPDATE record_key SET id = id + 1000000000'));
    const store = await openAt(url);
    const before = await store.records.lastId();
    await store.records.put(one, [], 2);
    expect(before).toBeGreaterThan(1_000_000_000);
    expect(await store.records.lastId()).toBeGreaterThan(before);
    expect((await store.records.get(world.deviceId, 1, 1))?.id).toBeGreaterThan(before);
  });

  it('drops a day whose records have expired, and keeps the accept and the newest record of an epoch with its picture', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    // Without a clock of its own, so that the receive times decide.
    const world = new CameraWorld();
    world.time = (monotonicMs) => ({ boot: world.boot, monotonicMs, wallMs: null, quality: 'unset' });
    const camera = await claimed(store, world);
    const { claim, records } = camera;
    const { meta, stored } = media();
    const event = { id: meta.id, phase: 'start', revision: 0 } as const;
    for (const record of records.slice(1)) await store.records.put(record, [], 2 * DAY_MS);
    const head = world.record(claim, 7, records[6]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(head, [stored], 2 * DAY_MS);
    const days = async (): Promise<unknown[]> =>
      (
        await queryDirectly(url, (query) =>
          query("SELECT relid::regclass::text AS n FROM pg_partition_tree('media_body') WHERE isleaf ORDER BY 1"),
        )
      ).map(({ n }) => n);
    expect(await days()).toContain('media_body_2');
    expect(await expireOnce(store, camera, 5 * DAY_MS, 3)).toBe(3);
    // Each call deletes a bounded number: the day stays until its last record has expired.
    expect(await days()).toContain('media_body_2');
    while ((await expireOnce(store, camera, 5 * DAY_MS, 3)) > 0);
    expect(await days()).not.toContain('media_body_2');
    expect((await store.records.page(world.deviceId, 1, 99, 99)).map(({ seq }) => seq)).toEqual([7, 0]);
    expect((await store.records.get(world.deviceId, 1, 7))?.receivedAtMs).toBe(2 * DAY_MS);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 7 });
  });

  it('drops a day although records of it stay that were made later than received, and keeps those', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    const camera = await claimed(store);
    const { world, claim, records } = camera;
    const { meta, stored } = media();
    const event = { id: meta.id, phase: 'start', revision: 0 } as const;
    const pictured = world.record(claim, 1, records[0]?.hash ?? null, { kind: 'motion', event, media: [meta] });
    await store.records.put(pictured, [stored], 2 * DAY_MS);
    for (const record of records.slice(2)) await store.records.put(record, [], 2 * DAY_MS);
    expect(await expireOnce(store, camera, 5 * DAY_MS)).toBe(0);
    const days = await queryDirectly(url, (query) =>
      query("SELECT relid::regclass::text AS n FROM pg_partition_tree('media_body') WHERE isleaf"),
    );
    expect(days.map(({ n }) => n)).not.toContain('media_body_2');
    expect(await store.records.page(world.deviceId, 1, 99, 99)).toHaveLength(7);
    expect(await store.records.media(world.deviceId, 1, meta.id)).toEqual({ sealed: stored.sealed, seq: 1 });
    // Rows of expired records go with their pictures, wherever those lie.
    expect(await expireOnce(store, camera, Date.UTC(2027, 0, 1))).toBe(5);
    // Retention goes on until it finds nothing; that call drops the day.
    expect(await expireOnce(store, camera, Date.UTC(2027, 0, 1))).toBe(0);
    expect(await queryDirectly(url, (query) => query('SELECT count(*)::int AS n FROM media_body'))).toEqual([{ n: 0 }]);
  });

  it('drops a day although a key record of it is still needed, and keeps that with its body', async () => {
    const url = await emptyUrl();
    const epoch = await Epoch.open(await openAt(url));
    const { periodId, object } = await epoch.key(2 * DAY_MS);
    const byAge = await epoch.picture(periodId, 2 * DAY_MS);
    await epoch.picture(periodId, 9 * DAY_MS);
    await epoch.ordinary(9 * DAY_MS);
    while ((await epoch.expire(5 * DAY_MS)) > 0);
    const days = await queryDirectly(url, (query) =>
      query("SELECT relid::regclass::text AS n FROM pg_partition_tree('media_body') WHERE isleaf"),
    );
    expect(days.map(({ n }) => n)).not.toContain('media_body_2');
    expect(await epoch.store.records.keyRecord(epoch.device, 1, periodId)).toMatchObject({
      record: { seq: 1, receivedAtMs: 2 * DAY_MS },
      sealed: { body: object.sealed.body },
    });
    // The control: a picture of that day, and its bytes.
    expect(await epoch.store.records.media(epoch.device, 1, byAge.id)).toBeUndefined();
  });

  it('drops a day although a process was killed between the partitions of a later one', async () => {
    const url = await emptyUrl();
    const epoch = await Epoch.open(await openAt(url));
    const { periodId, object } = await epoch.key(2 * DAY_MS);
    await epoch.picture(periodId, 9 * DAY_MS);
    await queryDirectly(url, (query) =>
      query('CREATE TABLE record_body_20 PARTITION OF record_body FOR VALUES FROM (20) TO (21)'),
    );
    expect(await epoch.expire(5 * DAY_MS)).toBe(0);
    expect(await epoch.store.records.keyRecord(epoch.device, 1, periodId)).toMatchObject({
      sealed: { body: object.sealed.body },
    });
    const days = await queryDirectly(url, (query) =>
      query("SELECT relid::regclass::text AS n FROM pg_partition_tree('media_body') WHERE isleaf"),
    );
    expect(days.map(({ n }) => n)).not.toContain('media_body_2');
  });

  it('drops no day to which a worker with a wrong clock has added a record meanwhile', async () => {
    const url = await emptyUrl();
    const store = await openAt(url);
    const { world, records } = await claimed(store);
    const [, late] = records;
    if (late === undefined) throw new Error('no record');
    await store.records.put(late, [], 2 * DAY_MS);
    const database = await Database.open({ url, password: undefined, connections: 2 });
    afterThisTest(() => database.close());
    const partitions = new Partitions(database);
    await partitions.dropDay(2);
    expect(await store.records.get(world.deviceId, 1, 1)).toMatchObject({ hash: late.hash });
    await queryDirectly(url, (query) => query('UPDATE record_key SET day = 0'));
    await partitions.dropDay(2);
    expect(await partitions.days('record_body')).not.toContain(2);
  });

  it('opens a database of the first version, keeps what is in it, and trusts its times', async () => {
    const url = await emptyUrl();
    await queryDirectly(url, async (query) => {
      await query(migrations[0] ?? '');
      await query('CREATE TABLE schema_version (version integer NOT NULL)');
      await query('INSERT INTO schema_version VALUES (1)');
      const values = "'\\x07', 1, 0, '\\x07', 'accept', 1, 5000, 0";
      await query(
        `INSERT INTO record_key (device, epoch, seq, hash, kind, id, received_at_ms, day) VALUES (${values})`,
      );
      await query("INSERT INTO alarm (at_ms, place, verdict, reason) VALUES (1, 'app', 'foreign', 'old')");
    });
    const store = await openAt(url);
    expect(await store.times.newest()).toBe(5000);
    const alarm = { atMs: 2, verdict: 'clock-doubt', device: null, epoch: null, reader: null, reason: 'new' } as const;
    await store.alarms.put({ ...alarm, place: 'clock', quarantineId: null });
    expect((await store.alarms.since(0, 9)).map(({ reason }) => reason)).toEqual(['new', 'old']);
    await queryDirectly(url, async (query) => {
      await expect(query('UPDATE newest_time SET at_ms = 4999')).rejects.toThrow(/only rises/);
      await expect(query('DELETE FROM newest_time')).rejects.toThrow(/only rises/);
    });
  });

  it('rejects while the server is down, and continues when it is back', async () => {
    const store = await openAt(await emptyUrl());
    const { world, records } = await claimed(store);
    const [, one, two] = records;
    if (one === undefined || two === undefined) throw new Error('no records');
    await store.records.put(one, [], 2);
    await server.stop('kill');
    expect(await asyncCodeOf(() => store.claims.row(world.deviceId, 1))).toBe('store-unavailable');
    expect(await asyncCodeOf(() => store.records.put(two, [], 2))).toBe('store-unavailable');
    await server.start();
    await until('the store answers', () =>
      store.records.lastId().then(
        () => true,
        () => false,
      ),
    );
    expect(await store.records.get(world.deviceId, 1, 1)).toMatchObject({ hash: one.hash });
    expect(await store.records.get(world.deviceId, 1, 2)).toBeUndefined();
    expect(await store.records.put(two, [], 2)).toMatchObject({ outcome: 'stored' });
  });

  it('refuses a server with fsync off, and shows neither user nor password', async () => {
    const url = await emptyUrl();
    const set = (value: string): Promise<unknown> =>
      queryDirectly(url, async (query) => {
        await query(`ALTER SYSTEM SET fsync = ${value}`);
        await query('SELECT pg_reload_conf()');
      });
    const open = (): Promise<CloudStore> => openPostgresStore({ url, password: 'hunter2', connections: 4 });
    await set('off');
    const fsync = async (): Promise<unknown> =>
      queryDirectly(url, async (query) => (await query('SHOW fsync'))[0]?.['fsync']);
    await until('it is off', async () => (await fsync()) === 'off');
    const thrown: unknown = await open().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'store-unavailable', message: expect.stringMatching(/durable/) as unknown });
    expect(String(thrown)).not.toMatch(/hunter2|sealcam@/);
    await set('on');
    await until('it is on', async () => (await fsync()) === 'on');
    await (await open()).close();
  });
});
