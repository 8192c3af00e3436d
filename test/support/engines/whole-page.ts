import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { BUSY, TestAgent } from '../worlds/test-agent.js';
import { TestCloud } from '../worlds/test-cloud.js';
import { embedded, type TestBroker } from './brokers.js';
import { freePort, hostPage, launch } from './browser.js';

/** A browser, the page as it is delivered, and a cloud and a broker behind it. */
export class WholePage {
  readonly browser: Browser;
  readonly broker: TestBroker;
  readonly cloud: TestCloud;
  /** Where the page is. */
  readonly url: string;
  private readonly folder: string;
  /** What serves the page's files; a test may stop it. */
  readonly host: { stop: () => Promise<void> };
  private readonly cameras: TestAgent[] = [];

  private constructor(
    parts: Pick<WholePage, 'browser' | 'broker' | 'cloud' | 'url'>,
    folder: string,
    host: WholePage['host'],
  ) {
    this.browser = parts.browser;
    this.broker = parts.broker;
    this.cloud = parts.cloud;
    this.url = parts.url;
    this.folder = folder;
    this.host = host;
  }

  /** @param folder an empty one; the page is in `page` of it */
  static async open(folder: string): Promise<WholePage> {
    const browser = await launch();
    const broker = embedded(folder, await freePort());
    await broker.start();
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}/`;
    const cloud = new TestCloud(folder, await freePort(), broker, { pageOrigin: new URL(url).origin });
    await cloud.start();
    const host = await hostPage(join(folder, 'page'), cloud.origin, port);
    return new WholePage({ browser, broker, cloud, url }, folder, host);
  }

  /** Starts a camera before which a person walks through every five seconds. */
  startCamera(): TestAgent {
    const camera = new TestAgent(join(this.folder, `camera${String(this.cameras.length)}`), this.broker.port, BUSY);
    camera.agent.start();
    this.cameras.push(camera);
    return camera;
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.host.stop();
    for (const { agent } of this.cameras) await agent.stop();
    await this.cloud.stop();
    await this.broker.stop();
  }
}
