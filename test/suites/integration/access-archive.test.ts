import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { DAY_MS } from '../../../cloud/store/rows.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { AccessEntry, CloudStore } from '../../../cloud/store/store.js';
import { claimed } from '../../support/contracts/cloud-store/world.js';
import { run } from '../../support/engines/command.js';
import { postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';

const JANUARY_31 = Date.UTC(2026, 0, 31);
const ALL = ['affected', '--since', '2026-01-01T00:00:00Z', '--until', '2026-12-01T00:00:00Z'] as const;

interface Place {
  readonly environment: Readonly<Record<string, string>>;
  readonly open: () => Promise<CloudStore>;
}

/** The operator's command on a store with three lines of two days, and one that stays. */
async function archiveTrial({ environment, open }: Place): Promise<void> {
  const store = await open();
  const { world } = await claimed(store);
  const line = (atMs: number): AccessEntry => ({
    atMs,
    reader: world.owner.publicKey,
    device: world.deviceId,
    epoch: 1,
    what: 'records',
    fromSeq: 0,
    toSeq: 3,
    mediaId: null,
  });
  await store.access.append([0, 1, DAY_MS, 2 * DAY_MS].map((ms) => line(JANUARY_31 + ms)));
  await store.close();
  const cloud = (...args: readonly string[]): ReturnType<typeof run> => run('sealcam-cloud', [...args], environment);
  const folder = join(tempFolder(), 'log');
  const before = cloud(...ALL, '--json');
  expect(before).toMatchObject({ status: 0, stderr: '', json: [{ records: 4 }] });

  expect(cloud('access', 'archive', '--before', '2026-02-02', '--to', folder, '--json')).toMatchObject({
    status: 0,
    json: [
      { day: '2026-01-31', moved: 2, lines: 2, file: 'access-2026-01-31.jsonl.gz' },
      { day: '2026-02-01', moved: 1, lines: 1, file: 'access-2026-02-01.jsonl.gz' },
    ],
  });
  expect(readdirSync(folder)).toHaveLength(2);
  expect(cloud('access', 'archive', '--before', '2026-02-02', '--to', folder)).toMatchObject({
    status: 0,
    stdout: '0 lines before 2026-02-02 were archived.\n',
  });

  // What is missing is said; with the archive the answer is the one from before.
  const without = cloud(...ALL, '--json');
  expect(without).toMatchObject({ status: 0, json: [{ records: 1 }] });
  expect(without.stderr).toContain('the log is here from 2026-02-02T00:00:00.000Z on');
  const whole = cloud(...ALL, '--archive', folder, '--json');
  expect(whole).toMatchObject({ status: 0, stderr: '' });
  expect(whole.json).toEqual(before.json);

  const again = await open();
  expect((await again.access.lines(0, Number.MAX_SAFE_INTEGER, null, 9)).map(({ atMs }) => atMs)).toEqual([
    JANUARY_31 + 2 * DAY_MS,
  ]);
  await again.close();
}

describe('sealcam-cloud access archive', () => {
  it('moves old lines into files, once, and they can be asked again', async () => {
    const folder = tempFolder();
    const open = (): Promise<CloudStore> => Promise.resolve(openSqliteStore(join(folder, 'cloud.db')));
    await archiveTrial({ environment: { SEALCLOUD_DATA_FOLDER: folder }, open });
  });

  it('refuses a day that is not over, a wrong date, a folder that cannot be, and a broken file, with its own status', async () => {
    const folder = tempFolder();
    const environment = { SEALCLOUD_DATA_FOLDER: folder };
    const store = openSqliteStore(join(folder, 'cloud.db'));
    const key = new Uint8Array(32);
    const line = { reader: key, device: key, epoch: 1, what: 'records', fromSeq: 1, toSeq: 1, mediaId: null } as const;
    await store.access.append([{ ...line, atMs: JANUARY_31 }]);
    await store.close();
    const archive = (before: string, to: string) =>
      run('sealcam-cloud', ['access', 'archive', '--before', before, '--to', to, '--json'], environment);
    const target = join(folder, 'log');
    expect(archive('2999-01-01', target)).toMatchObject({ status: 2, json: [{ error: { code: 'usage-invalid' } }] });
    expect(archive('2026-02-30', target)).toMatchObject({ status: 2, json: [{ error: { code: 'usage-invalid' } }] });
    expect(archive('2026-02-02', join(folder, 'cloud.db'))).toMatchObject({
      status: 4,
      json: [{ error: { code: 'store-unavailable' } }],
    });
    mkdirSync(target);
    writeFileSync(join(target, 'access-2026-01-31.jsonl.gz'), 'broken');
    expect(archive('2026-02-02', target)).toMatchObject({ status: 3, json: [{ error: { code: 'malformed' } }] });
    const again = openSqliteStore(join(folder, 'cloud.db'));
    expect(await again.access.oldestMs()).toBe(JANUARY_31);
    await again.close();
  });
});

describeWith('postgres', 'sealcam-cloud access archive on PostgreSQL', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = postgres(keptFolder());
    await server.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  it('moves old lines into files, once, and they can be asked again', async () => {
    const url = await server.database('archived');
    await archiveTrial({
      environment: { SEALCLOUD_DATA_FOLDER: tempFolder(), SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: url },
      open: () => openPostgresStore({ url, password: undefined, connections: 4 }),
    });
  });
});
