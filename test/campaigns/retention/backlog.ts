import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { floorKind } from '../../../protocol/objects/floor.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { pictured } from '../common/pictured.js';

export interface BacklogSettings {
  readonly cameras: number;
  /** Of each camera, beside its accept. */
  readonly records: number;
  readonly receiptKeys: readonly Uint8Array[];
  /** When the first of them was made and received. */
  readonly fromMs: number;
  /** Between two records of a camera. */
  readonly everyMs: number;
}

interface OldCamera {
  readonly world: CameraWorld;
  readonly claim: Verified<Claim>;
  last: Verified<SealcamRecord>;
}

/** Every fourth record has a picture, as those of the cameras that send. */
const PICTURE_EVERY = 4;
const MEDIA_SHOWN_MAX = 8;

/** Records of cameras that are silent now, made and received long ago, in the order in which a fleet would have sent them. */
export class Backlog {
  private readonly settings: BacklogSettings;
  private readonly cameras: readonly OldCamera[];
  /** Names of a few of the pictures. */
  private readonly media: { readonly device: Uint8Array; readonly id: Uint8Array }[] = [];

  constructor(settings: BacklogSettings) {
    this.settings = settings;
    this.cameras = Array.from({ length: settings.cameras }, () => {
      const world = new CameraWorld();
      world.time = (monotonicMs) => ({
        boot: world.boot,
        monotonicMs,
        wallMs: settings.fromMs + (monotonicMs / 1000) * settings.everyMs,
        quality: 'ntp',
      });
      const claim = world.claim(1, null, { receiptKeys: [...settings.receiptKeys] });
      return { world, claim, last: world.record(claim, 0, claim.hash, { kind: 'accept' }) };
    });
  }

  /** Records that retention has to delete: neither the accept nor the newest of a camera. */
  get due(): number {
    return this.settings.cameras * (this.settings.records - 1);
  }

  async fill(store: CloudStore): Promise<void> {
    const { records, fromMs, everyMs } = this.settings;
    for (const { claim, last } of this.cameras) await store.claims.accept(claim, last, fromMs);
    for (let seq = 1; seq <= records; seq++) {
      const puts = this.cameras.map((camera) => {
        const { world, claim, last } = camera;
        const { record, media } =
          seq % PICTURE_EVERY === 0 ? pictured(world, claim, seq, last.hash) : plain(camera, seq);
        camera.last = record;
        const [first] = media;
        if (first !== undefined && seq < records && this.media.length < MEDIA_SHOWN_MAX) {
          this.media.push({ device: world.deviceId, id: first.id });
        }
        return store.records.put(record, media, fromMs + seq * everyMs);
      });
      for (const { outcome } of await Promise.all(puts)) if (outcome !== 'stored') throw new Error(outcome);
    }
  }

  /** Returns what retention should have left or removed and did not, as sentences. */
  async faults(store: CloudStore): Promise<readonly string[]> {
    const { records } = this.settings;
    const found: string[] = [];
    for (const { world, last } of this.cameras) {
      const { deviceId: device } = world;
      const seqs = (await store.records.page(device, 1, records + 1, records + 1)).map(({ seq }) => seq);
      if (seqs.join() !== `${String(records)},0`)
        found.push(`a camera was left with ${String(seqs.length)} records, not 2`);
      const floor = await store.retention.floor(device, 1);
      const below = floor === undefined ? null : openSigned(floorKind, nodeSuite, floor).value.belowSeq;
      if (below !== last.value.seq) found.push(`a floor says ${String(below)}, not ${String(last.value.seq)}`);
    }
    for (const { device, id } of this.media) {
      if ((await store.records.media(device, 1, id)) !== undefined) found.push('a picture of a deleted record is left');
    }
    return found;
  }
}

function plain({ world, claim, last }: OldCamera, seq: number): ReturnType<typeof pictured> {
  return { record: world.record(claim, seq, last.hash, { kind: 'scene', scene: { class: 'stall' } }), media: [] };
}
