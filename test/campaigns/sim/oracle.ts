import { equal, toHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import type { ClipSegment } from '../../../protocol/objects/clip.js';
import { simSuite } from './suite.js';
import { openOffers } from '../../../protocol/objects/offer.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeStatus, decodeUp } from '../../../protocol/transport/messages.js';
import { isMediaOf } from '../../../protocol/verify/media.js';
import type { ObservedCamera, ObservedOwner } from './observed.js';
import { brokenSegments } from '../../support/outbox-sums.js';
import { storeOf } from '../../support/outbox-store.js';
import { recordKey } from '../../../protocol/objects/ids.js';

/** A record that a camera committed, as seen by the oracle. */
export interface Made {
  readonly camera: ObservedCamera;
  readonly record: Verified<AnyRecord>;
  readonly atMs: number;
}

/** A segment of a clip that a committed record names. */
export interface MadeSegment {
  readonly made: Made;
  readonly entry: ClipSegment;
}

/** Text of the sealed detail of events, which must be nowhere in clear. */
const CANARY = 'motion-ended';

const OUTBOX_SLACK_BYTES = 24 * 1024;

/**
 * Knows what was made and who owns it, because it sees each commit and each claim; it believes neither camera nor cloud. The
 * first contradiction ends the world.
 */
export class Oracle {
  violation: string | null = null;
  readonly made = new Map<string, Made>();
  /** By hex of the body's hash: no two cameras seal the same. */
  readonly segments = new Map<string, MadeSegment>();
  readonly owners = new Map<string, ObservedOwner>();
  publishes = 0;
  uploads = 0;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  fail(what: string): void {
    this.violation ??= what;
  }

  recordClaim(claim: Verified<AnyClaim>, owner: ObservedOwner): void {
    this.owners.set(toHex(claim.hash), owner);
  }

  ownerOf(record: AnyRecord): ObservedOwner | undefined {
    return this.owners.get(toHex(record.claimHash));
  }

  /** Records that the transaction of a record was committed. */
  recordCommit(camera: ObservedCamera, record: Verified<AnyRecord>): void {
    const key = recordKey(record.value);
    const before = this.made.get(key);
    if (before !== undefined && !equal(before.record.hash, record.hash)) {
      this.fail(`${camera.name} signed two records for ${nameOf(record.value)}`);
    }
    const owner = this.ownerOf(record.value);
    if (owner === undefined) this.fail(`${nameOf(record.value)} is of an unknown claim`);
    else if (!equal(owner.account, record.value.account)) this.fail(`${nameOf(record.value)} names a wrong account`);
    const made = { camera, record, atMs: this.now() };
    this.made.set(key, made);
    for (const entry of record.value.clip?.segments ?? []) this.segments.set(toHex(entry[3]), { made, entry });
  }

  /** Checks a process that came up: no committed record is missing or altered. Adds the records made on opening. */
  checkReopened(camera: ObservedCamera): void {
    const { agent } = camera;
    if (agent === null) return;
    for (const { bytes } of agent.outbox.read({ epoch: 0, seq: -1 }, 1e6)) {
      const record = openSigned(anyRecordKind, simSuite, bytes);
      if (!this.made.has(recordKey(record.value))) this.recordCommit(camera, record);
    }
    const head = storeOf(agent.outbox).queries.openEpoch.get();
    if (head === undefined) return;
    const last = this.made.get(recordKey({ device: camera.hex, epoch: head.epoch, seq: head.head_seq }));
    if (last === undefined || !equal(last.record.hash, new Uint8Array(head.head_hash))) {
      this.fail(`${camera.name} came back with a wrong head, at seq ${String(head.head_seq)}`);
    }
    if (this.made.has(recordKey({ device: camera.hex, epoch: head.epoch, seq: head.head_seq + 1 }))) {
      this.fail(`${camera.name} forgot the records after seq ${String(head.head_seq)}`);
    }
  }

  /** Checks the bytes that leave a camera, also if they are lost on the way. */
  checkPublished(camera: ObservedCamera, topic: string, payload: Uint8Array): void {
    this.publishes++;
    const [, , device, leaf] = topic.split('/');
    if (device !== camera.hex) this.fail(`${camera.name} publishes on a topic of another`);
    if (Buffer.from(payload).includes(CANARY)) this.fail(`${camera.name} publishes sealed detail in clear`);
    try {
      if (leaf === 'status') void decodeStatus(payload);
      else this.checkUp(camera, payload);
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      this.fail(`${camera.name} publishes what does not verify: ${error.code}, ${error.message}`);
    }
  }

  /** Checks a body that leaves a camera, also if it is lost on the way. */
  checkUploaded(camera: ObservedCamera, path: string, body: Uint8Array): void {
    this.uploads++;
    const hash = toHex(simSuite.sha256(body));
    const segment = this.segments.get(hash);
    if (segment === undefined) {
      this.fail(`${camera.name} uploads a body that no record on its disk names`);
      return;
    }
    const { device, epoch } = segment.made.record.value;
    if (path !== `/v1/media/${toHex(device)}/${String(epoch)}/${hash}` || !equal(device, camera.device)) {
      this.fail(`${camera.name} uploads to ${path} what is not of that place`);
    }
  }

  /** Checks the invariants of a running camera. */
  checkCamera(camera: ObservedCamera, maxBytes: number): void {
    const { agent, life } = camera;
    if (agent === null || life.isDead) return;
    const { queries } = storeOf(agent.outbox);
    const { records, bytes } = agent.outbox.queued();
    let rows = 0;
    let sum = 0;
    for (const row of queries.epochs.all()) {
      const totals = queries.rangeTotals.get({ epoch: row.epoch, from: 0, to: row.head_seq });
      const here = totals?.records ?? 0;
      rows += here;
      sum += totals?.bytes ?? 0;
      const { produced, receipted, quarantined, lost } = row;
      if (produced !== receipted + here + quarantined + lost) {
        const counts = [receipted, here, quarantined, lost].map(String).join(' + ');
        this.fail(`${camera.name}, epoch ${String(row.epoch)}: ${String(produced)} produced, but ${counts}`);
      }
      for (const breach of brokenSegments(agent.outbox, row.epoch)) this.fail(`${camera.name}, ${breach}`);
      if (quarantined > 0) this.fail(`${camera.name}: the cloud refused its records for good`);
    }
    if (rows !== records || sum !== bytes) this.fail(`${camera.name} counts its outbox wrongly`);
    if (bytes > maxBytes + OUTBOX_SLACK_BYTES) this.fail(`${camera.name} queues ${String(bytes)} bytes`);
  }

  private checkUp(camera: ObservedCamera, payload: Uint8Array): void {
    const message = decodeUp(payload);
    if (message.type === 'offer') {
      const offer = openOffers(simSuite, message.offer, message.offerV2);
      if (!equal(offer.value.device, camera.device)) this.fail(`${camera.name} publishes the offer of another`);
      return;
    }
    const sent = message.type === 'accept' ? [{ record: message.record, media: [] }] : message.records;
    for (const { record: bytes, media } of sent) {
      const record = openSigned(anyRecordKind, simSuite, bytes);
      const known = this.made.get(recordKey(record.value));
      if (known === undefined || !equal(known.record.hash, record.hash)) {
        this.fail(`${camera.name} publishes ${nameOf(record.value)} before it is on its disk`);
      }
      for (const [i, sealed] of media.entries()) {
        const meta = record.value.media?.[i];
        if (sealed !== null && (meta === undefined || !isMediaOf(simSuite, meta, sealed))) {
          this.fail(`${camera.name} publishes a picture that ${nameOf(record.value)} does not name`);
        }
      }
    }
  }
}

export function nameOf({ kind, epoch, seq }: AnyRecord): string {
  return `the ${kind} record ${String(epoch)}/${String(seq)}`;
}
