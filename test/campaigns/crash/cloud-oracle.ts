import { toHex } from '../../../common/bytes.js';
import { asSealcamError } from '../../../common/errors.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { floorKind } from '../../../protocol/objects/floor.js';
import { placeKey } from '../../../protocol/objects/ids.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openCloudStore, type StorePlace } from './cloud-store.js';
import { NOTHING, type Verdict } from './oracle.js';
import { openAll, type RecordWithObjects } from './sealing.js';
import { cameraOf, type Line } from './world.js';

/**
 * Opens the store of a cloud and compares it with what was reported. What is not there any longer is explained by the floor, or by
 * a range that its owner deleted; every picture that is there can be opened with the key records that the store serves.
 */
export async function judgeCloud(
  where: StorePlace & { readonly seed: number },
  lines: readonly Line[],
): Promise<Verdict> {
  const reported = lines.filter((line) => line.is === 'record');
  let store: CloudStore;
  try {
    store = await openCloudStore(where);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    return { ...NOTHING, lost: reported.map(placeKey), wrong: [`not opened: ${code}, ${message}`] };
  }
  try {
    return await verdictOf(store, where.seed, lines);
  } finally {
    await store.close();
  }
}

async function verdictOf(store: CloudStore, seed: number, lines: readonly Line[]): Promise<Verdict> {
  const camera = cameraOf(seed);
  const { deviceId } = camera;
  const stored = new Map<number, RecordWithObjects & { readonly hash: string }>();
  const duplicated: string[] = [];
  for await (const item of store.accounts.export(camera.account)) {
    if (item.type !== 'record') continue;
    const { value, hash } = openSigned(anyRecordKind, nodeSuite, item.record.bytes);
    if (stored.has(value.seq)) duplicated.push(placeKey(value));
    stored.set(value.seq, { record: value, objects: item.media.map(({ sealed }) => sealed), hash: toHex(hash) });
  }
  const statement = await store.retention.floor(deviceId, 1);
  const floor = statement === undefined ? 0 : openSigned(floorKind, nodeSuite, statement).value.belowSeq;
  const deleted = lines.filter((line) => line.is === 'deleted');
  const lost: string[] = [];
  const wrong: string[] = [];
  let dropped = 0;
  const records = lines.filter((line) => line.is === 'record');
  for (const { seq, hash, epoch } of records) {
    const found = stored.get(seq);
    const isExplained = seq < floor || deleted.some(({ from, to }) => from <= seq && seq <= to);
    if (found === undefined && !isExplained) lost.push(placeKey({ epoch, seq }));
    else if (found === undefined) dropped++;
    else if (found.hash !== hash) wrong.push(`${placeKey({ epoch, seq })} is another record`);
  }
  const here = [...stored.values()];
  for (const { record, objects } of here) {
    if (objects.length < (record.media?.length ?? 0)) wrong.push(`${placeKey(record)} has lost its object`);
  }
  const openable = await openAll(camera, [...(await keyRecords(store, deviceId, here)), ...here.filter(isNoKey)]);
  wrong.push(...openable.unopenable.map((place) => `${place} has a picture that nobody can open`));
  const newest = here.at(-1);
  const isBetween = newest?.record.kind === 'key';
  return { committed: records.length, lost, duplicated, dropped, bound: 0, openable, isBetween, wrong };
}

function isNoKey({ record }: RecordWithObjects): boolean {
  return record.kind !== 'key';
}

/** Returns the key records of the periods that the pictures name, as the store serves them to their readers. */
async function keyRecords(
  store: CloudStore,
  device: Uint8Array,
  here: readonly RecordWithObjects[],
): Promise<RecordWithObjects[]> {
  const ids = new Map<string, Uint8Array>();
  for (const { objects } of here.filter(isNoKey)) {
    for (const object of objects) {
      if (object === null) continue;
      const { periodId } = decodeObjectHeader(object.header);
      ids.set(toHex(periodId), periodId);
    }
  }
  const found: RecordWithObjects[] = [];
  for (const periodId of ids.values()) {
    const served = await store.records.keyRecord(device, 1, periodId);
    if (served === undefined) continue;
    const record: AnyRecord = openSigned(anyRecordKind, nodeSuite, served.record.bytes).value;
    found.push({ record, objects: [served.sealed] });
  }
  return found;
}
