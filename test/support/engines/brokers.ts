import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { EmbeddedBroker } from '../../../cloud/broker/embedded-broker.js';
import { until } from '../runner/wait.js';

/** A broker under test, on a port of 127.0.0.1; it can be stopped and started again on the same port. */
export interface TestBroker {
  readonly name: string;
  readonly port: number;
  /** The protocol version on which both sides end up. */
  readonly protocol: 5 | 4;
  readonly cloudUser: string;
  readonly cloudPassword: string;
  start(): Promise<void>;
  /** `kill` leaves it no time for a word to anybody. */
  stop(how?: 'kill'): Promise<void>;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** A device sees its own topics only. */
const ACL = [
  'user cloud',
  'topic readwrite sealcam/v1/#',
  'pattern write sealcam/v1/%u/up',
  'pattern write sealcam/v1/%u/status',
  'pattern read sealcam/v1/%u/down',
];

/** Mosquitto from the distribution. A list without lines forbids everything, no list nothing. */
export function mosquitto(
  folder: string,
  port: number,
  rules: readonly string[] | null = ACL,
  environment: Readonly<Record<string, string>> = {},
): TestBroker {
  let child: ChildProcess | null = null;
  const acl = join(folder, 'mosquitto.acl');
  writeFileSync(acl, [...(rules ?? []), ''].join('\n'));
  const config = join(folder, 'mosquitto.conf');
  const user = process.getuid?.() === 0 ? ['user root'] : [];
  writeFileSync(
    config,
    [
      `listener ${String(port)} 127.0.0.1`,
      'allow_anonymous true',
      ...(rules === null ? [] : [`acl_file ${acl}`]),
      'persistence false',
      // A thousand, the default, is less than a storm leaves before a worker; what is above it is dropped without a word.
      'max_queued_messages 20000',
      ...user,
      '',
    ].join('\n'),
  );
  return {
    name: 'mosquitto',
    port,
    protocol: 5,
    cloudUser: 'cloud',
    cloudPassword: '',
    start: async () => {
      child = spawn('mosquitto', ['-c', config], { stdio: 'ignore', env: { ...process.env, ...environment } });
      await until('mosquitto answers', () => answers(port));
    },
    stop: async (how) => {
      const running = child;
      child = null;
      if (running === null) return;
      const closed = new Promise((resolve) => running.once('close', resolve));
      running.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
      await closed;
    },
  };
}

/** The same over TLS, for whoever has a certificate of this authority; the cloud comes in by the plain port. */
export function mosquittoTls(folder: string, port: number, tlsPort: number, files: TlsFiles): TestBroker {
  const { addresses = ['127.0.0.1'], isNameTheUser = false, newest = 'TLSv1.3' } = files;
  // Mosquitto's own setting is a lower bound only; OpenSSL's has an upper one.
  const openssl = join(folder, 'openssl.cnf');
  const sections = ['openssl_conf = a', '[a]', 'ssl_conf = b', '[b]', 'system_default = c', '[c]'];
  writeFileSync(openssl, [...sections, `MaxProtocol = ${newest}`, ''].join('\n'));
  const broker = mosquitto(folder, port, ACL, { OPENSSL_CONF: openssl });
  const listeners = addresses.flatMap((address) => [
    `listener ${String(tlsPort)} ${address}`,
    'allow_anonymous true',
    `acl_file ${join(folder, 'mosquitto.acl')}`,
    `cafile ${files.ca}`,
    `certfile ${files.cert}`,
    `keyfile ${files.key}`,
    'require_certificate true',
    ...(isNameTheUser ? ['use_identity_as_username true'] : []),
  ]);
  const path = join(folder, 'mosquitto.conf');
  writeFileSync(path, ['per_listener_settings true', readFileSync(path, 'utf8'), ...listeners, ''].join('\n'));
  return broker;
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Of 127.0.0.0/8; 127.0.0.1 alone by default. */
  readonly addresses?: readonly string[];
  /** The certificate's name is the user: a device sees its own topics only, whatever it calls itself. */
  readonly isNameTheUser?: boolean;
  readonly newest?: 'TLSv1.2' | 'TLSv1.3';
}

export function embedded(_folder: string, port: number): TestBroker {
  let server: EmbeddedBroker | null = null;
  const cloudPassword = 'only for this test';
  return {
    name: 'embedded',
    port,
    protocol: 4,
    cloudUser: 'cloud',
    cloudPassword,
    start: async () => {
      server = new EmbeddedBroker({
        host: '127.0.0.1',
        port,
        cloudUser: 'cloud',
        cloudPassword,
        mayConnect: () => true,
      });
      await server.start();
    },
    stop: async () => {
      await server?.stop();
      server = null;
    },
  };
}
