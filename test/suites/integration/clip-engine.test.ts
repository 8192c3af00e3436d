import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { S3Store } from '../../../cloud/media/s3-store.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { fromHex } from '../../../common/bytes.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import type { SceneScript } from '../../../hal/mock/script.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { Watcher } from '../../../scripts/demo/watcher.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded } from '../../support/engines/brokers.js';
import { start, type Running } from '../../support/engines/command.js';
import { radosgw } from '../../support/engines/s3.js';
import { StallingFront } from '../../support/engines/stalling-front.js';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { limitMs } from '../../support/runner/speed.js';
import { until } from '../../support/runner/wait.js';
import { PAGE_ORIGIN } from '../../support/worlds/test-cloud.js';
import { BUSY, QUIET, type TestAgent } from '../../support/worlds/test-agent.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

const MINUTES_MS = 60_000;
/** The headers of an upload and a part of its body. */
const MID_BODY_BYTES = 20_000;
const BUCKET = 'clips';

async function startWorker(environment: Readonly<Record<string, string>>): Promise<Running> {
  const worker = start('sealcam-cloud', ['serve'], environment);
  afterThisTest(() => kill(worker));
  await until('it takes records', () => worker.lines.some(({ msg }) => msg === 'receiving records'), MINUTES_MS);
  return worker;
}

async function kill(worker: Running): Promise<void> {
  worker.signal('SIGKILL');
  await worker.ended;
}

describeWith('radosgw', 'the clips of a camera, whose cloud keeps them on S3', () => {
  it(
    'arrive once each, though the worker is killed in mid-upload and the engine later',
    { timeout: limitMs(6 * MINUTES_MS) },
    async () => {
      const way = await WholeWay.prepare(embedded);
      afterThisTest(() => way.stopAll());
      const { folder, broker } = way;
      const engine = radosgw(folder);
      afterThisTest(() => engine.kill());
      await Promise.all([broker.start(), engine.start()]);
      const url = await engine.bucket(BUCKET);
      const data = join(folder, 'cloud');
      mkdirSync(data);
      const secret = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const [port, uploadPort] = [await freePort(), await freePort()];
      const environment = {
        SEALCLOUD_DATA_FOLDER: data,
        SEALCLOUD_HTTP_PORT: String(port),
        SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([PAGE_ORIGIN]),
        SEALCLOUD_MQTT_URL: `mqtt://127.0.0.1:${String(broker.port)}`,
        SEALCLOUD_MQTT_PASSWORD_FILE: secret('broker-password', broker.cloudPassword),
        SEALCLOUD_PACING_DRAIN_INTERVAL: '50 ms',
        SEALCLOUD_MEDIA_KIND: 's3',
        SEALCLOUD_MEDIA_S3_URL: url,
        SEALCLOUD_MEDIA_S3_KEY_ID: engine.access.keyId,
        SEALCLOUD_MEDIA_S3_SECRET_FILE: secret('s3-secret', engine.access.secret),
      };
      const worker = await startWorker(environment);
      const keyStore = new MockKeyStore();
      const startCamera = (script: SceneScript): TestAgent =>
        way.startAgent('a', script, keyStore, {
          environment: {
            SEALCAM_CLIP_CODEC: 'jpeg',
            SEALCAM_CLIP_UPLOAD_URL: `http://127.0.0.1:${String(uploadPort)}`,
            // Slow enough that the uploads are still under way when the engine is killed.
            SEALCAM_CLIP_UPLOAD_BYTES_PER_SECOND: '200000',
            SEALCAM_HEALTH_INTERVAL: '15 min',
          },
        });
      const filming = startCamera(BUSY);
      const watcher = new Watcher('test', `http://127.0.0.1:${String(port)}`, PAGE_ORIGIN, () => undefined);
      watcher.start();
      way.keep(watcher);
      await watcher.claim(filming.code);
      await until('clips are filmed', () => filming.agent.outbox.segmentTotals().produced >= 15, MINUTES_MS);
      await way.stop(filming.agent);
      // Where nothing happens, so that the record of no event is on its way when the worker is killed.
      const { outbox, counters } = startCamera(QUIET).agent;
      await until('its records are in the cloud', () => outbox.totals().queued === 0, MINUTES_MS);
      const hashes = outbox.segmentsToSend(1000).map(({ bodyHash }) => bodyHash);
      const { produced } = outbox.segmentTotals();
      expect(hashes).toHaveLength(produced);

      const front = new StallingFront(uploadPort, port);
      front.stallAfter(MID_BODY_BYTES);
      await front.start();
      way.keep(front);
      const arriving = join(data, 'media', 'arriving');
      await until('a body is half there', () => existsSync(arriving) && readdirSync(arriving).length > 0, MINUTES_MS);
      await kill(worker);
      expect(outbox.segmentTotals().receipted).toBe(0);
      front.resume();
      await startWorker(environment);
      await until('some are delivered', () => outbox.segmentTotals().receipted >= 3, MINUTES_MS);
      await engine.kill();
      await until('the cloud takes none', () => counters.get('uploads.status-503') > 0, MINUTES_MS);
      const atKill = outbox.segmentTotals();
      expect(atKill.receipted).toBeLessThan(produced);
      await engine.start();
      await until('all are delivered', () => outbox.segmentTotals().queued === 0, 3 * MINUTES_MS);

      expect(outbox.segmentTotals()).toMatchObject({ produced, receipted: produced, lost: 0 });
      expect(counters.get('uploads.stored')).toBe(produced);
      expect(await engine.objects(BUCKET)).toBe(produced);
      const store = new S3Store({ ...engine.access, url }, realClock);
      afterThisTest(() => store.close());
      const keys = hashes.map((bodyHash) => ({
        device: fromHex(filming.device, 32) ?? new Uint8Array(32),
        epoch: 1,
        bodyHash,
      }));
      const lost = async (): Promise<number> => {
        let count = 0;
        for (const key of keys) {
          const body = await store.get(key);
          if (body === undefined || Buffer.compare(nodeSuite.sha256(body), key.bodyHash) !== 0) count++;
        }
        return count;
      };
      expect(await lost()).toBe(0);
      expect(watcher.alarms()).toBe(0);
      // The control: a body that is gone would be found.
      const [first] = keys;
      if (first !== undefined) await store.remove(first);
      expect([await lost(), await engine.objects(BUCKET)]).toEqual([1, produced - 1]);
    },
  );
});
