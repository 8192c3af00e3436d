import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FilesStore } from '../../../cloud/media/files-store.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { SegmentKey } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { mediaReceiptKind } from '../../../protocol/objects/media-receipt.js';
import { checkReceiptAgainstClaim } from '../../../protocol/objects/receipt.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { freePort } from '../../../scripts/free-port.js';
import { storeFilmed } from '../../campaigns/common/filmed.js';
import { start, type Running } from '../../support/engines/command.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { limitMs } from '../../support/runner/speed.js';
import { tempFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { bodyUrl } from '../../support/worlds/clip-world.js';

const CLIPS = 6;
const SEGMENTS = 5;
const BODY_BYTES = 262_144 + 4 * 16;
const MINUTES_MS = 60_000;

/** A worker process whose clips one camera uploads until it holds a signed receipt for each. */
class ClipFleet {
  readonly bodies: readonly Uint8Array[];
  readonly receipted = new Set<Uint8Array>();
  private readonly folder: string;
  private readonly port: number;
  private readonly claim: Verified<ClaimV2>;
  private worker: Running | null = null;

  private constructor(parts: {
    readonly folder: string;
    readonly port: number;
    readonly claim: Verified<ClaimV2>;
    readonly bodies: readonly Uint8Array[];
  }) {
    this.folder = parts.folder;
    this.port = parts.port;
    this.claim = parts.claim;
    this.bodies = parts.bodies;
  }

  /** Stores a camera with its clip records, as ingest leaves them. */
  static async prepare(folder: string): Promise<ClipFleet> {
    const lengths = Array.from({ length: SEGMENTS }, () => BODY_BYTES);
    const { claim, bodies } = await storeFilmed(join(folder, 'cloud'), CLIPS, lengths);
    const port = await freePort();
    return new ClipFleet({ folder, port, claim, bodies });
  }

  key(body: Uint8Array): SegmentKey {
    return { device: this.claim.value.device, epoch: 1, bodyHash: nodeSuite.sha256(body) };
  }

  async startWorker(): Promise<void> {
    const worker = start('sealcam-cloud', ['serve'], {
      SEALCLOUD_DATA_FOLDER: join(this.folder, 'cloud'),
      SEALCLOUD_HTTP_PORT: String(this.port),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: '0',
    });
    this.worker = worker;
    afterThisTest(async () => {
      worker.signal('SIGKILL');
      await worker.ended;
    });
    await until('the API listens', () => worker.lines.some(({ msg }) => msg === 'the API is listening'), 60_000);
  }

  async killWorker(): Promise<void> {
    this.worker?.signal('SIGKILL');
    await this.worker?.ended;
  }

  /** Bodies that are on their way into the worker. */
  arriving(): number {
    const folder = join(this.folder, 'cloud', 'media', 'arriving');
    return existsSync(folder) ? readdirSync(folder).length : 0;
  }

  /** Uploads until there is a receipt for every body, whatever happens to worker and engine meanwhile. */
  async uploadAll(): Promise<void> {
    const waiting = this.bodies.filter((body) => !this.receipted.has(body));
    const lane = async (): Promise<void> => {
      for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) await this.upload(body);
    };
    await Promise.all([lane(), lane(), lane()]);
  }

  /** Sends half of a body; the caller kills what receives it. */
  async sendHalf(body: Uint8Array): Promise<void> {
    const before = this.arriving();
    const headers = { 'content-length': String(body.length) };
    const path = bodyUrl(this.key(body));
    const sending = request({ port: this.port, host: '127.0.0.1', method: 'PUT', path, headers, agent: false });
    sending.on('error', () => undefined);
    sending.write(body.subarray(0, body.length / 2));
    await until('half of a body has arrived', () => this.arriving() > before);
  }

  private async upload(body: Uint8Array): Promise<void> {
    const url = `http://127.0.0.1:${String(this.port)}${bodyUrl(this.key(body))}`;
    for (;;) {
      const answer = await fetch(url, { method: 'PUT', body: Buffer.from(body) }).catch(() => null);
      const type = answer?.headers.get('content-type');
      const bytes = await answer?.arrayBuffer().catch(() => undefined);
      if (type === 'application/cose' && bytes !== undefined) {
        const receipt = openSigned(mediaReceiptKind, nodeSuite, new Uint8Array(bytes));
        checkReceiptAgainstClaim(receipt, this.claim);
        expect(receipt.value.entries).toEqual([[nodeSuite.sha256(body), 'stored']]);
        this.receipted.add(body);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** How many of the receipted bodies are not whole in this place. */
  async lost(store: MediaStore): Promise<number> {
    let lost = 0;
    for (const body of this.receipted) {
      const found = await store.get(this.key(body));
      if (found === undefined || Buffer.compare(found, body) !== 0) lost++;
    }
    return lost;
  }
}

describe('clips', () => {
  it(
    'in files lose no receipted body when the worker is killed in mid-upload',
    { timeout: limitMs(3 * MINUTES_MS) },
    async () => {
      const folder = tempFolder();
      const fleet = await ClipFleet.prepare(folder);
      const store = new FilesStore(join(folder, 'cloud', 'media', 'bodies'));
      await fleet.startWorker();
      for (const body of fleet.bodies.slice(0, 3)) {
        await fleet.sendHalf(body);
        await fleet.killWorker();
        expect(await store.get(fleet.key(body))).toBeUndefined();
        await fleet.startWorker();
      }
      const uploading = fleet.uploadAll();
      await until('some are receipted', () => fleet.receipted.size >= 3);
      await fleet.killWorker();
      expect(fleet.receipted.size).toBeLessThan(fleet.bodies.length);
      expect(await fleet.lost(store)).toBe(0);
      await fleet.startWorker();
      await uploading;
      expect([fleet.receipted.size, await fleet.lost(store)]).toEqual([CLIPS * SEGMENTS, 0]);
      // The control: a body that is gone would be found.
      const [first] = fleet.bodies;
      if (first !== undefined) await store.remove(fleet.key(first));
      expect(await fleet.lost(store)).toBe(1);
    },
  );
});
