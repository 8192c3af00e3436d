import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort } from '../../../scripts/free-port.js';
import { EvidenceWorld } from '../../../scripts/vectors/evidence-world.js';
import { seedOf } from '../../../scripts/vectors/keyring.js';
import { claimed, deletion } from '../../support/contracts/cloud-store/world.js';
import { run, start, type Running } from '../../support/engines/command.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { exportedLines } from '../../support/worlds/exported.js';
import { parseExposition } from '../../support/exposition-parser.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { makeFrames, makeVideo } from '../../support/engines/video.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const running: Running[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.signal('SIGKILL');
    await child.ended;
  }
});

function started(program: 'sealcam' | 'sealcam-cloud', args: string[], environment: Record<string, string>): Running {
  const child = start(program, args, environment);
  running.push(child);
  return child;
}

function hasLogged(child: Running, message: string): boolean {
  return child.lines.some(({ msg }) => msg === message);
}

describe('sealcam', () => {
  it('prints help and exits with 0, and exits with 2 for wrong usage', () => {
    const help = run('sealcam', ['--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('sealcam replay clip.mp4 --json');
    expect(help.stdout).toContain('Exit status');
    for (const args of [[], ['fly'], ['replay'], ['run', '--no-such-option'], ['replay', 'x', '--fps', '0']]) {
      expect(run('sealcam', args).status).toBe(2);
    }
    expect(run('sealcam', ['--version']).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
    for (const command of ['run', 'replay', 'verify', 'open', 'evidence', 'keygen', 'doctor']) {
      expect(run('sealcam', [command, '--help']).stdout).toContain(`sealcam ${command}`);
    }
  });

  it('refuses an invalid configuration with its file and line', () => {
    const file = join(tempFolder(), 'camera.toml');
    writeFileSync(file, '[motion]\nsensitivity = 900\n');
    const { status, stderr } = run('sealcam', ['run', '--config', file]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'camera.toml:2: motion.sensitivity: expected a whole number from 0 to 100 [config-invalid-value]',
    );
    const json = run('sealcam', ['keygen', '--json', '--config', file]);
    expect(json.json).toMatchObject([{ error: { code: 'config-invalid-value' } }]);
    expect(json.status).toBe(2);
  });

  it('makes keys once, and shows the same keys again', () => {
    const folder = join(tempFolder(), 'data');
    const environment = { SEALCAM_DATA_FOLDER: folder, SEALCAM_CLAIM_PAGE_URL: 'https://page.example/' };
    const [first] = run('sealcam', ['keygen', '--json'], environment).json;
    const [second] = run('sealcam', ['keygen', '--json'], environment).json;
    expect(second).toEqual(first);
    expect(first?.['claim_link']).toBe(`https://page.example/#claim=${String(first?.['claim_code'])}`);
    expect(readdirSync(folder).sort()).toEqual(['claim.secret', 'device.seed']);
    expect(statSync(join(folder, 'device.seed')).mode & 0o777).toBe(0o600);
    const text = run('sealcam', ['keygen'], environment).stdout;
    expect(text).toContain(String(first?.['claim_code']));
    expect(text).toContain('█');
  });

  it('does not start with keys that other users can read, or where it cannot write', () => {
    const folder = tempFolder();
    const environment = { SEALCAM_DATA_FOLDER: folder };
    run('sealcam', ['keygen'], environment);
    chmodSync(join(folder, 'device.seed'), 0o644);
    const loose = run('sealcam', ['run'], environment);
    expect(loose.status).toBe(2);
    expect(loose.stderr).toContain('has mode 644, not 600 [key-file-invalid]');
    const file = join(folder, 'a file');
    writeFileSync(file, '');
    const blocked = run('sealcam', ['run'], { SEALCAM_DATA_FOLDER: join(file, 'below') });
    expect(blocked.status).toBe(4);
    expect(blocked.stderr).toContain('[store-unavailable]');
  });

  it('reports the broker that is missing', () => {
    const { status, json } = run('sealcam', ['doctor', '--json'], {
      SEALCAM_DATA_FOLDER: join(tempFolder(), 'data'),
      SEALCAM_UPLINK_URL: 'mqtt://127.0.0.1:1',
    });
    expect(status).toBe(4);
    const failed = json.filter(({ ok }) => ok === false).map(({ check }) => check);
    expect(failed).toEqual(['broker']);
    expect(json.map(({ check }) => check)).toContain('cryptography');
    expect(json.find(({ check }) => check === 'memory')).toMatchObject({
      detail: 'no agent of this user runs on this folder',
    });
  });

  it.runIf(process.platform === 'linux')('tells the own memory of the agent that runs', async () => {
    const environment = {
      SEALCAM_DATA_FOLDER: join(tempFolder(), 'data'),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(await freePort())}`,
    };
    const child = started('sealcam', ['run'], environment);
    await until('the camera is open', () => hasLogged(child, 'the camera is open'));
    const { json } = run('sealcam', ['doctor', '--json'], environment);
    expect(json.find(({ check }) => check === 'memory')?.['detail']).toMatch(
      /^the running agent: \d+\.\d MiB of its own, \d+\.\d MiB resident$/,
    );
    const runs = child.lines.find(({ msg }) => msg === 'the agent runs');
    expect(Number(runs?.['ownMemoryBytes'])).toBeGreaterThan(1024 ** 2);
    expect(Number(runs?.['memoryBytes'])).toBeGreaterThan(Number(runs?.['ownMemoryBytes']));
  });

  it('verifies a signed object, and refuses an altered one', () => {
    const world = new CameraWorld();
    const claim = world.claim();
    const [, record] = world.chain(claim, 1);
    const file = join(tempFolder(), 'record.cose');
    const bytes = Buffer.from(record?.bytes ?? '');
    writeFileSync(file, bytes);
    expect(run('sealcam', ['verify', file, '--json'])).toMatchObject({ status: 0, json: [{ kind: 'record' }] });
    writeFileSync(file, bytes.toString('base64'));
    expect(run('sealcam', ['verify', file]).stdout).toContain('record: the signature is valid');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
    writeFileSync(file, bytes);
    expect(run('sealcam', ['verify', file])).toMatchObject({ status: 3 });
    writeFileSync(file, realRandom.bytes(100));
    expect(run('sealcam', ['verify', file, '--json'])).toMatchObject({
      status: 3,
      json: [{ error: { code: 'malformed' } }],
    });
    expect(run('sealcam', ['verify', '/nowhere']).status).toBe(2);
  });

  it('makes evidence of an export, which verifies, and is refused with one bit changed', () => {
    const world = new EvidenceWorld(nodeSuite, 2);
    const folder = tempFolder();
    const [file, key, out] = ['export.jsonl', 'key', 'event.evidence'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, exportedLines(world).join('\n'));
    writeFileSync(key, seedOf(nodeSuite, 'owner master'));
    expect(run('sealcam', ['verify', file])).toMatchObject({ status: 0 });
    expect(run('sealcam', ['evidence', file, '--json']).json).toHaveLength(3);
    const event = toHex(world.id('event'));
    const made = run('sealcam', ['evidence', file, '--event', event, '--key', key, '--out', out, '--json']);
    expect(made).toMatchObject({ status: 0, json: [{ file: out, event }] });
    expect(run('sealcam', ['verify', out, '--json'])).toMatchObject({ status: 0, json: [{ kind: 'evidence', event }] });
    const altered = readFileSync(out);
    altered.writeUInt8(altered.readUInt8(5000) ^ 1, 5000);
    writeFileSync(out, altered);
    expect(run('sealcam', ['verify', out]).status).toBe(3);
    expect(run('sealcam', ['open', file, '--key', key, '--out', join(folder, 'pictures')])).toMatchObject({
      status: 0,
    });
    expect(readdirSync(join(folder, 'pictures'))).toHaveLength(4);
    expect(run('sealcam', ['open', file]).status).toBe(2);
  });

  it('reloads its whole configuration or nothing on SIGHUP, and stops on SIGTERM in under two seconds', async () => {
    const folder = tempFolder();
    const file = join(folder, 'camera.toml');
    writeFileSync(file, '[motion]\nsensitivity = 50\n');
    const child = started('sealcam', ['run', '--config', file], {
      SEALCAM_DATA_FOLDER: join(folder, 'data'),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(await freePort())}`,
    });
    await until('the camera is open', () => hasLogged(child, 'the camera is open'));
    writeFileSync(file, '[motion]\nsensitivity = 60\n');
    child.signal('SIGHUP');
    await until('the new settings are in force', () => hasLogged(child, 'the configuration was reloaded'));
    writeFileSync(file, '[motion]\nsensitivity = 70\n[uplink]\nkeepAlive = "30 s"\n');
    child.signal('SIGHUP');
    await until('a restart is asked for', () =>
      child.lines.some(({ code, msg }) => code === 'config-needs-restart' && String(msg).includes('uplink.keepAlive')),
    );
    const startedMs = Date.now();
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(limitMs(2000));
    expect(hasLogged(child, 'sealcam stopped')).toBe(true);
  });

  it('runs on when the reader of its log goes away, and stops with 0', async () => {
    const environment = {
      SEALCAM_DATA_FOLDER: tempFolder(),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(await freePort())}`,
    };
    const child = started('sealcam', ['run'], environment);
    await until('the camera is open', () => hasLogged(child, 'the camera is open'));
    child.closeOutput();
    // Both signals are answered with lines into the broken pipe.
    child.signal('SIGHUP');
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });

  it('writes neither keys nor the claim secret into its log', async () => {
    const folder = tempFolder();
    const environment = {
      SEALCAM_DATA_FOLDER: folder,
      SEALCAM_UPLINK_URL: 'mqtt://127.0.0.1:1',
      SEALCAM_LOG_LEVEL: 'debug',
    };
    const [keys] = run('sealcam', ['keygen', '--json'], environment).json;
    const child = started('sealcam', ['run'], environment);
    await until('the camera is open', () => hasLogged(child, 'the camera is open'));
    child.signal('SIGTERM');
    await child.ended;
    const log = JSON.stringify(child.lines);
    const secret = readFileSync(join(folder, 'claim.secret')).toString('hex');
    const seed = readFileSync(join(folder, 'device.seed')).toString('hex');
    for (const forbidden of [secret, seed, String(keys?.['claim_code']), 'claim='])
      expect(log).not.toContain(forbidden);
    expect(log).toContain(String(keys?.['device']));
  });
});

describe('sealcam replay', () => {
  const keys = [
    'clip',
    'event_id',
    'start_frame',
    'onset_frame',
    'end_frame',
    'start_ms',
    'end_ms',
    'onset_ms',
    'picture_ms',
    'peak_area',
    'thumb_bytes',
    'reason',
  ];

  it('prints one line per finished event of a folder, the same at every run', async () => {
    const folder = await makeFrames(tempFolder(), 110);
    const first = run('sealcam', ['replay', folder, '--json', '--fps', '10']);
    expect(first.status).toBe(0);
    expect(first.json).toHaveLength(1);
    expect(Object.keys(first.json[0] ?? {})).toEqual(keys);
    expect(first.json[0]).toMatchObject({ clip: 'frames', reason: 'motion-ended' });
    const {
      onset_frame: onset,
      start_frame: begin,
      end_frame: end,
      start_ms: ms,
    } = first.json[0] as Record<string, number>;
    expect(onset).toBeLessThanOrEqual(begin ?? 0);
    expect(end).toBeGreaterThan(begin ?? 0);
    expect(ms).toBe((begin ?? 0) * 100);
    expect(run('sealcam', ['replay', folder, '--json', '--fps', '10']).stdout).toBe(first.stdout);
  });

  it('ends an open event at the last frame', async () => {
    const folder = await makeFrames(tempFolder(), 60);
    expect(run('sealcam', ['replay', folder, '--json']).json).toMatchObject([
      { end_frame: 59, reason: 'stream-ended' },
    ]);
  });

  it('skips a frame that is not a JPEG', async () => {
    const folder = await makeFrames(tempFolder(), 110);
    writeFileSync(join(folder, 'frame50.jpg'), 'no picture');
    const { status, stdout } = run('sealcam', ['replay', folder]);
    expect(status).toBe(0);
    expect(stdout).toContain('1 corrupt frames skipped');
  });

  it('reports what is wrong with its input', () => {
    const { status, stderr } = run('sealcam', ['replay', '/nowhere/clip.mp4']);
    expect(status).toBe(3);
    expect(stderr).toContain('[video-unreadable]');
    expect(run('sealcam', ['replay', tempFolder()]).stderr).toContain('no .jpg files in it');
  });
});

describeWith('ffmpeg', 'sealcam replay of a video file', () => {
  it('prints the same bytes twice, and the events before the end of a truncated file', async () => {
    const folder = tempFolder();
    const video = await makeVideo(folder, 110);
    const first = run('sealcam', ['replay', video, '--json']);
    expect(first.status).toBe(0);
    expect(first.json).toMatchObject([{ clip: 'clip' }]);
    expect(run('sealcam', ['replay', video, '--json']).stdout).toBe(first.stdout);
    const cut = join(folder, 'cut.mp4');
    const bytes = readFileSync(video);
    writeFileSync(cut, bytes.subarray(0, Math.round(bytes.length * 0.9)));
    const truncated = run('sealcam', ['replay', cut, '--json']);
    expect(truncated.status).toBe(3);
    expect(truncated.json).toMatchObject([{ clip: 'cut' }, { error: { code: 'video-truncated' } }]);
  });
});

describe('sealcam-cloud', () => {
  it('prints help, and refuses wrong usage', () => {
    expect(run('sealcam-cloud', ['--help'])).toMatchObject({ status: 0 });
    expect(run('sealcam-cloud', ['sing']).status).toBe(2);
    const { status, stderr } = run('sealcam-cloud', ['affected', '--since', 'yesterday', '--until', 'today']);
    expect(status).toBe(2);
    expect(stderr).toContain('--since: yesterday is not a time');
  });

  it('serves on when the reader of its log goes away, and stops with 0', async () => {
    const http = await freePort();
    const child = started('sealcam-cloud', ['serve'], {
      SEALCLOUD_DATA_FOLDER: tempFolder(),
      SEALCLOUD_HTTP_PORT: String(http),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(await freePort()),
      SEALCLOUD_LOG_LEVEL: 'debug',
    });
    await until('it takes records', () => hasLogged(child, 'receiving records'));
    child.closeOutput();
    const answer = await fetch(`http://127.0.0.1:${String(http)}/healthz`);
    expect(await answer.json()).toMatchObject({ ok: true });
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  });

  it('serves with its embedded broker, reports a port in use, and stops on SIGTERM', async () => {
    const folder = tempFolder();
    const http = await freePort();
    const broker = await freePort();
    const operator = await freePort();
    const environment = {
      SEALCLOUD_DATA_FOLDER: folder,
      SEALCLOUD_HTTP_PORT: String(http),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(broker),
      SEALCLOUD_OPERATOR_PORT: String(operator),
    };
    const child = started('sealcam-cloud', ['serve'], environment);
    await until('it takes records', () => hasLogged(child, 'receiving records'));
    const answer = await fetch(`http://127.0.0.1:${String(http)}/healthz`);
    expect(await answer.json()).toMatchObject({ ok: true });
    await until('metrics listen', () => hasLogged(child, 'metrics and status page are listening'));
    const metrics = parseExposition(await (await fetch(`http://127.0.0.1:${String(operator)}/metrics`)).text());
    expect(metrics.get('sealcam_broker_up')).toBe(1);
    expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(1024 ** 2);
    // The API's port does not serve metrics.
    expect((await fetch(`http://127.0.0.1:${String(http)}/metrics`)).status).toBe(404);
    const second = run('sealcam-cloud', ['serve'], { ...environment, SEALCLOUD_DATA_FOLDER: join(folder, 'second') });
    expect(second.status).toBe(4);
    expect(second.stderr).toContain('[port-in-use]');
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
    const quarantine = run('sealcam-cloud', ['quarantine'], environment);
    expect(quarantine).toMatchObject({ status: 0, stdout: '0 in the quarantine.\n' });
    const affected = run(
      'sealcam-cloud',
      ['affected', '--since', '2026-02-16T00:00:00Z', '--until', '2026-02-17T00:00:00Z'],
      environment,
    );
    expect(affected.stdout).toContain('0 accounts were shown something in that time');
  });

  it('lists what is marked for deletion, and erases what is due while it serves', async () => {
    const folder = tempFolder();
    const environment = {
      SEALCLOUD_DATA_FOLDER: folder,
      SEALCLOUD_HTTP_PORT: String(await freePort()),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(await freePort()),
    };
    const store = openSqliteStore(join(folder, 'cloud.db'));
    const camera = await claimed(store);
    const { account, deviceId, owner } = camera.world;
    await store.deletions.mark([deletion(camera, 0, 0)], Date.UTC(2026, 1, 20));
    await store.accounts.mark(owner.publicKey, [], Date.UTC(2026, 1, 21));
    await store.close();
    const lines = run('sealcam-cloud', ['deletions', '--json'], environment).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { scope: 'account', erase_at: '2026-02-21T00:00:00.000Z', account: toHex(account) },
      {
        scope: 'range',
        erase_at: '2026-02-20T00:00:00.000Z',
        device: toHex(deviceId),
        epoch: 1,
        from_seq: 0,
        to_seq: 0,
        state: 'marked',
      },
    ]);
    const { status, stdout } = run('sealcam-cloud', ['deletions'], environment);
    expect(status).toBe(0);
    expect(stdout).toContain(`account ${toHex(account)}, with all its cameras`);
    expect(stdout).toContain('1 accounts and 1 ranges to be erased.');

    const child = started('sealcam-cloud', ['serve'], environment);
    await until('it has erased', () => hasLogged(child, 'erased records that their owners deleted'));
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
    expect(run('sealcam-cloud', ['deletions'], environment).stdout).toBe('0 accounts and 0 ranges to be erased.\n');
  });
});
