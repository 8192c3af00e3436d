import { z } from '../../common/schema.js';
import { fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { key, loadConfig, type ConfigOf, type ConfigSource } from '../../common/config/load.js';
import type { Shard } from '../ingest/mqtt-feed.js';
import type { MakerListSettings } from '../trust/maker-list.js';
import { choice, duration, flag, integer, path, url } from '../../common/config/values.js';

const origin = z.string().refine(
  (text) => {
    try {
      return new URL(text).origin === text;
    } catch {
      return false;
    }
  },
  { error: 'expected an origin like https://app.example (scheme, host, port; no path)' },
);

const database = z.string().refine(
  (text) => {
    try {
      const { protocol, password } = new URL(text);
      return ['postgres:', 'postgresql:'].includes(protocol) && password === '';
    } catch {
      return false;
    }
  },
  { error: 'expected a URL like postgres://sealcam@db.example/sealcam, with the password in store.passwordFile' },
);

/** Every setting of the cloud; docs/configuration.md is generated from this table. */
export const CLOUD_KEYS = {
  'http.host': key(z.string(), '127.0.0.1', 'Address to listen on.'),
  'http.port': key(integer(0, 65_535), 8080, 'Port of the API; 0 takes a free one.'),
  'http.origin': key(
    z.union([z.literal(''), origin]),
    '',
    'Origin by which pages reach this API; sessions are bound to it. Empty: http://host:port.',
  ),
  'http.pageOrigins': key(
    z.array(origin),
    [],
    "Origins of owner's pages that may use the API (CORS allow-list; also what a session may be signed for).",
  ),
  'http.requestsPerMinute': key(integer(10, 1_000_000), 3000, 'Requests a minute from one address.'),
  'session.lifetime': key(duration('1 min', '7 d'), '12 h', 'A session ends after this; the page signs a new one.'),
  'data.folder': key(path, './cloud-data', 'Receipt keys, and the database of SQLite, are kept here.'),
  'store.kind': key(choice('sqlite', 'postgres'), 'sqlite', 'A file in data.folder, or a PostgreSQL server.'),
  'store.url': key(
    z.union([z.literal(''), database]),
    '',
    'The primary of the PostgreSQL server, without a password; ?sslmode=verify-full for TLS.',
  ),
  'store.passwordFile': key(path, '', 'File with its password; empty: none, or PGPASSWORD in the environment.'),
  'store.connections': key(integer(2, 200), 10, 'Connections of one process to PostgreSQL.'),
  'mqtt.url': key(url, 'mqtt://127.0.0.1:1883', 'The broker to take records from.'),
  'mqtt.otherUrls': key(z.array(url), [], 'Other nodes of the same broker, tried in turn.'),
  'mqtt.username': key(z.string(), 'cloud', 'User of the cloud at the broker.'),
  'mqtt.passwordFile': key(path, '', "File with the cloud's password at the broker."),
  'mqtt.shareGroup': key(z.string(), '', 'Name of a shared subscription, for several workers; empty: none.'),
  'mqtt.shard': key(
    z.string().regex(/^(\d{1,4}\/[1-9]\d{0,3})?$/, { error: 'expected a part like 0/2, or nothing' }),
    '',
    'For a broker without shared subscriptions: which part of the cameras is taken, as 0/2 and 1/2; empty: all.',
  ),
  'mqtt.session': key(
    choice('clean', 'kept'),
    'clean',
    'kept: the broker holds what comes while this worker is away; needs mqtt.clientId.',
  ),
  'mqtt.clientId': key(
    z.string().regex(/^[A-Za-z0-9-]{0,64}$/, { error: 'expected up to 64 letters, digits and -' }),
    '',
    'Name of this worker at the broker, of no other; empty: a new one at each start.',
  ),
  'mqtt.embedded': key(flag, false, 'Run a broker inside this process, for a laptop: any device may connect to it.'),
  'mqtt.embeddedHost': key(z.string(), '127.0.0.1', 'Address of the broker inside this process.'),
  'mqtt.embeddedPort': key(integer(0, 65_535), 1883, 'Port of the broker inside this process; 0 takes a free one.'),
  'pacing.fleet': key(integer(0, 100_000_000), 0, 'Number of cameras N; 0 tells cameras nothing about their window.'),
  'pacing.connectsPerSecond': key(
    integer(1, 1_000_000),
    1000,
    'Connects a second C that the brokers take: W = N / 0.7 C.',
  ),
  'pacing.drainInterval': key(
    duration('0 ms', '15 min'),
    '0 ms',
    "Least time between two records of one camera's backlog; 0 leaves it to the camera.",
  ),
  'operator.host': key(z.string(), '127.0.0.1', 'Address of metrics and status page; they ask nobody who they are.'),
  'operator.port': key(integer(0, 65_535), 0, 'Their port, never that of the API; 0: none.'),
  'revocation.makerKey': key(
    z.string().regex(/^([0-9a-f]{64})?$/, { error: 'expected a public key of 64 lower-case hex digits, or nothing' }),
    '',
    "The maker's key, whose lists revoke devices; empty: none are taken.",
  ),
  'revocation.makerMaxAge': key(
    duration('0 s', '365 d'),
    '0 s',
    "Without a maker's list issued within this time nothing is receipted or shown; 0 s asks for none.",
  ),
  'retention.records': key(duration('1 h', '3650 d'), '30 d', 'Records and pictures are deleted after this.'),
  'log.level': key(choice('debug', 'info', 'warn', 'error'), 'info', 'Least important line that is logged.'),
} as const;

export type CloudConfig = ConfigOf<typeof CLOUD_KEYS>;

/** `http.port` is SEALCLOUD_HTTP_PORT in the environment. */
export const CLOUD_PREFIX = 'SEALCLOUD_';

/** @throws SealcamError with the line or variable that is wrong */
export function loadCloudConfig(source: ConfigSource): CloudConfig {
  const config = loadConfig(CLOUD_KEYS, CLOUD_PREFIX, source);
  if (config['revocation.makerMaxAge'] > 0 && config['revocation.makerKey'] === '') {
    throw new SealcamError('config-invalid-value', 'revocation.makerMaxAge: needs revocation.makerKey');
  }
  if (config['store.kind'] === 'postgres' && config['store.url'] === '') {
    throw new SealcamError('config-invalid-value', 'store.kind: postgres needs store.url');
  }
  if (config['mqtt.session'] === 'kept' && config['mqtt.clientId'] === '') {
    throw new SealcamError('config-invalid-value', 'mqtt.session: kept needs mqtt.clientId');
  }
  const shard = shardSetting(config);
  if (shard !== undefined && shard.index >= shard.count) {
    throw new SealcamError('config-invalid-value', `mqtt.shard: parts of ${String(shard.count)} are counted from 0`);
  }
  if (shard !== undefined && config['mqtt.shareGroup'] !== '') {
    throw new SealcamError('config-invalid-value', 'mqtt.shard: with mqtt.shareGroup most messages would reach nobody');
  }
  return config;
}

export function shardSetting(config: CloudConfig): Shard | undefined {
  const [index, count] = config['mqtt.shard'].split('/').map(Number);
  return index === undefined || count === undefined ? undefined : { index, count };
}

/** Whether other processes write into the same store. */
export function hasOtherWriters(config: CloudConfig): boolean {
  return config['store.kind'] === 'postgres' || config['mqtt.shareGroup'] !== '' || config['mqtt.shard'] !== '';
}

export function makerListSettings(config: CloudConfig): MakerListSettings {
  const { 'revocation.makerKey': hex, 'revocation.makerMaxAge': maxAgeMs } = config;
  return { key: fromHex(hex, 32) ?? null, maxAgeMs };
}
