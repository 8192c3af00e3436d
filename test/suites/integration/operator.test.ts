import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { embedded } from '../../support/engines/brokers.js';
import { run } from '../../support/engines/command.js';
import { tempFolder } from '../../support/runner/temp.js';
import { repository } from '../../support/vectors.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

const SENTENCE = 'We are looking into a fault. Your cameras keep recording.';

let way: WholeWay | null = null;

afterEach(async () => {
  await way?.stopAll();
  way = null;
});

function operatorWith(
  folder: string,
  environment: Readonly<Record<string, string>>,
  ...args: string[]
): ReturnType<typeof run> {
  return run('sealcam-cloud', args, { SEALCLOUD_DATA_FOLDER: join(folder, 'cloud'), ...environment });
}

function revoke(...args: string[]): { status: number | null; stdout: string; stderr: string; json: unknown } {
  const script = join(repository, 'dist', 'scripts', 'revoke.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr, json: stdout.startsWith('{') ? (JSON.parse(stdout) as unknown) : null };
}

/** Runs the operator's command in a process of its own, on the data folder of the cloud that runs in this one. */
function operator(folder: string, ...args: string[]): ReturnType<typeof run> {
  return operatorWith(folder, {}, ...args);
}

describe('an operator of a running cloud', () => {
  it('pauses and resumes reading, while records are still stored and receipted', async () => {
    way = await WholeWay.prepare(embedded);
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a');
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(camera.code);
    await until('an event is opened', () => opened.length >= 1, 30_000);

    const paused = operator(way.folder, 'reads', 'pause', '--all', '--sentence', SENTENCE, '--json');
    expect(paused).toMatchObject({ status: 0, json: [{ paused: 'all', sentence: SENTENCE }] });
    await until('the page shows the pause', () => watcher.view().connection === 'paused');
    expect(watcher.view()).toMatchObject({ problem: { code: 'reads-paused', message: SENTENCE } });
    const seen = watcher.view().events.length;
    const { receipted } = camera.agent.outbox.totals();
    await until('more is receipted', () => camera.agent.outbox.totals().receipted >= receipted + 3);
    expect(watcher.view().events).toHaveLength(seen);

    expect(operator(way.folder, 'reads', 'resume', '--all').stdout).toContain('is resumed for all accounts');
    await until('the events arrive without a reload', () => watcher.view().events.length > seen, 60_000);
    expect(watcher.view().connection).toBe('live');
    const [status] = operator(way.folder, 'reads', 'status', '--json').json;
    expect(status).toMatchObject({
      paused: [],
      changes: [{ action: 'resume' }, { action: 'pause', account: 'all', sentence: SENTENCE }],
    });
    expect(watcher.alarms()).toBe(0);
  });

  it('lists who was shown what, in the zone of --since', async () => {
    way = await WholeWay.prepare(embedded);
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a');
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(camera.code);
    await until('events were opened', () => opened.length >= 2, 30_000);
    const since = `${new Date(Date.now() - 4 * 3_600_000).toISOString().slice(0, 16)}-02:00`;
    const end = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 16)}-02:00`;
    const range = ['--since', since, '--until', end];
    const [shown] = operator(way.folder, 'affected', ...range, '--json').json;
    expect(shown).toMatchObject({ relation: 'owner', device: camera.device, epoch: 1, from_seq: 0 });
    expect(shown?.['media_objects']).toBeGreaterThanOrEqual(2);
    expect(shown?.['stream']).toBeGreaterThan(0);
    expect(shown?.['last']).toMatch(/-02:00$/);
    expect(Math.abs(Date.parse(String(shown?.['last'])) - Date.now())).toBeLessThan(60_000);
    const text = operator(way.folder, 'affected', ...range, '--account', String(shown?.['account'])).stdout;
    expect(text).toContain('1 accounts were shown something in that time; 0 of them');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    // The same hours read as UTC are another time.
    const utc = range.map((part) => part.replace('-02:00', 'Z'));
    expect(operator(way.folder, 'affected', ...utc, '--json').json).toEqual([]);
    expect(operator(way.folder, 'affected', ...range.map((part) => part.replace('-02:00', ''))).status).toBe(2);
    expect(operator(way.folder, 'alarms', '--json')).toMatchObject({ status: 0, json: [] });
  });

  it("imports a maker's list that the script signed, and the running cloud applies it immediately", async () => {
    way = await WholeWay.prepare(embedded);
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = way.startAgent('a');
    const { watcher } = way.watch(cloud);
    await watcher.claim(camera.code);
    const { folder } = way;
    const key = join(folder, 'maker.key');
    const list = join(folder, 'revoked.list');
    const makerKey = revoke('--make-key', key).stdout.trim();
    expect(revoke('--help').stdout).toContain('A revocation is final');
    const made = revoke('--key', key, '--list', list, '--device', camera.device, '--json');
    expect(made).toMatchObject({ status: 0, json: { version: 1, entries: 1, maker_key: makerKey } });
    const old = readFileSync(list);

    const imported = (...more: string[]): ReturnType<typeof run> =>
      operatorWith(folder, { SEALCLOUD_REVOCATION_MAKER_KEY: makerKey }, 'revoke', 'import', list, '--json', ...more);
    expect(imported()).toMatchObject({ status: 0, json: [{ outcome: 'imported', version: 1, entries: 1 }] });
    const known = camera.agent.outbox.totals().receipted;
    await until('its records are refused', () => cloud.cloud.counters.get('refused.revoked') >= 2);
    expect(camera.agent.outbox.totals().receipted).toBeLessThanOrEqual(known + 2);
    await until('an alarm is stored', async () => (await cloud.store.alarms.since(0, 9)).length > 0);

    expect(revoke('--key', key, '--list', list, '--json').json).toMatchObject({ version: 2, entries: 1 });
    expect(imported()).toMatchObject({ status: 0, json: [{ version: 2 }] });
    writeFileSync(list, old);
    expect(imported()).toMatchObject({ status: 3, json: [{ error: { code: 'revocation-rollback' } }] });
    chmodSync(key, 0o640);
    expect(revoke('--key', key, '--list', list)).toMatchObject({ status: 2 });
    chmodSync(key, 0o600);
    const other = join(folder, 'other.key');
    revoke('--make-key', other);
    expect(revoke('--key', other, '--list', list).stderr).toContain('not a list of the maker');
    expect(operator(folder, 'revoke', 'import', list).stderr).toContain('revocation.makerKey is not set');
  });

  it('rotates receipt keys: a camera needs no new claim while its claim names one of them', async () => {
    way = await WholeWay.prepare(embedded);
    await way.broker.start();
    let cloud = await way.startCloud();
    const camera = way.startAgent('a');
    await way.watch(cloud).watcher.claim(camera.code);
    const { folder } = way;
    const keys = (): Record<string, unknown>[] => [...operator(folder, 'receipt-keys', '--json').json];
    expect(keys()).toMatchObject([
      { number: 2, role: 'successor', open_claims: 1, signs_for: 0 },
      { number: 1, role: 'current', open_claims: 1, signs_for: 1 },
    ]);
    // First to the key that the claim names as successor, then to keys that it does not name.
    for (const signs of [
      [0, 1, 0],
      [0, 0, 1, 0],
    ]) {
      await way.stop(cloud);
      expect(operator(folder, 'receipt-keys', 'rotate', '--json').status).toBe(0);
      expect(keys().map((key) => key['signs_for'])).toEqual(signs);
      cloud = await way.startCloud();
      const { receipted } = camera.agent.outbox.totals();
      await until('records are receipted', () => camera.agent.outbox.totals().receipted > receipted + 1, 60_000);
    }
    expect(cloud.cloud.counters.get('receipts.no-key')).toBe(0);
    expect(operator(folder, 'receipt-keys').stdout).toContain('named by 1 open claims, signs the receipts of 1');
  });

  it('gets an error for a folder without a cloud, and for an ambiguous scope', () => {
    const folder = tempFolder();
    const pause = (...args: string[]): ReturnType<typeof run> => operator(folder, 'reads', 'pause', ...args);
    expect(pause('--all', '--sentence', 'x')).toMatchObject({ status: 4 });
    expect(pause('--sentence', 'x').stderr).toContain('expected either --all or --account HEX');
    expect(pause('--all', '--account', toHex(new Uint8Array(16)), '--sentence', 'x').status).toBe(2);
    expect(pause('--account', 'abc', '--sentence', 'x').status).toBe(2);
    expect(pause('--all').status).toBe(2);
    expect(pause('--all', '--sentence', 'two\nlines').status).toBe(2);
  });
});
