/** A short history of one camera with real seals, in either version, of which evidence is made. */
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { EvidenceSource } from '../../protocol/evidence/make.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { anyReceiptKind } from '../../protocol/objects/receipt.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import { encodeContent, type SealedContent } from '../../protocol/seal/content.js';
import type { SealRole } from '../../protocol/seal/object.js';
import { seal, type SealedObject } from '../../protocol/seal/seal.js';
import { NAMES, vectorRandom } from './keyring.js';
import { SealedHistory } from './sealed-history.js';
import { WALL_MS } from './signed.js';

interface ToSeal {
  readonly name: string;
  readonly role: Exclude<SealRole, 'segment'>;
  readonly content: SealedContent;
}

const picture = (byte: number): SealedContent => ({
  detail: { box: [1000, 2000, 30_000, 40_000], area: 123, reason: 'motion' },
  jpeg: new Uint8Array(300).fill(byte),
});
const DETAIL: SealedContent = { detail: { endedMs: 65_000 }, jpeg: null };

/** Events of a camera, of which evidence is made. */
export class EvidenceWorld extends SealedHistory {
  constructor(suite: CryptoSuite, version: 1 | 2, camera: string = NAMES.device) {
    super(suite, version, camera);
    this.live();
  }

  /** What `makeEvidence` takes. */
  get source(): EvidenceSource {
    const { claim, records, segments, keys } = this;
    const last = records.at(-1)?.record;
    const base = { device: claim.value.device, epoch: 1, claimHash: claim.hash };
    const two = this.version === 2 ? ({ version: 2 } as const) : {};
    const receipt = signObject(anyReceiptKind, this.suite, this.cloud, {
      ...two,
      ...base,
      ranges: [[0, last?.value.seq ?? 0, last?.hash ?? claim.hash]],
    });
    const entries = [...segments.values()].map((body) => [this.suite.sha256(body), 'stored'] as const);
    const stored = { ...base, version: 2, entries, issuedAtMs: WALL_MS + 60_000 } as const;
    const mediaReceipts = entries.length > 0 ? [signObject(mediaReceiptKind, this.suite, this.cloud, stored)] : [];
    return { claim, records, segments, receipts: [receipt], mediaReceipts, keys };
  }

  /** A motion event, with another one's snapshot in between and, in version 2, clips; then a single snapshot. */
  private live(): void {
    const [event, other, single] = [this.id('event'), this.id('event 2'), this.id('event 3')];
    this.event('motion', event, 'start', [{ name: 'picture 1', role: 'thumbnail', content: picture(0x51) }]);
    if (this.version === 2) this.clip('start', [0, 1]);
    this.event('snapshot', other, 'single', [{ name: 'picture 2', role: 'thumbnail', content: picture(0x52) }]);
    if (this.version === 2) this.clip('end', [2]);
    this.event('motion', event, 'end', [{ name: 'detail', role: 'detail', content: DETAIL }]);
    const role = this.version === 2 ? 'mini' : 'thumbnail';
    this.event('snapshot', single, 'single', [{ name: 'picture 3', role, content: picture(0x53) }]);
    this.add({ kind: 'scene', scene: { class: 'illumination', durationMs: 1200 } });
  }

  private event(
    kind: 'motion' | 'snapshot',
    id: Uint8Array,
    phase: 'start' | 'end' | 'single',
    objects: readonly ToSeal[],
  ): void {
    const sealed = objects.map((object) => this.seal(id, object));
    const media = objects.map(({ name, role }, i) =>
      this.mediaOf(name, role, sealed[i] ?? { header: new Uint8Array(0), body: new Uint8Array(0) }),
    );
    this.add({ kind, event: { id, phase, revision: phase === 'end' ? 1 : 0 }, media }, sealed);
  }

  private seal(eventId: Uint8Array, { name, role, content }: ToSeal): SealedObject {
    const { suite } = this;
    const mediaId = this.id(name);
    if (this.version === 2) return this.period.seal({ eventId, mediaId, role }, encodeContent(content));
    const { device, account, epoch, recipients } = this.claim.value;
    const owner = { device, account, epoch, claimHash: this.claim.hash };
    const keys = recipients.map((recipient) => ('x25519' in recipient ? recipient.x25519 : new Uint8Array(0)));
    const context = { ...owner, eventId, mediaId };
    return seal({ suite, random: vectorRandom(suite, `seal of ${name}`), context, recipients: keys, content });
  }

  private clip(phase: 'start' | 'end', indices: readonly number[]): void {
    const eventId = this.id('event');
    const segments = indices.map((index) => {
      const bytes = new Uint8Array(200 + index).fill(index);
      const segment = { index, bytes, isSync: index < 2, durationMs: index && 2000 };
      return this.sealSegment(eventId, `segment ${String(index)}`, segment);
    });
    this.add({ kind: 'clip', clip: { eventId, number: 0, phase, segments } });
  }
}
