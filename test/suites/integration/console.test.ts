import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../common/seeded-random.js';
import { fromBase64 } from '../../../common/bytes.js';
import { COMMANDS } from '../../../agent/console/commands/index.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { embedded } from '../../support/engines/brokers.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';
import { TestConsole } from '../../support/worlds/test-console.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';
import { slowness } from '../../support/runner/speed.js';

/** Commands of the locked console. Everything else needs a token. */
const OPEN = [
  'help',
  'status',
  'id',
  'camera',
  'queue',
  'uplink status',
  'clock',
  'health',
  'look status',
  'clip status',
  'clip why',
  'unlock',
  'lock',
  'button',
];

describe('the console of a running camera', () => {
  let way: WholeWay;
  let agent: TestAgent;
  let at: TestConsole;
  /** Claims the camera and waits until records flow. */
  async function claimed(): Promise<void> {
    const cloud = await way.startCloud();
    const { watcher } = way.watch(cloud);
    // The first offer was published before the cloud was there.
    agent.button.press();
    await watcher.claim(agent.code);
    await until('an owner', () => agent.agent.ownership.facts().ownerKey !== null);
  }

  beforeEach(async () => {
    way = await WholeWay.prepare(embedded);
    await way.broker.start();
    agent = way.startAgent('camera');
    at = new TestConsole(agent);
    await until('frames', () => agent.agent.counters.get('frames.seen') > 5);
  });
  afterEach(async () => {
    at.console.stop();
    await way.stopAll();
  });

  it('answers a person at 80 columns, and a script with JSON', async () => {
    for (const command of OPEN.filter((name) => !['lock', 'button'].includes(name))) {
      const text = await at.type(command);
      const lines = text.split('\r\n').slice(1, -1);
      expect({ command, lines: lines.length > 0 }).toEqual({ command, lines: true });
      expect({ command, wide: lines.filter((line) => line.length > 80) }).toEqual({ command, wide: [] });
      const [answer] = await at.json(command);
      expect(answer).toMatchObject({ ok: true, command });
    }
    // This camera has a real button, which only a finger presses.
    expect((await at.json('button'))[0]).toMatchObject({ ok: false, code: 'usage-invalid' });
    expect((await at.json('id'))[0]?.['device']).toBe(agent.device);
    const status = (await at.json('status'))[0];
    // The broker may be connected already.
    expect(['idle', 'offline']).toContain(status?.['uploads']);
    expect(status).toMatchObject({
      camera: 'ok',
      owned: false,
      unlocked: [],
      memory_bytes: 70 * 2 ** 20,
      own_memory_bytes: 21 * 2 ** 20,
      segments_queued: 0,
      segments_queued_bytes: 0,
    });
  });

  it('refuses all but read-only commands while locked, and runs them with a token of their scope', async () => {
    const closed = COMMANDS.filter(({ name }) => !OPEN.includes(name));
    expect(closed.length).toBeGreaterThan(12);
    for (const { name, examples } of closed) {
      const [answer] = await at.json(examples[0] ?? name);
      expect({ name, code: answer?.['code'] }).toEqual({ name, code: 'console-locked' });
    }
    expect(agent.agent.counters.get('console.console-locked')).toBe(closed.length);
    expect(at.reboots).toBe(0);
    // The control: with tokens.
    await at.unlock('diagnose');
    expect((await at.json('motion why'))[0]).toMatchObject({ ok: true });
    expect((await at.json('reboot --yes'))[0]).toMatchObject({ ok: false, code: 'console-locked' });
    await at.unlock('reset');
    expect((await at.json('reboot'))[0]).toMatchObject({ ok: false, code: 'usage-invalid' });
    expect((await at.json('reboot --yes'))[0]).toMatchObject({ ok: true });
    expect(at.reboots).toBe(1);
    await at.type('lock');
    expect((await at.json('bundle'))[0]).toMatchObject({ code: 'console-locked' });
  });

  it('explains what is wrong with a command', async () => {
    expect(await at.type('statsu')).toContain('there is no command statsu; did you mean status? [usage-invalid]');
    expect(await at.type('uplink')).toContain('which one: uplink status, uplink drop, uplink flap');
    expect(await at.type('id "open')).toContain('a quotation mark is not closed');
    await at.unlock('diagnose');
    expect(await at.type('log tail many')).toContain('a whole number from 1 to 500');
  });

  it('prints a snapshot as a sealed file and a record, never as a picture; and no record without an owner', async () => {
    await at.unlock('capture');
    expect((await at.json('snapshot'))[0]).toMatchObject({ ok: false, code: 'unclaimed' });
    await claimed();
    const [answer] = await at.json('snapshot');
    const record = openSigned(recordKind, nodeSuite, fromBase64(String(answer?.['record'])) ?? new Uint8Array(0));
    expect(record.value).toMatchObject({ kind: 'snapshot', event: { phase: 'single' } });
    const body = Buffer.from(fromBase64(String(answer?.['body'])) ?? []);
    expect(body.length).toBeGreaterThan(4096);
    // No JPEG markers: neither the start of a file nor its tables.
    expect(body.includes(Buffer.from([0xff, 0xd8, 0xff]))).toBe(false);
    // The control: the picture that was sealed has them.
    expect(Buffer.from(agent.agent.consolePort().lastFrame?.jpeg ?? []).includes(Buffer.from([0xff, 0xd8, 0xff]))).toBe(
      true,
    );
  });

  it('records console commands, so that the owner learns of them', async () => {
    await claimed();
    await at.unlock('capture', 'network');
    const before = agent.agent.outbox.totals().produced;
    await at.type('snapshot');
    await at.type('motion trigger');
    await until('the event', () => agent.agent.outbox.totals().produced >= before + 4);
    await until('a connection', () => agent.agent.uplink.isConnected);
    expect((await at.json('uplink drop'))[0]).toMatchObject({ ok: true, dropped: true });
    expect((await at.json('uplink flap 2', 60_000)).map((line) => line['drop'])).toEqual([1, 2]);
    await until('the connection again', () => agent.agent.uplink.isConnected);
  });

  it('runs its self-test: a table with a verdict, each step within its time limit', async () => {
    await at.unlock('diagnose');
    await until('a connection', () => agent.agent.uplink.isConnected);
    const [answer] = await at.json('selftest --min-fps 1', 60_000);
    expect(answer).toMatchObject({ ok: true, passed: true, failed: 0 });
    const text = await at.type('selftest --min-fps 1', 60_000);
    expect(text).toMatch(/camera +pass/);
    expect(text).toMatch(/flash +pass +\d+ +512 KiB written and read in \d+ ms/);
    expect(text).toContain('PASS');
    // The control: without a broker the uplink fails.
    await way.broker.stop();
    await until('no connection', () => !agent.agent.uplink.isConnected);
    expect(await at.type('selftest', 60_000)).toMatch(/uplink +fail/);
    await way.broker.start();
  });

  it('resets: the owner loses the camera, the outbox is erased, the claim window is open', async () => {
    await claimed();
    await at.unlock('reset');
    expect(await at.type('factory-reset')).toContain('--yes');
    expect(agent.agent.ownership.facts().ownerKey).not.toBeNull();
    await at.type('factory-reset --yes');
    expect(agent.agent.ownership.facts().ownerKey).toBeNull();
    expect(agent.agent.ownership.windowLeftMs()).toBeGreaterThan(0);
    expect((await at.json('claim'))[0]).toMatchObject({ ok: true });
    expect(await at.type('claim')).toContain(agent.code);
  });

  it('never prints keys, and claim codes only for `claim`', async () => {
    await at.unlock('diagnose', 'capture', 'network');
    const { claimSecret } = agent.agent.identity;
    const forms = [agent.code, Buffer.from(claimSecret).toString('hex'), Buffer.from(claimSecret).toString('base64')];
    for (const command of [...OPEN, 'bundle', 'log tail 500', 'net', 'motion why', 'selftest']) {
      if (command === 'lock' || command === 'button') continue;
      const output = await at.type(command, 60_000);
      expect({ command, found: forms.filter((form) => output.includes(form)) }).toEqual({ command, found: [] });
    }
    const bundle = await at.type('bundle');
    expect(bundle).not.toMatch(/broker\.example|127\.0\.0\.1/);
  });

  it('bundles every diagnostic by name, and no picture', async () => {
    await at.unlock('diagnose');
    await until('a frame', () => agent.agent.counters.get('frames.seen') > 0);
    const [answer] = await at.json('bundle');
    const { bundle } = answer as { readonly bundle: Readonly<Record<string, unknown>> };
    expect(Object.keys(bundle).sort()).toEqual(
      [
        'version',
        'settings',
        'camera',
        'uplink',
        'queue',
        'owned',
        'clock',
        'health',
        'counters',
        'motion',
        'log',
      ].sort(),
    );
    expect(bundle).toMatchObject({ camera: { state: 'ok', info: { driver: 'mock' } }, health: { camera: 'ok' } });
    expect(JSON.stringify(bundle).length).toBeLessThan(32_000);
    // As a person reads it, too: the command once printed nothing but its prompt.
    expect(await at.type('bundle')).toContain('"camera":{"state":"ok"');
  });

  it('does not disturb the camera with garbage, floods, long lines, or a pulled cable', async () => {
    const random = seededRandom(20261122);
    const seen = agent.agent.counters.get('frames.seen');
    const started = Date.now();
    for (let i = 0; i < 1000; i++) {
      await at.line.write(random.bytes(1000));
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await at.line.write(Buffer.alloc(1024 * 1024, 'x'));
    await at.line.write(Buffer.from('\r\r'));
    for (let i = 0; i < 2000; i++) await at.line.write(Buffer.from('status\r'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await until('the console to answer', async () => (await at.type('\x15id')).includes(agent.device));
    const seconds = (Date.now() - started) / 1000;
    const rate = (agent.agent.counters.get('frames.seen') - seen) / seconds;
    expect(rate).toBeGreaterThan(5 / slowness());
    expect(at.reboots).toBe(0);

    await at.unlock('diagnose');
    void at.line.write(Buffer.from('motion watch 60\r'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await at.line.close();
    expect(at.lock.state()).toBeNull();
    const after = agent.agent.counters.get('frames.seen');
    await until('more frames', () => agent.agent.counters.get('frames.seen') > after + 3);
  });
});
