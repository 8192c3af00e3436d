import { realRandom } from '../../common/adapters/real-random.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { sleep } from '../../common/clock.js';
import { silentLog } from '../../common/log.js';
import { captureSettings } from '../../agent/main/settings.js';
import { loadAgentConfig } from '../../agent/config/keys.js';
import { Sealer } from '../../agent/record/sealer.js';
import { openOutbox } from '../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../agent/outbox/outbox.js';
import type { CaptureSettings } from '../../agent/capture/capture.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { SceneRenderer, type RenderedFrame } from '../../hal/mock/renderer.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Signer } from '../../protocol/crypto/suite.js';
import { anyClaimKind, claimKind, type Claim } from '../../protocol/objects/claim.js';
import { accountId, deviceId } from '../../protocol/objects/ids.js';
import { anyRecordKind, type RecordTime } from '../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../protocol/objects/signed-object.js';

const FRAME_MS = 100;

/** A sealer that never yields, for measuring the work itself. */
export const busySealer = (): Sealer => new Sealer(nodeSuite, realRandom, () => Promise.resolve());
/** A sealer that yields between pieces of work, as the agent's does. */
export const politeSealer = (): Sealer => new Sealer(nodeSuite, realRandom, () => sleep(realClock, 0));

/** A claimed camera with default settings, and frames in which a person walks through. */
export class BenchWorld {
  readonly device: Signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
  readonly deviceId = deviceId(nodeSuite, this.device.publicKey);
  readonly ownerSecret = realRandom.bytes(32);
  readonly settings: CaptureSettings;
  readonly thumbnail: { readonly width: number; readonly quality: number };
  private readonly owner: Signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
  private readonly boot = realRandom.bytes(16);

  constructor() {
    const config = loadAgentConfig({ file: null, environment: {} });
    this.settings = captureSettings(config);
    this.thumbnail = { width: config['thumbnail.width'], quality: config['thumbnail.quality'] };
  }

  /** Returns a claim with 1 to 8 recipients. */
  claim(recipients: number): Verified<Claim> {
    const members = Array.from({ length: recipients - 1 }, () => ({
      x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)),
      ed25519: nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey,
    }));
    const own = { x25519: nodeSuite.x25519PublicKey(this.ownerSecret), ed25519: this.owner.publicKey };
    return signObject(claimKind, nodeSuite, this.owner, {
      device: this.deviceId,
      epoch: 1,
      account: accountId(nodeSuite, this.owner.publicKey),
      ownerKey: this.owner.publicKey,
      recipients: [own, ...members],
      previous: null,
      issuedAtMs: 0,
      receiptKeys: [realRandom.bytes(32)],
      nonce: realRandom.bytes(16),
    });
  }

  time(monotonicMs: number): RecordTime {
    return { boot: this.boot, monotonicMs, wallMs: Date.UTC(2026, 10, 21) + monotonicMs, quality: 'ntp' };
  }

  outbox(folder: string, claim: Verified<Claim>): { readonly outbox: Outbox; readonly close: () => void } {
    const { outbox, mirror } = openOutbox({
      folder,
      signer: {
        device: this.deviceId,
        sign: (record) => signObject(anyRecordKind, nodeSuite, this.device, record),
        openClaim: (bytes) => openSigned(anyClaimKind, nodeSuite, bytes),
        openRecord: (bytes) => openSigned(anyRecordKind, nodeSuite, bytes),
      },
      limits: { maxBytes: 2 ** 30, maxAgeMs: 1e12, clipMaxBytes: 2 ** 30 },
      sha256: (data) => nodeSuite.sha256(data),
      time: this.time(0),
      log: silentLog,
    });
    outbox.beginEpoch(claim, this.time(0));
    const close = (): void => {
      mirror.close();
      outbox.close();
    };
    return { outbox, close };
  }

  async frames(count: number): Promise<readonly RenderedFrame[]> {
    const renderer = new SceneRenderer(buildScript('porch', 'walk', 11));
    const frames: RenderedFrame[] = [];
    for (let i = 0; i < count; i++) frames.push(await renderer.render(i * FRAME_MS));
    return frames;
  }
}
