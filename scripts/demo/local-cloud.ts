import { join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { sleep } from '../../common/clock.js';
import { checkout } from '../checkout.js';
import { Child } from './children.js';

export interface LocalCloudSettings {
  /** Its data and its log go below. */
  readonly folder: string;
  readonly httpPort: number;
  readonly brokerPort: number;
  readonly pageOrigin: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** Starts `sealcam-cloud serve` with its embedded broker as a process of its own. */
export function startLocalCloud(settings: LocalCloudSettings): Child {
  const { folder, httpPort, brokerPort, pageOrigin, environment = {} } = settings;
  return new Child({
    name: 'cloud',
    args: [join(checkout, 'dist/cloud/cli/cli.js'), 'serve'],
    environment: {
      SEALCLOUD_HTTP_PORT: String(httpPort),
      SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([pageOrigin]),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(brokerPort),
      SEALCLOUD_DATA_FOLDER: join(folder, 'cloud'),
      ...environment,
    },
    logFolder: join(folder, 'logs'),
  });
}

/** Resolves once the cloud's API is up. @throws Error where it ends, or is not up within 30 s */
export async function untilHealthy(cloud: Child, origin: string): Promise<void> {
  const endMs = realClock.monotonicMs() + START_TIMEOUT_MS;
  while (realClock.monotonicMs() < endMs) {
    if (!cloud.isRunning) throw new Error(`the cloud ended; see ${cloud.logFile}`);
    const answer = await fetch(`${origin}/healthz`).catch(() => null);
    if (answer?.ok === true) return;
    await sleep(realClock, POLL_MS);
  }
  throw new Error(`the cloud did not start; see ${cloud.logFile}`);
}
