import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded } from '../../support/engines/brokers.js';
import { TcpFront } from '../../support/engines/tcp-front.js';
import { limitMs } from '../../support/runner/speed.js';
import { until } from '../../support/runner/wait.js';
import { TestConsole } from '../../support/worlds/test-console.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';
import type { TestCloud } from '../../support/worlds/test-cloud.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

const MINUTES_MS = 60_000;

let way: WholeWay;

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

function filming(name: string, uploadUrl: string, keyStore = new MockKeyStore()): TestAgent {
  const environment = {
    SEALCAM_CLIP_CODEC: 'jpeg',
    SEALCAM_CLIP_UPLOAD_URL: uploadUrl,
  };
  return way.startAgent(name, undefined, keyStore, { environment });
}

/** Bodies that the cloud has in its place for them. */
function bodiesIn(folder: string): number {
  const bodies = join(folder, 'cloud', 'media', 'bodies');
  if (!existsSync(bodies)) return 0;
  return readdirSync(bodies, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

async function claimed(cloud: TestCloud, camera: TestAgent): Promise<void> {
  const { watcher } = way.watch(cloud);
  await watcher.claim(camera.code);
}

describe('the clips of a camera', () => {
  it(
    'reach the cloud while the event goes on, and none is left behind or lost',
    { timeout: limitMs(2 * MINUTES_MS) },
    async () => {
      const cloud = await way.startCloud();
      const camera = filming('a', cloud.origin);
      await claimed(cloud, camera);
      const { outbox, counters } = camera.agent;
      await until('ten segments are delivered', () => outbox.segmentTotals().receipted >= 10, MINUTES_MS);
      const { produced, receipted, queued, lost } = outbox.segmentTotals();
      expect(lost).toBe(0);
      expect(produced).toBe(receipted + queued);
      expect(bodiesIn(way.folder)).toBeGreaterThanOrEqual(receipted);
      expect(counters.get('uploads.stored')).toBe(receipted);
      const [status] = await new TestConsole(camera).json('status');
      expect(status).toMatchObject({ uploads: expect.stringMatching(/^(idle|sending)$/) as string });
      expect(camera.agent.consolePort().uploads.status()).toMatchObject({ held: 0, nextAttemptMs: null });
    },
  );

  it(
    'wait while their server is away, and go on where they were, also after a restart',
    { timeout: limitMs(4 * MINUTES_MS) },
    async () => {
      const cloud = await way.startCloud();
      const port = await freePort();
      const front = new TcpFront(port, [Number(new URL(cloud.origin).port)]);
      await front.start();
      way.keep(front);
      const keyStore = new MockKeyStore();
      const url = `http://127.0.0.1:${String(port)}`;
      const camera = filming('a', url, keyStore);
      await claimed(cloud, camera);
      await until('some are delivered', () => camera.agent.outbox.segmentTotals().receipted >= 2, MINUTES_MS);
      await front.stop();
      await until('the camera noticed', () => camera.agent.counters.get('uploads.cloud-unreachable') > 0, MINUTES_MS);
      await until('some wait', () => camera.agent.outbox.segmentTotals().queued >= 5, MINUTES_MS);
      expect(camera.log.filter(({ msg }) => msg.startsWith('clips cannot be uploaded'))).toHaveLength(1);
      await way.stop(camera.agent);
      await front.start();
      const again = filming('a', url, keyStore);
      const { outbox } = again.agent;
      const before = outbox.segmentTotals();
      expect(before.queued).toBeGreaterThanOrEqual(5);
      await until('what waited is delivered', () => outbox.segmentTotals().receipted >= before.produced, MINUTES_MS);
      expect(outbox.segmentTotals().lost).toBe(0);
    },
  );
});
