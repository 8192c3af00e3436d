import { fromHex } from '../../common/bytes.js';
import { key, loadConfig, type ConfigOf, type ConfigSource } from '../../common/config/load.js';
import { brokerUrl, choice, duration, flag, hasSecret, integer, path, size } from '../../common/config/values.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { PROTOCOL_VERSIONS } from '../../protocol/objects/signed-object.js';
import { isLoopback } from '../broker/limits.js';
import { HTTP_LIMITS, isNetwork } from '../api/shares.js';
import type { Shard } from '../ingest/mqtt-feed.js';
import { isPushService, WELL_KNOWN_SERVICES } from '../push/endpoint.js';
import { MEDIA_KINDS } from '../media/kinds.js';
import { STORE_KINDS, storeKindsHelp, storeOf } from '../store/kinds.js';
import type { MakerListSettings } from '../trust/maker-list.js';

const origin = v.pipe(
  v.string(),
  v.check((text) => {
    try {
      return new URL(text).origin === text;
    } catch {
      return false;
    }
  }, 'expected an origin like https://app.example (scheme, host, port; no path)'),
);

const STORE_PROTOCOLS = STORE_KINDS.flatMap((kind) => storeOf(kind).urlProtocols);

const storeUrl = v.pipe(
  v.string(),
  v.check((text) => {
    try {
      return STORE_PROTOCOLS.includes(new URL(text).protocol) && !hasSecret(text);
    } catch {
      return false;
    }
  }, 'expected a URL like postgres://sealcam@db.example/sealcam, with the password in store.passwordFile'),
);

const bucketUrl = v.pipe(
  v.string(),
  v.check((text) => {
    try {
      const { protocol, pathname, search, hash } = new URL(text);
      return /^https?:$/.test(protocol) && /^\/[^/]/.test(pathname) && search + hash === '' && !hasSecret(text);
    } catch {
      return false;
    }
  }, 'expected a URL like https://s3.example/bucket, with the secret in media.s3SecretFile'),
);

const pushContact = v.pipe(
  v.string(),
  v.check(
    (text) => text === '' || /^mailto:[^\s@]+@[^\s@]+$/.test(text) || /^https:\/\/[^\s/]+\/?\S*$/.test(text),
    'expected mailto:name@example.com or an https:// address',
  ),
);

const brokerAddress = brokerUrl('use mqtt.username and mqtt.passwordFile');

/** Every setting of the cloud; docs/configuration.md is generated from this table. */
export const CLOUD_KEYS = {
  'http.host': key(v.string(), '127.0.0.1', 'Address to listen on.'),
  'http.port': key(integer(0, 65_535), 8080, 'Port of the API; 0 picks a free one.'),
  'http.origin': key(
    v.union([v.literal(''), origin]),
    '',
    'Origin at which pages reach this API; sessions are bound to it. Empty: http://host:port.',
  ),
  'http.pageOrigins': key(
    v.array(origin),
    [],
    "Origins of owner's pages that may use the API: the CORS allow-list, and the origins a session may be signed for.",
  ),
  'http.requestsPerMinute': key(
    integer(10, 1_000_000),
    3000,
    'Most requests a minute from one address; an IPv6 address counts by its /64.',
  ),
  'http.trustedProxies': key(
    v.array(v.pipe(v.string(), v.check(isNetwork, 'expected an address or a network like 172.16.0.0/12'))),
    [],
    'Addresses or networks of the balancers in front of this API, whose X-Forwarded-For names the client; empty: the ' +
      'header is ignored.',
  ),
  'http.streamsPerKey': key(integer(1, 10_000), HTTP_LIMITS.streamsPerKey, 'Most open streams of one person.'),
  'http.streamsPerAddress': key(
    integer(1, 1_000_000),
    HTTP_LIMITS.streamsPerAddress,
    'Most open streams from one address; an IPv6 address counts by its /64.',
  ),
  'http.looksPerKey': key(integer(1, 10_000), HTTP_LIMITS.looksPerKey, 'Most looks of one person at the same time.'),
  'http.looksPerAccount': key(
    integer(1, 10_000),
    HTTP_LIMITS.looksPerAccount,
    'Most looks of all members at the cameras of one account at the same time; those of its owner do not count.',
  ),
  'http.looksPerAddress': key(
    integer(1, 1_000_000),
    HTTP_LIMITS.looksPerAddress,
    'Most looks from one address at the same time; an IPv6 address counts by its /64.',
  ),
  'http.lookOrdersPerMinute': key(
    integer(1, 10_000),
    HTTP_LIMITS.lookOrdersPerMinute,
    'Most orders to look of one person in a minute, renewals included.',
  ),
  'http.connectionsPerAddress': key(
    integer(1, 1_000_000),
    HTTP_LIMITS.connectionsPerAddress,
    'Most connections from one address, http.trustedProxies excepted.',
  ),
  'session.lifetime': key(
    duration('1 min', '7 d'),
    '12 h',
    'A session ends after this time; the page then signs a new one.',
  ),
  'data.folder': key(path, './cloud-data', 'Folder of the receipt keys and of the SQLite database.'),
  'store.kind': key(choice(...STORE_KINDS), 'sqlite', `Where records are kept. ${storeKindsHelp()}`),
  'store.url': key(
    v.union([v.literal(''), storeUrl]),
    '',
    'URL of the PostgreSQL primary, without a password; add ?sslmode=verify-full for TLS.',
  ),
  'store.passwordFile': key(
    path,
    '',
    'File with the password for store.url; empty: PGPASSWORD from the environment, or no password.',
  ),
  'store.connections': key(integer(2, 200), 10, 'Most connections of one process to PostgreSQL.'),
  'media.kind': key(
    choice(...MEDIA_KINDS),
    'files',
    'Where the sealed bodies of clips lie. files: in media.folder; s3: in a bucket.',
  ),
  'media.folder': key(
    path,
    '',
    'Folder of the bodies, and of those that arrive, also with s3; empty: media in data.folder. Workers with files share it.',
  ),
  'media.s3Url': key(
    v.union([v.literal(''), bucketUrl]),
    '',
    'Endpoint and bucket, in path style: https://s3.example/bucket; a prefix may follow.',
  ),
  'media.s3Region': key(v.string(), 'us-east-1', 'Region that requests to the bucket are signed for.'),
  'media.s3KeyId': key(v.string(), '', 'Id of the access key for the bucket: put, get and delete objects.'),
  'media.s3SecretFile': key(path, '', 'File with the secret of that access key.'),
  'media.cameraMaxBytes': key(
    size('1 MiB', '16384 GiB'),
    '4 GiB',
    'Most bytes of clips that one camera may have here; what comes above it is refused for good.',
  ),
  'media.accountMaxBytes': key(size('1 MiB', '16384 GiB'), '32 GiB', 'The same for all cameras of one account.'),
  'mqtt.url': key(brokerAddress, 'mqtt://127.0.0.1:1883', 'URL of the broker, without user name and password.'),
  'mqtt.otherUrls': key(
    v.array(brokerAddress),
    [],
    'Other nodes of the same broker, tried in turn where the first does not answer.',
  ),
  'mqtt.username': key(v.string(), 'cloud', "The cloud's user name at the broker."),
  'mqtt.passwordFile': key(path, '', "File with the cloud's password at the broker."),
  'mqtt.caFile': key(
    path,
    '',
    'Certificates (PEM) of the authorities that may sign the broker, for mqtts://; empty: those of Node.',
  ),
  'mqtt.shareGroup': key(
    v.string(),
    '',
    'Name of a shared subscription, for several workers; empty: a subscription of its own.',
  ),
  'mqtt.shard': key(
    v.pipe(v.string(), v.regex(/^(\d{1,4}\/[1-9]\d{0,3})?$/, 'expected a part like 0/2, or nothing')),
    '',
    'For a broker without shared subscriptions: the part of the cameras that this worker handles, 0/2 and 1/2 for two workers; empty: all.',
  ),
  'mqtt.session': key(
    choice('clean', 'kept'),
    'clean',
    'kept: the broker holds messages while this worker is away; needs mqtt.clientId.',
  ),
  'mqtt.clientId': key(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{0,64}$/, 'expected up to 64 letters, digits and -')),
    '',
    'Client id of this worker, unique at the broker; empty: a new one at each start.',
  ),
  'mqtt.embedded': key(
    flag,
    false,
    'Run a broker inside this process, for a laptop; without a password file any device may connect to it.',
  ),
  'mqtt.embeddedHost': key(
    v.string(),
    '127.0.0.1',
    'Address of the broker inside this process; other than a loopback address only with mqtt.embeddedPasswordFile.',
  ),
  'mqtt.embeddedPasswordFile': key(
    path,
    '',
    'File with the password, at least 16 characters, that cameras give to the broker inside this process.',
  ),
  'mqtt.embeddedPort': key(integer(0, 65_535), 1883, 'Port of the broker inside this process; 0 picks a free one.'),
  'protocol.versions': key(
    v.pipe(
      v.array(v.picklist(PROTOCOL_VERSIONS, 'expected the versions 1 and 2')),
      v.check((versions) => versions.includes(1), 'expected 1 among them: every camera begins with it'),
    ),
    [...PROTOCOL_VERSIONS],
    'Protocol versions that the cloud announces to cameras; [1] keeps cameras that are claimed from now on at version 1. What is ' +
      'of version 2 already stays so.',
  ),
  'pacing.fleet': key(
    integer(0, 100_000_000),
    0,
    'Number of cameras N, whose public keys ingest keeps parsed from 16384 on; 0 leaves the window of reconnects to the cameras.',
  ),
  'pacing.connectsPerSecond': key(
    integer(1, 1_000_000),
    1000,
    'Connections a second C that the brokers can accept; the window of reconnects is N / 0.7 C.',
  ),
  'pacing.drainInterval': key(
    duration('0 ms', '15 min'),
    '0 ms',
    "Least time between two records of one camera's backlog; 0 ms leaves it to the camera.",
  ),
  'push.contact': key(
    pushContact,
    '',
    "Where push services reach the operator: mailto:name@example.com or https://…; empty: no notifications. The cloud's key for them " +
      'is made in data.folder at the first start.',
  ),
  'push.services': key(
    v.pipe(
      v.array(v.pipe(v.string(), v.check(isPushService, 'expected a host, host:port, *.suffix or an address'))),
      v.maxLength(64),
    ),
    [...WELL_KNOWN_SERVICES],
    'Hosts of push services that browsers may name; nothing else is spoken to. A host of an inner network needs its address here too.',
  ),
  'push.caFile': key(
    path,
    '',
    'Certificates (PEM) of the authorities that may sign push services; empty: those of Node.',
  ),
  'push.perSecond': key(
    integer(1, 10_000),
    100,
    'Most notifications a second of one process; what is due above that waits, for five minutes at most.',
  ),
  'operator.host': key(
    v.string(),
    '127.0.0.1',
    'Address of the metrics and the status page; they have no authentication.',
  ),
  'operator.names': key(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,253}$/, 'expected a host name'))), v.maxLength(64)),
    [],
    'Names, without a port, by which metrics and status page may be asked for, besides IP addresses, localhost and operator.host.',
  ),
  'operator.port': key(integer(0, 65_535), 0, 'Port of the metrics and the status page, not that of the API; 0: off.'),
  'revocation.makerKey': key(
    v.pipe(v.string(), v.regex(/^([0-9a-f]{64})?$/, 'expected a public key of 64 lower-case hex digits, or nothing')),
    '',
    "The maker's public key, whose signed lists revoke devices; empty: no list is accepted.",
  ),
  'revocation.makerMaxAge': key(
    duration('0 s', '365 d'),
    '0 s',
    "Unless a maker's list was issued within this time, nothing is receipted or shown; 0 s sets no limit.",
  ),
  'deletion.delay': key(
    duration('1 min', '90 d'),
    '7 d',
    'What an owner deletes is hidden at once, erased after this time, and can be undone until then.',
  ),
  'retention.records': key(duration('1 h', '3650 d'), '30 d', 'Records and pictures are deleted after this time.'),
  'retention.clips': key(
    duration('1 h', '3650 d'),
    '30 d',
    'The segments of clips are deleted after this time, and with their record at the latest.',
  ),
  'log.level': key(choice('debug', 'info', 'warn', 'error'), 'info', 'Least severe level that is logged.'),
} as const;

export type CloudConfig = ConfigOf<typeof CLOUD_KEYS>;

/** Prefix of the settings in the environment: `http.port` is SEALCLOUD_HTTP_PORT. */
export const CLOUD_PREFIX = 'SEALCLOUD_';

/**
 * Loads and checks the settings.
 *
 * @throws SealcamError `config-…`, naming the line or variable that is wrong
 */
export function loadCloudConfig(source: ConfigSource): CloudConfig {
  const config = loadConfig(CLOUD_KEYS, CLOUD_PREFIX, source);
  if (config['revocation.makerMaxAge'] > 0 && config['revocation.makerKey'] === '') {
    throw new SealcamError('config-invalid-value', 'revocation.makerMaxAge: needs revocation.makerKey');
  }
  const kind = config['store.kind'];
  if (storeOf(kind).urlProtocols.length > 0 && config['store.url'] === '') {
    throw new SealcamError('config-invalid-value', `store.kind: ${kind} needs store.url`);
  }
  const missing = (['media.s3Url', 'media.s3KeyId', 'media.s3SecretFile'] as const).find((name) => config[name] === '');
  if (config['media.kind'] === 's3' && missing !== undefined) {
    throw new SealcamError('config-invalid-value', `media.kind: s3 needs ${missing}`);
  }
  if (config['mqtt.session'] === 'kept' && config['mqtt.clientId'] === '') {
    throw new SealcamError('config-invalid-value', 'mqtt.session: kept needs mqtt.clientId');
  }
  if (
    config['mqtt.embedded'] &&
    !isLoopback(config['mqtt.embeddedHost']) &&
    config['mqtt.embeddedPasswordFile'] === ''
  ) {
    throw new SealcamError(
      'config-invalid-value',
      'mqtt.embeddedHost: needs mqtt.embeddedPasswordFile on an address that others reach',
    );
  }
  const shard = shardSetting(config);
  if (shard !== undefined && shard.index >= shard.count) {
    throw new SealcamError('config-invalid-value', `mqtt.shard: the ${String(shard.count)} parts are numbered from 0`);
  }
  if (shard !== undefined && config['mqtt.shareGroup'] !== '') {
    throw new SealcamError(
      'config-invalid-value',
      'mqtt.shard: cannot be combined with mqtt.shareGroup; most messages would reach no worker',
    );
  }
  return config;
}

/** Returns the part of the cameras that `mqtt.shard` names; undefined for all of them. */
export function shardSetting(config: CloudConfig): Shard | undefined {
  const [index, count] = config['mqtt.shard'].split('/').map(Number);
  return index === undefined || count === undefined ? undefined : { index, count };
}

/** Returns whether other processes may write into the same store. */
export function hasOtherWriters(config: CloudConfig): boolean {
  return storeOf(config['store.kind']).isShared || config['mqtt.shareGroup'] !== '' || config['mqtt.shard'] !== '';
}

/** Connections of the store that busy cameras leave to the others, and to the API. */
const CONNECTIONS_LEFT_FREE = 4;

/** Returns how many busy cameras ingest handles at the same time; undefined for a store in this process. */
export function busyAtOnce(config: CloudConfig): number | undefined {
  if (!storeOf(config['store.kind']).isShared) return undefined;
  return Math.max(1, config['store.connections'] - CONNECTIONS_LEFT_FREE);
}

export function makerListSettings(config: CloudConfig): MakerListSettings {
  const { 'revocation.makerKey': hex, 'revocation.makerMaxAge': maxAgeMs } = config;
  return { key: fromHex(hex, 32) ?? null, maxAgeMs };
}
