import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../../common/bytes.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { Media } from '../../../cloud/media/kinds.js';
import type { SegmentKey } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { mediaReceiptKind } from '../../../protocol/objects/media-receipt.js';
import { checkReceiptAgainstClaim } from '../../../protocol/objects/receipt.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { afterThisTest } from '../runner/after-test.js';
import { tempFolder } from '../runner/temp.js';
import { ApiWorld } from './api-world.js';
import { CameraV2, type Filmed } from './camera-v2.js';
import { CameraWorld } from './camera-world.js';
import { mediaIn } from './test-media.js';

const PERIOD = new Uint8Array(16).fill(7);

/** How the cloud answered an upload. */
export interface PutAnswer {
  readonly status: number;
  /** Whether the cloud asked for the body. */
  readonly isContinued: boolean;
  /** The result in the signed receipt; null without one. */
  readonly result: string | null;
  readonly text: string;
}

/** An upload under way. */
export interface Uploading {
  readonly request: ClientRequest;
  readonly answer: Promise<PutAnswer>;
}

/** A claimed camera of version 2 that films, and the clips that the cloud knows of it. */
export class ClipCamera {
  readonly api: ApiWorld;
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
  readonly records: Verified<AnyRecord>[];

  private constructor(api: ApiWorld, camera: CameraV2, claim: Verified<ClaimV2>, accept: Verified<AnyRecord>) {
    this.api = api;
    this.camera = camera;
    this.claim = claim;
    this.records = [accept];
  }

  static async claimed(api: ApiWorld, world = new CameraWorld({ cloud: api.receiptSigner })): Promise<ClipCamera> {
    const camera = new CameraV2(world);
    const claim = camera.claim();
    const accept = camera.accept(claim);
    await api.store.claims.accept(claim, accept, api.clock.wallMs());
    return new ClipCamera(api, camera, claim, accept);
  }

  get device(): Uint8Array {
    return this.camera.world.deviceId;
  }

  /** Makes a clip record that the cloud does not have yet. */
  filmed(options: Parameters<CameraV2['film']>[4] = {}): Filmed {
    return this.camera.film(this.claim, this.records.length, this.records.at(-1)?.hash ?? null, PERIOD, options);
  }

  /** Makes a clip record, and stores it. */
  async film(options: Parameters<CameraV2['film']>[4] = {}): Promise<Filmed> {
    const filmed = this.filmed(options);
    await this.store(filmed);
    return filmed;
  }

  async store({ record }: Filmed): Promise<void> {
    this.records.push(record);
    await this.api.store.records.put(record, [], this.api.clock.wallMs());
  }

  /** The key of a body of this camera. */
  key(body: Uint8Array): SegmentKey {
    return { device: this.device, epoch: 1, bodyHash: nodeSuite.sha256(body) };
  }

  /** Uploads a body to its own place, or to another one. */
  async put(body: Uint8Array, change: Partial<SegmentKey> = {}): Promise<PutAnswer> {
    const { request: sending, answer } = await this.begin({ ...this.key(body), ...change }, body.length);
    sending.end(body);
    return answer;
  }

  /** Begins an upload whose body the caller sends. */
  async begin(key: SegmentKey, length: number, headers: Record<string, string> = {}): Promise<Uploading> {
    const sending = request({
      port: await this.api.port(),
      host: '127.0.0.1',
      method: 'PUT',
      path: bodyUrl(key),
      agent: false,
      headers: { 'content-length': String(length), ...headers },
    });
    afterThisTest(() => {
      sending.destroy();
    });
    let isContinued = false;
    sending.on('continue', () => (isContinued = true));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sending.once('response', resolve);
      sending.on('error', reject);
    });
    const answer = answered.then(async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      const bytes = Buffer.concat(parts);
      const isReceipt = response.headers['content-type'] === 'application/cose';
      return {
        status: response.statusCode ?? 0,
        isContinued,
        result: isReceipt ? this.resultIn(bytes, key) : null,
        text: isReceipt ? '' : bytes.toString(),
      };
    });
    // A test that ends the upload itself does not look at its answer.
    answer.catch(() => undefined);
    return { request: sending, answer };
  }

  /** Checks a media receipt as the camera does, and returns what it says about one body. */
  private resultIn(bytes: Uint8Array, { bodyHash }: SegmentKey): string {
    const receipt = openSigned(mediaReceiptKind, nodeSuite, new Uint8Array(bytes));
    checkReceiptAgainstClaim(receipt, this.claim);
    return receipt.value.entries.map(([hash, result]) => (toHex(hash) === toHex(bodyHash) ? result : 'another')).join();
  }
}

export function bodyUrl({ device, epoch, bodyHash }: SegmentKey): string {
  return `/v1/media/${toHex(device)}/${String(epoch)}/${toHex(bodyHash)}`;
}

/** An API with a place of bodies whose folder can be looked into. */
export class ClipWorld {
  readonly api: ApiWorld;
  readonly camera: ClipCamera;
  private readonly folder: string;

  private constructor(api: ApiWorld, camera: ClipCamera, folder: string) {
    this.api = api;
    this.camera = camera;
    this.folder = folder;
  }

  /** `wrapMedia` changes the place of bodies; the other options are those of ApiWorld. */
  static async open(
    options: Parameters<typeof ApiWorld.open>[1] = {},
    wrapMedia: (media: Media) => Media = (media) => media,
    ...[wrapStore]: Parameters<typeof ApiWorld.open>
  ): Promise<ClipWorld> {
    const folder = tempFolder();
    const clock = { wallMs: () => api.clock.wallMs(), monotonicMs: () => api.clock.monotonicMs(), after: later };
    const media = wrapMedia(mediaIn(clock, folder));
    const api: ApiWorld = await ApiWorld.open(wrapStore, { ...options, media });
    function later(delayMs: number, callback: () => void): () => void {
      return api.clock.after(delayMs, callback);
    }
    return new ClipWorld(api, await ClipCamera.claimed(api), folder);
  }

  /** Files in which a body arrives, or arrived and was left. */
  arriving(): number {
    return this.arrivingFiles().length;
  }

  /** Bytes in them. */
  arrivedBytes(): number {
    return this.arrivingFiles().reduce((sum, path) => sum + statSync(path).size, 0);
  }

  private arrivingFiles(): readonly string[] {
    const folder = join(this.folder, 'media', 'arriving');
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  }

  /** Lets the clean-up remove what nothing needs, as often as it takes. */
  async cleanUp(): Promise<number> {
    let removed = 0;
    for (let i = 0; i < 3; i++) {
      removed += await this.api.bodies.removeDiscarded(this.api.clock.wallMs(), 100);
      this.api.clock.advance(3_600_000);
    }
    return removed;
  }
}

/** A body that is not one of any camera's. */
export function strangeBody(length = 4112): Uint8Array {
  return realRandom.bytes(length);
}
