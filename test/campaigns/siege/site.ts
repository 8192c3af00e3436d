import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '../../../common/bytes.js';
import { freePort } from '../../../scripts/free-port.js';
import { Worker } from '../common/worker.js';
import { ask, PAGE_ORIGIN, type Ports } from './wire.js';

/** One cloud as a process, as shipped, with the broker inside it. */
export class Site {
  readonly ports: Ports;
  readonly receiptKeys: readonly Uint8Array[];
  private readonly worker: Worker;
  private readonly operatorPort: number;

  private constructor(worker: Worker, ports: Ports, operatorPort: number, receiptKeys: readonly Uint8Array[]) {
    this.worker = worker;
    this.ports = ports;
    this.operatorPort = operatorPort;
    this.receiptKeys = receiptKeys;
  }

  /** Starts it. `databaseUrl` is null for SQLite. `onStarted` gets what ends it, before anything can fail. */
  static async open(
    folder: string,
    databaseUrl: string | null,
    onStarted: (end: () => Promise<void>) => void,
  ): Promise<Site> {
    mkdirSync(folder, { recursive: true });
    const [http, broker, operator] = [await freePort(), await freePort(), await freePort()];
    const worker = new Worker('the cloud', {
      SEALCLOUD_DATA_FOLDER: join(folder, 'cloud'),
      SEALCLOUD_HTTP_PORT: String(http),
      SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([PAGE_ORIGIN]),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(broker),
      SEALCLOUD_OPERATOR_PORT: String(operator),
      SEALCLOUD_LOG_LEVEL: 'info',
      ...(databaseUrl === null ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: databaseUrl }),
    });
    onStarted(() => worker.stop('kill'));
    await worker.start();
    const info = await ask({ port: http, from: '127.0.0.1', method: 'GET', path: '/v1/info' });
    const { receiptKeys } = JSON.parse(info.text) as { readonly receiptKeys: readonly string[] };
    const keys = receiptKeys.map((key) => fromHex(key, 32) ?? new Uint8Array(32));
    return new Site(worker, { http, broker }, operator, keys);
  }

  /** Returns the sum of a metric over its labels; 0 where this cloud does not have it. */
  async metric(name: string): Promise<number> {
    const { text } = await ask({ port: this.operatorPort, from: '127.0.0.1', method: 'GET', path: '/metrics' });
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  async close(): Promise<void> {
    await this.worker.stop('kill');
  }
}
