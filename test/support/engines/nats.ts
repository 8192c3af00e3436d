import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { freePort } from '../../../scripts/free-port.js';
import type { TestBroker } from './brokers.js';
import { TcpFront } from './tcp-front.js';
import { until } from '../runner/wait.js';
import { limitMs } from '../runner/speed.js';

/**
 * Three NATS nodes with JetStream, and MQTT 3.1.1 on each. Cameras connect through the front; workers name all nodes.
 */
export interface TestCluster extends TestBroker {
  readonly urls: readonly string[];
  startNode(index: number): Promise<void>;
  killNode(index: number): Promise<void>;
}

interface Ports {
  readonly client: number;
  readonly cluster: number;
  readonly mqtt: number;
  readonly monitor: number;
}

const NODES = 3;
const HEALTH_TIMEOUT_MS = 5000;
const HEALTHY_WITHIN_MS = 60_000;

/** The configuration of docs/operations.md without its users: these tests are not about who may publish. */
function configuration(folder: string, index: number, nodes: readonly Ports[]): string {
  const own = nodes[index];
  if (own === undefined) throw new Error('no such node');
  const at = (port: number): string => `127.0.0.1:${String(port)}`;
  const routes = nodes.filter((one) => one !== own).map(({ cluster }) => `nats://${at(cluster)}`);
  return [
    `server_name: n${String(index)}`,
    `listen: "${at(own.client)}"`,
    `http: "${at(own.monitor)}"`,
    `jetstream { store_dir: "${join(folder, `nats-${String(index)}`)}" }`,
    `cluster { name: fleet, listen: "${at(own.cluster)}", routes: [${routes.map((one) => `"${one}"`).join(', ')}] }`,
    `mqtt { listen: "${at(own.mqtt)}", stream_replicas: ${String(NODES)} }`,
    '',
  ].join('\n');
}

/** Returns whether a node is healthy by itself; it may still copy data from the others. */
function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`http://127.0.0.1:${String(port)}/healthz?js-server-only=true`, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('error', () => {
      resolve(false);
    });
    request.setTimeout(limitMs(HEALTH_TIMEOUT_MS), () => request.destroy());
  });
}

export async function natsCluster(folder: string, port: number): Promise<TestCluster> {
  const nodes: Ports[] = [];
  for (let i = 0; i < NODES; i++) {
    nodes.push({
      client: await freePort(),
      cluster: await freePort(),
      mqtt: await freePort(),
      monitor: await freePort(),
    });
  }
  const running = new Map<number, ChildProcess>();
  const front = new TcpFront(
    port,
    nodes.map(({ mqtt }) => mqtt),
  );

  const spawnNode = (index: number): void => {
    const path = join(folder, `nats-${String(index)}.conf`);
    mkdirSync(join(folder, `nats-${String(index)}`), { recursive: true });
    writeFileSync(path, configuration(folder, index, nodes));
    running.set(index, spawn('nats-server', ['-c', path], { stdio: 'ignore' }));
  };
  const hasEnded = (child: ChildProcess | undefined): boolean => child?.exitCode !== null || child.signalCode !== null;
  const healthy = (index: number): Promise<void> =>
    until(
      `NATS node ${String(index)} is healthy`,
      () => {
        if (hasEnded(running.get(index)))
          throw new Error(`NATS node ${String(index)} ended: was one of its ports taken?`);
        return isHealthy(nodes[index]?.monitor ?? 0);
      },
      HEALTHY_WITHIN_MS,
    );
  const end = async (index: number, signal: NodeJS.Signals): Promise<void> => {
    const child = running.get(index);
    running.delete(index);
    if (child === undefined || hasEnded(child)) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await closed;
  };

  return {
    name: 'nats',
    port,
    protocol: 4,
    cloudUser: 'cloud',
    cloudPassword: '',
    urls: nodes.map(({ mqtt }) => `mqtt://127.0.0.1:${String(mqtt)}`),
    startNode: async (index) => {
      spawnNode(index);
      await healthy(index);
    },
    killNode: (index) => end(index, 'SIGKILL'),
    start: async () => {
      // All together: a single node has no quorum and does not become healthy.
      for (const index of nodes.keys()) spawnNode(index);
      for (const index of nodes.keys()) await healthy(index);
      await front.start();
    },
    stop: async (how) => {
      await front.stop();
      await Promise.all([...running.keys()].map((index) => end(index, how === 'kill' ? 'SIGKILL' : 'SIGTERM')));
    },
  };
}
