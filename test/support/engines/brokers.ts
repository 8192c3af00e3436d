import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { EmbeddedBroker } from '../../../cloud/broker/embedded-broker.js';
import { endProcess } from '../../../scripts/end-process.js';
import { until } from '../runner/wait.js';

/** A broker on a port of 127.0.0.1. It can be stopped, and restarted on the same port. */
export interface TestBroker {
  readonly name: string;
  readonly port: number;
  /** The protocol version that both sides use in the end. */
  readonly protocol: 5 | 4;
  readonly cloudUser: string;
  readonly cloudPassword: string;
  start(): Promise<void>;
  /** Stops it. With `kill` it sends nothing before it ends. */
  stop(how?: 'kill'): Promise<void>;
}

export function isAnswering(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/**
 * A device reads and writes only its own topics, and the cloud has the directions that it needs. docs/operations.md shows the
 * same rules.
 */
export const ACL = [
  'user cloud',
  'topic read sealcam/v1/+/up',
  'topic read sealcam/v1/+/status',
  'topic read sealcam/v1/+/live',
  'topic write sealcam/v1/+/down',
  'pattern write sealcam/v1/%u/up',
  'pattern write sealcam/v1/%u/status',
  'pattern write sealcam/v1/%u/live',
  'pattern read sealcam/v1/%u/down',
];

/** A client of the tests that may do everything. */
const SPY = ['user spy', 'topic readwrite #'];

/** Mosquitto as the distribution ships it. Empty rules forbid everything; null allows everything. */
export function mosquitto(
  folder: string,
  port: number,
  rules: readonly string[] | null = [...ACL, ...SPY],
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
      // The default of 1,000 is less than a storm queues for a worker, and Mosquitto drops the rest silently.
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
      const started = spawn('mosquitto', ['-c', config], { stdio: 'ignore', env: { ...process.env, ...environment } });
      child = started;
      await until('mosquitto answers', () => {
        if (started.exitCode !== null)
          throw new Error(`mosquitto ended (${String(started.exitCode)}): was its port taken?`);
        return isAnswering(port);
      });
    },
    stop: async (how) => {
      const running = child;
      child = null;
      if (running !== null) await endProcess(running, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    },
  };
}

/** The same over TLS, for clients with a certificate of this authority. The cloud uses the plain port. */
export function mosquittoTls(folder: string, port: number, tlsPort: number, files: TlsFiles): TestBroker {
  const { addresses = ['127.0.0.1'], isNameTheUser = false, newest = 'TLSv1.3' } = files;
  // Mosquitto can set a lower bound only; OpenSSL's configuration also has an upper one.
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
  return {
    ...broker,
    start: async () => {
      await broker.start();
      // It opens its listeners one after the other.
      for (const address of addresses) await until('its TLS listener answers', () => isAnswering(tlsPort, address));
    },
  };
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Addresses to listen on, of 127.0.0.0/8. Default: 127.0.0.1. */
  readonly addresses?: readonly string[];
  /** Takes the user from the certificate's name: a device reaches only its own topics, whatever user name it sends. */
  readonly isNameTheUser?: boolean;
  /** Newest TLS version that the broker speaks. */
  readonly newest?: 'TLSv1.2' | 'TLSv1.3';
}

/** The broker inside the cloud's process. */
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
