import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { onBadDisk } from '../../campaigns/crash/bad-disk.js';
import { measureCosts, MANY_RECORDS } from '../../campaigns/crash/costs.js';
import { runKills } from '../../campaigns/crash/kills.js';
import { runPowercuts } from '../../campaigns/crash/powercuts.js';
import { buildRecorder } from '../../campaigns/crash/recorder.js';
import { limitMs } from '../../support/runner/speed.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';

const CYCLES = 50;
const TIMEOUT_MS = limitMs(240_000);

describeWith('cc', 'the outbox', () => {
  const home = keptFolder();
  let library = '';
  beforeAll(() => {
    library = buildRecorder(home);
  });

  it(
    'keeps every reported record once and in its chain after a kill -9 at any moment, statement or system call',
    async () => {
      const sum = await runKills({ kills: CYCLES, seed: 1, folder: tempFolder(), library });
      expect(sum).toMatchObject({ cycles: CYCLES, lost: 0, duplicated: 0, wrong: [] });
      expect(sum.committed).toBeGreaterThan(CYCLES);
    },
    TIMEOUT_MS,
  );

  it(
    'control: loses records when it reports them before their commit',
    async () => {
      const sum = await runKills({ kills: 15, seed: 1, folder: tempFolder(), library, reportsEarly: true });
      expect(sum.lost).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'keeps every reported record after a power cut, whichever unsynced writes are there, torn or missing',
    async () => {
      const sum = await runPowercuts({ cuts: CYCLES, seed: 1, folder: tempFolder(), library });
      expect(sum).toMatchObject({ cycles: CYCLES, lost: 0, duplicated: 0, wrong: [] });
      expect(sum.committed).toBeGreaterThan(10);
    },
    TIMEOUT_MS,
  );

  it(
    'control: loses records with synchronous=NORMAL',
    async () => {
      const sum = await runPowercuts({
        cuts: CYCLES,
        seed: 1,
        folder: tempFolder(),
        library,
        synchronous: 'NORMAL',
      });
      expect(sum.lost).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  const small = { cuts: CYCLES, seed: 1, maxBytes: 30_000 };

  it(
    'keeps the key record of every picture of version 2 in a full outbox, through power cuts',
    async () => {
      const sum = await runPowercuts({ ...small, folder: tempFolder(), library });
      expect(sum).toMatchObject({ cycles: CYCLES, lost: 0, duplicated: 0, wrong: [] });
      expect(sum.dropped).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'control: leaves pictures that nobody can open when key records are dropped like any other record',
    async () => {
      const sum = await runPowercuts({ ...small, folder: tempFolder(), library, dropsKeys: true });
      expect(sum.wrong.some((what) => what.endsWith('has a picture that nobody can open'))).toBe(true);
    },
    TIMEOUT_MS,
  );

  it.each([
    ['is full for a while', { errno: 'ENOSPC', first: 40, count: 25, classes: 'wo' }, 'store-full'],
    ['fails to write', { errno: 'EIO', first: 40, count: 30, classes: 'w' }, 'store-unavailable'],
    ['fails to sync', { errno: 'EIO', first: 8, count: 6, classes: 's' }, 'store-unavailable'],
    ['fails to read', { errno: 'EIO', first: 12, count: 20, classes: 'r' }, 'store-unavailable'],
    ['becomes read-only', { errno: 'EROFS', first: 60, count: 1e9, classes: 'wsno' }, 'store-unavailable'],
  ] as const)('loses no reported record on a disk that %s', async (_, failing, code) => {
    const folder = mkdtempSync(join(tempFolder(), 'bad-'));
    const { verdict, failures, later } = await onBadDisk(library, folder, { failing, seed: 3, steps: 60 });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], wrong: [] });
    // Steps failed with the documented code, and went on once the disk worked again.
    expect([...failures.keys()]).toContain(code);
    if (failing.count < 1000) expect(later).toBeGreaterThan(0);
  });

  it(
    `opens with ${String(MANY_RECORDS)} records as fast as with none, and in the same memory`,
    async () => {
      const { opening, phases } = await measureCosts(library, tempFolder(), () => undefined);
      const [empty, full] = opening;
      expect(full?.records).toBe(MANY_RECORDS);
      expect(full?.reads).toBeLessThanOrEqual((empty?.reads ?? 0) + 4);
      expect((full?.rssMib ?? Infinity) - (empty?.rssMib ?? 0)).toBeLessThan(4);
      expect((full?.workedRssMib ?? Infinity) - (empty?.workedRssMib ?? 0)).toBeLessThan(12);
      // One sync commits a record with its picture; an occasional checkpoint adds two.
      expect(phases[0]?.syncs).toBeLessThan(1.5);
    },
    TIMEOUT_MS,
  );
});
