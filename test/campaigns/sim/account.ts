import { equal } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { CloudStore, StoredRecord } from '../../../cloud/store/store.js';
import { simSuite } from './suite.js';
import { unseal } from '../../../protocol/seal/seal.js';
import type { SimCamera } from './camera.js';
import { segmentWaits, settleSegments, type SegmentBalance } from './segments.js';
import type { SimCloud } from './cloud.js';
import { Losses, waits } from './losses.js';
import { isKeyAccounted, periodOf } from './periods.js';
import { nameOf, type Made, type Oracle } from './oracle.js';
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
  readonly segments: SegmentBalance;
}

/**
 * Checks the end of a world: each record that was made is stored once under the right account, waits, or is declared lost, and
 * nothing else is stored.
 */
export async function settleAccounts(oracle: Oracle, cloud: SimCloud, cameras: readonly SimCamera[]): Promise<Balance> {
  const { store } = cloud;
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
  const segments = await settleSegments(oracle, cloud, losses, stored);
  unnamed += segments.unnamed.length;
  example = segments.unnamed[0] ?? example;
  if (unnamed > losses.counted) {
    oracle.fail(
      `${String(unnamed)} records, pictures or segments are missing, with ${String(losses.counted)} counted as lost; one is ${example}`,
    );
  }
  const periods = [...oracle.made.values()].filter(({ record }) => record.value.kind === 'key').length;
  return { produced: oracle.made.size, stored: stored.size, queued, lost, periods, opened, segments: segments.balance };
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

/** Returns what was made before a time and still waits: records for their receipt, or clip records for those of their bodies. */
export function waitingSince(oracle: Oracle, beforeMs: number): Made[] {
  const records = [...oracle.made.values()].filter((made) => made.atMs <= beforeMs && waits(made));
  const segments = [...oracle.segments.values()].filter(({ made }) => made.atMs <= beforeMs).filter(segmentWaits);
  return [...records, ...segments.map(({ made }) => made)];
}
