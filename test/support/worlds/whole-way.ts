import mqtt from 'mqtt';
import { join } from 'node:path';
import { fromHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { Watcher, type OpenedEvent } from '../../../scripts/demo/watcher.js';
import { freePort } from '../../../scripts/free-port.js';
import type { TestBroker } from '../engines/brokers.js';
import { tempFolder } from '../runner/temp.js';
import { BUSY, TestAgent, type TestAgentOptions } from './test-agent.js';
import { PAGE_ORIGIN, TestCloud, type TestCloudOptions } from './test-cloud.js';

interface Part {
  stop(): Promise<void> | void;
}

/** Broker, cloud, cameras and owners of one test. Stops all of them after it, in reverse order. */
export class WholeWay {
  readonly folder = tempFolder();
  readonly broker: TestBroker;
  private readonly httpPort: number;
  private readonly running: Part[] = [];

  private constructor(make: (folder: string, port: number) => TestBroker, brokerPort: number, httpPort: number) {
    this.broker = make(this.folder, brokerPort);
    this.httpPort = httpPort;
  }

  static async prepare(make: (folder: string, port: number) => TestBroker): Promise<WholeWay> {
    return new WholeWay(make, await freePort(), await freePort());
  }

  /** Adds a part that {@link stopAll} stops. */
  keep(part: Part): void {
    this.running.push(part);
  }

  /** Stops one part before the end of the test. */
  async stop(part: Part): Promise<void> {
    this.running.splice(this.running.indexOf(part), 1);
    await part.stop();
  }

  async stopAll(): Promise<void> {
    for (const part of this.running.splice(0).reverse()) await part.stop();
    await this.broker.stop();
  }

  async startCloud(options: TestCloudOptions = {}): Promise<TestCloud> {
    const cloud = new TestCloud(this.folder, this.httpPort, this.broker, options);
    await cloud.start();
    this.keep(cloud);
    return cloud;
  }

  /** Connects a second client to the broker, with the rights of the cloud or, on Mosquitto, with all of them. */
  asCloud(clientId = 'second-cloud'): mqtt.MqttClient {
    const { name, port, protocol, cloudUser, cloudPassword } = this.broker;
    const client = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, {
      protocolVersion: protocol,
      username: name === 'mosquitto' ? 'spy' : cloudUser,
      password: cloudPassword,
      clientId,
    });
    this.keep({ stop: () => void client.end(true) });
    return client;
  }

  /** Starts a camera with a data folder of this name. */
  startAgent(name: string, script = BUSY, keyStore = new MockKeyStore(), options: TestAgentOptions = {}): TestAgent {
    const agent = new TestAgent(join(this.folder, name), this.broker.port, script, keyStore, options);
    agent.agent.start();
    this.keep(agent.agent);
    return agent;
  }

  /** Starts an owner who opens every event, and the list of what was opened. */
  watch(cloud: TestCloud): { readonly watcher: Watcher; readonly opened: OpenedEvent[] } {
    const opened: OpenedEvent[] = [];
    const watcher = new Watcher('test', cloud.origin, PAGE_ORIGIN, (event) => opened.push(event));
    watcher.start();
    this.keep(watcher);
    return { watcher, opened };
  }
}

/** Returns the seqs that a cloud has of a camera's first epoch, in order. */
export async function seqsOf(cloud: TestCloud, device: string): Promise<number[]> {
  const id = fromHex(device, 32) ?? new Uint8Array(32);
  return (await cloud.store.records.page(id, 1, 1e9, 200)).map(({ seq }) => seq).sort((a, b) => a - b);
}
