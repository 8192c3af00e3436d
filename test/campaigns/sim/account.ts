import { equal, toHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { CloudStore, StoredRecord } from '../../../cloud/store/store.js';
import { simSuite } from './suite.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { unseal } from '../../../protocol/seal/seal.js';
import type { SimCamera } from './camera.js';
import type { ObservedOwner } from './observed.js';
import { nameOf, type Made, type Oracle } from './oracle.js';
import { storeOf } from '../../support/outbox-store.js';
import { recordKey } from '../../../protocol/objects/ids.js';

/** Where every record that was made has ended up: produced = stored + queued + lost. */
export interface Balance {
  readonly produced: number;
  /** In the cloud, also where the camera still waits for the receipt. */
  readonly stored: number;
  /** Waiting at the camera, and not in the cloud. */
  readonly queued: number;
  readonly lost: number;
  /** Key records made, which begin periods. */
  readonly periods: number;
  /** Pictures and details in the cloud that their owner's keys opened. */
  readonly opened: number;
}

/** Everything declared lost: in signed records that were kept, or noted by a camera for its next record. */
class Losses {
  private readonly seqs = new Set<string>();
  private readonly media = new Set<string>();
  /** Erased at a release or a reset. */
  private readonly erased = new Set<string>();
  /** Cameras whose erased losses a later epoch counts: those of an epoch that had ended before. */
  private readonly counting = new Set<string>();
  /** Losses without a seq, among them records of a closed epoch, which a later epoch can only count. */
  counted = 0;

  /** Adds the losses that a record declares. */
  addDeclared({ device, epoch, loss }: AnyRecord): void {
    for (const { reason, seqs, media, count } of loss ?? []) {
      if (seqs !== undefined) this.range(toHex(device), epoch, seqs[0], seqs[1], reason === 'erased');
      for (const id of media ?? []) this.media.add(toHex(id));
      this.counted += count ?? 0;
      if (reason === 'erased' && count !== undefined) this.counting.add(toHex(device));
    }
  }

  /** Adds the losses that a camera has noted and not yet declared. */
  addPending({ agent, hex }: SimCamera): void {
    if (agent === null) return;
    const { queries } = storeOf(agent.outbox);
    for (const { epoch } of queries.epochs.all()) {
      for (const row of queries.pendingLosses.all(epoch, 1e6)) {
        if (row.from_seq !== null && row.to_seq !== null) this.range(hex, epoch, row.from_seq, row.to_seq);
        if (row.media_id !== null) this.media.add(toHex(new Uint8Array(row.media_id)));
        this.counted += row.count;
      }
    }
  }

  isErased(key: string): boolean {
    return this.erased.has(key);
  }

  /** Returns whether a record that is gone and not named may be one of those that its camera erased and counts. */
  mayBeErased(key: string, device: string): boolean {
    return this.isErased(key) || (this.counting.has(device) && !this.hasRecord(key));
  }

  hasRecord(key: string): boolean {
    return this.seqs.has(key);
  }

  hasMedia(id: Uint8Array): boolean {
    return this.media.has(toHex(id));
  }

  private range(device: string, epoch: number, from: number, to: number, isErased = false): void {
    for (let seq = from; seq <= to; seq++) {
      const key = recordKey({ device, epoch, seq });
      this.seqs.add(key);
      if (isErased) this.erased.add(key);
    }
  }
}

/**
 * Checks the end of a world: each record that was made is stored once under the right account, waits, or is declared lost, and
 * nothing else is stored.
 */
export async function settleAccounts(
  oracle: Oracle,
  store: CloudStore,
  cameras: readonly SimCamera[],
): Promise<Balance> {
  const stored = await readStore(oracle, store, cameras);
  const losses = new Losses();
  for (const camera of cameras) losses.addPending(camera);
  for (const [key, made] of oracle.made) if (stored.has(key) || waits(made)) losses.addDeclared(made.record.value);
  // The owner had everything erased, with the losses that those records declared; the tombstone names the records.
  for (const [key, made] of oracle.made)
    if (losses.isErased(key) && !stored.has(key)) losses.addDeclared(made.record.value);
  let queued = 0;
  let lost = 0;
  /** Records and pictures that no loss names: those of an epoch that had ended are only counted. */
  let unnamed = 0;
  let opened = 0;
  let example = '';
  for (const [key, made] of oracle.made) {
    if (waits(made)) {
      if (!stored.has(key)) queued++;
    } else if (stored.has(key)) {
      const found = await openPictures(oracle, store, losses, made);
      opened += found ?? 0;
      if (found !== null) continue;
      unnamed++;
      example = `a picture of ${made.camera.name}, ${nameOf(made.record.value)}`;
    } else if (losses.hasRecord(key)) lost++;
    else {
      lost++;
      unnamed++;
      example = `${made.camera.name}, ${nameOf(made.record.value)}`;
    }
  }
  if (unnamed > losses.counted) {
    oracle.fail(
      `${String(unnamed)} records are missing, with ${String(losses.counted)} counted as lost; one is ${example}`,
    );
  }
  const periods = [...oracle.made.values()].filter(({ record }) => record.value.kind === 'key').length;
  return { produced: oracle.made.size, stored: stored.size, queued, lost, periods, opened };
}

async function readStore(
  oracle: Oracle,
  store: CloudStore,
  cameras: readonly SimCamera[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const byDevice = new Map(cameras.map((camera) => [camera.hex, camera]));
  const lastId = await store.records.lastId();
  for (const [hex, { device }] of byDevice) {
    const epochs = new Set(
      [...oracle.made.values()].flatMap(({ record: { value } }) => (equal(value.device, device) ? [value.epoch] : [])),
    );
    for (const epoch of epochs) {
      for (const one of await store.records.page(device, epoch, 1e9, 1e6)) {
        const key = recordKey({ device: hex, epoch, seq: one.seq });
        found.add(key);
        await checkStored(oracle, store, one, oracle.made.get(key));
      }
    }
  }
  if (found.size !== lastId)
    oracle.fail(`${String(lastId)} records are stored, ${String(found.size)} of them where they belong`);
  return found;
}

async function checkStored(
  oracle: Oracle,
  store: CloudStore,
  stored: StoredRecord,
  made: Made | undefined,
): Promise<void> {
  if (made === undefined || !equal(made.record.bytes, stored.bytes)) {
    oracle.fail(`stored, but not made by a camera: ${String(stored.epoch)}/${String(stored.seq)}`);
    return;
  }
  const { value } = made.record;
  const row = await store.claims.row(value.device, value.epoch);
  const owner = oracle.ownerOf(value);
  if (owner === undefined || row === undefined || !equal(row.account, owner.account)) {
    oracle.fail(`${nameOf(value)} of ${made.camera.name} is bound to a wrong account`);
  }
}

/**
 * Opens the pictures of a stored record with the owner's key for its event, and returns how many there are; null if one is neither
 * there nor declared lost.
 */
async function openPictures(
  oracle: Oracle,
  store: CloudStore,
  losses: Losses,
  { camera, record }: Made,
): Promise<number | null> {
  const { device, account, epoch, claimHash, event, media } = record.value;
  const owner = oracle.ownerOf(record.value);
  let opened = 0;
  for (const { id, role } of media ?? []) {
    const found = await store.records.media(device, epoch, id);
    if (found === undefined) {
      // A record that was dropped before its receipt arrived was dropped with its picture.
      if (losses.hasMedia(id) || losses.hasRecord(recordKey(record.value))) continue;
      return null;
    }
    if (owner === undefined || event === undefined) continue;
    const context = { device, account, epoch, claimHash, eventId: event.id, mediaId: id };
    try {
      if (record.value.version === undefined) {
        unseal(simSuite, context, owner.keys, found.sealed);
        opened++;
      } else if (role === 'thumbnail' || role === 'detail') {
        const period = await periodOf(store, record.value, found.sealed.header, owner);
        if (period !== null) {
          period.open({ ...context, role }, found.sealed);
          opened++;
        } else if (!isKeyAccounted(oracle, losses, found.sealed.header)) {
          oracle.fail(`nobody can open ${nameOf(record.value)} of ${camera.name}: its key record is gone`);
        }
      }
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      oracle.fail(`${owner.name} cannot open ${nameOf(record.value)} of ${camera.name}: ${error.code}`);
    }
  }
  return opened;
}

/** Returns whether the key record of an object waits at its camera, or was erased with its ownership. */
function isKeyAccounted(oracle: Oracle, losses: Losses, header: Uint8Array): boolean {
  const { periodId } = decodeObjectHeader(header);
  return [...oracle.made].some(([name, made]) => {
    const { key } = made.record.value;
    return (
      key !== undefined && equal(key.periodId, periodId) && (waits(made) || losses.mayBeErased(name, made.camera.hex))
    );
  });
}

const periods = new Map<string, OpenedPeriod>();
const PERIODS_MAX = 1000;

/** Opens the period of an object, as the owner's page does: by its key record in the cloud. Null where that has not come. */
async function periodOf(
  store: CloudStore,
  { device, account, epoch, claimHash }: AnyRecord,
  header: Uint8Array,
  owner: ObservedOwner,
): Promise<OpenedPeriod | null> {
  const { periodId } = decodeObjectHeader(header);
  const name = toHex(periodId);
  const before = periods.get(name);
  if (before !== undefined) return before;
  const found = await store.records.keyRecord(device, epoch, periodId);
  if (found === undefined || found.sealed === null) return null;
  const { key } = openSigned(anyRecordKind, simSuite, found.record.bytes).value;
  if (key === undefined) return null;
  const opened = await openPeriod({
    suite: simSuite,
    context: { device, account, epoch, claimHash, periodId },
    commit: key.commit,
    body: found.sealed.body,
    recipients: 1,
    own: 0,
    decapsulate: (enc) => owner.kem.decapsulate(enc),
  });
  if (periods.size >= PERIODS_MAX) periods.clear();
  periods.set(name, opened);
  return opened;
}

function waits({ camera, record }: Made): boolean {
  const { epoch, seq } = record.value;
  const { agent } = camera;
  return agent !== null && storeOf(agent.outbox).queries.record.get(epoch, seq) !== undefined;
}

/** Returns the records made before a time that still wait for their receipt. */
export function waitingSince(oracle: Oracle, beforeMs: number): Made[] {
  return [...oracle.made.values()].filter((made) => made.atMs <= beforeMs && waits(made));
}
