import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { freePort } from '../../../scripts/free-port.js';
import type { TestBroker } from './brokers.js';
import { TcpFront } from './tcp-front.js';
import { until } from '../runner/wait.js';
import { limitMs } from '../runner/speed.js';

/** Three nodes with JetStream, and MQTT 3.1.1 on each; cameras come through the front, workers name all nodes. */
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
const ANSWER_MS = 5000;

/** What docs/operations.md shows, without users: who may publish what is not what these tests are about. */
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
    `mqtt { listen: "${at(own.mqtt)}" }`,
    '',
  ].join('\n');
}

/** Of the node itself; what it still copies from the others goes on meanwhile. */
function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(`http://127.0.0.1:${String(port)}/healthz?js-server-only=true`, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', () => {
      resolve(false);
    });
    asked.setTimeout(limitMs(ANSWER_MS), () => asked.destroy());
  });
}

export async function natsCluster(folder: string, port: number): Promise<TestCluster> {
  const nodes: Ports[] = [];
  for (let i = 0; i < NODES; i++) {
    const [client, cluster, mqtt, monitor] = [await freePort(), await freePort(), await freePort(), await freePort()];
    nodes.push({ client, cluster, mqtt, monitor });
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
      60_000,
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
      // All at once: one alone has no quorum, and is not healthy.
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
