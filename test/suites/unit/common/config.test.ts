import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_KEYS, loadAgentConfig, reloadAgentConfig } from '../../../../agent/config/keys.js';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { authorityOf, endpointOf } from '../../../../common/address.js';
import { isSealcamError } from '../../../../common/errors.js';
import { encodeContent } from '../../../../protocol/seal/content.js';
import { codeOf } from '../../../support/codes.js';
import { lineOfKey } from '../../../../common/config/lines.js';
import { tempFolder } from '../../../support/runner/temp.js';

function load(text: string, environment: Record<string, string> = {}): ReturnType<typeof loadAgentConfig> {
  const file = join(tempFolder(), 'camera.toml');
  writeFileSync(file, text);
  return loadAgentConfig({ file, environment });
}

/** Returns `code: message` without the folder, or `accepted`. */
function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    load(text, environment);
    return 'accepted';
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return `${error.code}: ${error.message.replace(/\S*camera\.toml/g, 'camera.toml')}`;
  }
}

describe('configuration', () => {
  it('has a default for every key', () => {
    const config = loadAgentConfig({ file: null, environment: {} });
    expect(Object.keys(config).sort()).toEqual(Object.keys(CONFIG_KEYS).sort());
    expect(config['uplink.initialWindow']).toBe(300_000);
    expect(config['outbox.maxBytes']).toBe(256 * 1024 * 1024);
    expect(loadCloudConfig({ file: null, environment: {} })['http.port']).toBe(8080);
  });

  it('reads the file, and the environment overrides it', () => {
    const text =
      '[motion]\nsensitivity = 70\nhold = "2 s"\n[[motion.zones]]\nname = "door"\ncorners = [[0, 0], [1, 0], [0.5, 1]]\n';
    const config = load(text, { SEALCAM_MOTION_SENSITIVITY: '30', SEALCAM_REPLAY_PATH: '7.mp4', PATH: 'x' });
    expect(config['motion.sensitivity']).toBe(30);
    expect(config['motion.hold']).toBe(2000);
    expect(config['motion.zones']).toEqual([
      {
        name: 'door',
        corners: [
          [0, 0],
          [1, 0],
          [0.5, 1],
        ],
      },
    ]);
    expect(config['replay.path']).toBe('7.mp4');
  });

  it.each(['motion.zones', 'privacy.masks'] as const)(
    'takes as a name in %s what an event with it can be sealed with, and nothing else',
    (setting) => {
      const corners = 'corners = [[0, 0], [1, 0], [0.5, 1]]';
      const named = (name: string): string => `[[${setting}]]\nname = ${JSON.stringify(name)}\n${corners}\n`;
      const refused = /^config-invalid-value: camera\.toml\S* .*expected a name of 1 to 32 bytes of UTF-8/;
      const sealed = (name: string): Uint8Array => encodeContent({ detail: { zones: [name] }, jpeg: null });
      for (const name of ['door', 'z'.repeat(32), 'ü'.repeat(16), '門'.repeat(10), '🚪'.repeat(8)]) {
        expect(load(named(name))[setting].map((zone) => zone.name)).toEqual([name]);
        expect(codeOf(() => sealed(name))).toBe('accepted');
      }
      for (const name of [
        'z'.repeat(33),
        `${'ü'.repeat(16)}z`,
        '門'.repeat(11),
        '🚪'.repeat(9),
        'a\tb',
        'a\nb',
        '\u0000',
        '\ufeffa',
      ]) {
        expect(refusal(named(name))).toMatch(refused);
        expect(
          codeOf(() => sealed(name)),
          JSON.stringify(name),
        ).not.toBe('accepted');
      }
      expect(refusal(named(''))).toMatch(refused);
    },
  );

  it.each([
    ['[motion]\nsensitivty = 7\n', 'config-unknown-key: camera.toml:2: there is no setting motion.sensitivty'],
    [
      '[capture]\nsensitivity = 7\n',
      'config-unknown-key: camera.toml:2: there is no setting capture.sensitivity; did you mean motion.sensitivity?',
    ],
    [
      '\n[motion]\n# a comment\nsensitivity = 101\n',
      'config-invalid-value: camera.toml:4: motion.sensitivity: expected a whole number from 0 to 100',
    ],
    ['motion.hold = 2\n', 'config-invalid-value: camera.toml:1: motion.hold: expected a text like "300 s"'],
    ['[uplink]\nurl = "http://x"\n', 'config-invalid-value: camera.toml:2: uplink.url: expected a URL like mqtt'],
    [
      '[camera]\ntimeZone = "Mars/Olympus"\n',
      'config-invalid-value: camera.toml:2: camera.timeZone: expected a time zone',
    ],
    ['[camera]\ndriver = "film"\n', 'config-invalid-value: camera.toml:2: camera.driver: expected one of mock, replay'],
    ['[motion\nsensitivity = 1', 'config-syntax: camera.toml:1:8:'],
    ['a = 1\na = 2\n', 'config-syntax: camera.toml:2:'],
  ])('refuses %j with its line', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it('refuses a wrong variable by name', () => {
    expect(refusal('', { SEALCAM_MOTION_SENSITIVITY: 'high' })).toContain(
      'environment SEALCAM_MOTION_SENSITIVITY: motion.sensitivity: expected a whole number',
    );
    expect(refusal('', { SEALCAM_PRIVACY_MASK: '[]' })).toContain(
      'there is no setting SEALCAM_PRIVACY_MASK; did you mean SEALCAM_PRIVACY_MASKS?',
    );
  });

  it.each([
    ['SEALCLOUD_SERVICE_HOST', '192.0.2.5'],
    ['SEALCLOUD_SERVICE_PORT_HTTP', '8080'],
    ['SEALCLOUD_PORT', 'tcp://192.0.2.5:8080'],
    ['SEALCLOUD_PORT_8080_TCP_ADDR', '192.0.2.5'],
    ['SEALCLOUD_MQTT_SERVICE_HOST', '192.0.2.5'],
    ['SEALCLOUD_VERSION', '3'],
    // A service named sealcloud-http: the name is that of a setting.
    ['SEALCLOUD_HTTP_PORT', 'tcp://192.0.2.5:8080'],
  ])('warns of %s, which an orchestrator sets, and starts', (variable, value) => {
    const warnings: string[] = [];
    const config = loadCloudConfig({
      file: null,
      environment: { [variable]: value },
      warn: (text) => warnings.push(text),
    });
    expect(config['http.port']).toBe(8080);
    expect(warnings).toEqual([`environment: there is no setting ${variable}; it is ignored`]);
  });

  it.each([
    'mqtt://cloud:s3cret@broker.example:1883',
    'mqtt://cloud@broker.example',
    'mqtts://:s3cret@broker.example',
    'mqtt://broker.example/?password=s3cret',
    'mqtt://broker.example/#s3cret',
  ])('refuses %s on both sides, and does not repeat the secret', (url) => {
    const message = (load: () => unknown): string => {
      try {
        load();
        return 'accepted';
      } catch (error) {
        return isSealcamError(error) ? `${error.message} ${error.hint}` : 'another error';
      }
    };
    const cloud = (environment: Record<string, string>): string =>
      message(() => loadCloudConfig({ file: null, environment }));
    const refused = [
      message(() => load('', { SEALCAM_UPLINK_URL: url })),
      cloud({ SEALCLOUD_MQTT_URL: url }),
      cloud({ SEALCLOUD_MQTT_OTHER_URLS: JSON.stringify([url]) }),
    ];
    for (const text of refused) {
      expect(text).toContain('a URL must not hold a user name, password or parameters');
      expect(text).not.toContain('s3cret');
    }
    expect(refused[0]).toContain('uplink.passwordFile');
    expect(refused[1]).toContain('mqtt.passwordFile');
  });

  it.each([
    ['SEALCLOUD_STORE_URL', 'postgres://sealcam:s3cret@db.example/sealcam'],
    ['SEALCLOUD_STORE_URL', 'postgres://sealcam@db.example/sealcam?password=s3cret'],
    ['SEALCLOUD_HTTP_ORIGIN', 'https://u:s3cret@cloud.example'],
  ])('refuses %s=%s without repeating the secret', (variable, value) => {
    const load = (): unknown => loadCloudConfig({ file: null, environment: { [variable]: value } });
    expect(load).toThrow(/expected/);
    expect(load).not.toThrow(/s3cret/);
  });

  it('takes IPv6 literals wherever an address is written', () => {
    const config = loadCloudConfig({
      file: null,
      environment: {
        SEALCLOUD_MQTT_URL: 'mqtt://[::1]:1883',
        SEALCLOUD_STORE_KIND: 'postgres',
        SEALCLOUD_STORE_URL: 'postgres://u@[::1]/db',
        SEALCLOUD_HTTP_PAGE_ORIGINS: '["http://[::1]:8080"]',
      },
    });
    expect(config['mqtt.url']).toBe('mqtt://[::1]:1883');
    expect(endpointOf('mqtt://[fd00::1]', 1883)).toEqual({ host: 'fd00::1', port: 1883 });
    for (const host of ['::1', '[::1]']) expect(authorityOf(host, 80)).toBe('[::1]:80');
    expect(authorityOf('broker.example', 80)).toBe('broker.example:80');
  });

  it('reports a file that cannot be read', () => {
    const file = join(tempFolder(), 'none.toml');
    expect(() => loadAgentConfig({ file, environment: {} })).toThrow(/none.toml cannot be read \(ENOENT\)/);
  });

  it('is reloaded all or nothing', () => {
    const file = join(tempFolder(), 'camera.toml');
    const source = { file, environment: {} };
    writeFileSync(file, '');
    const before = loadAgentConfig(source);
    writeFileSync(file, '[motion]\nsensitivity = 80\n');
    expect(reloadAgentConfig(before, source)['motion.sensitivity']).toBe(80);
    writeFileSync(file, '[motion]\nsensitivity = 80\n[uplink]\nurl = "mqtt://other:1"\n');
    expect(() => reloadAgentConfig(before, source)).toThrow(/uplink.url: needs a restart/);
    writeFileSync(file, '[motion]\nsensitivity = 800\n');
    expect(() => reloadAgentConfig(before, source)).toThrow(/camera.toml:2/);
    expect(before['motion.sensitivity']).toBe(50);
  });

  it('finds the line of a key in every notation', () => {
    const text = 'top = 1\n[a]\nb = 2\n"c" = 3\n[a.d]\ne = 4\n[[f]]\ng = 5\nh.i = 6\n';
    const lines = ['top', 'a.b', 'a.c', 'a.d.e', 'f', 'f.h.i'].map((name) => lineOfKey(text, name));
    expect(lines).toEqual([1, 3, 4, 6, 7, 9]);
  });
});
