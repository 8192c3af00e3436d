import { toBase64, toHex } from '../../common/bytes.js';
import * as v from '../../common/schema.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { PeriodAnswer } from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import { jsonSetting } from './json-setting.js';
import type { HistoryStorage } from './storage.js';

const SETTING = 'key-records';
/** A camera begins a period a day and at each start. Up to 12 kB each. */
const KEPT_MAX = 16;

const keptSchema = v.pipe(
  v.array(
    v.object({
      name: v.string(),
      id: v.int(),
      receivedAtMs: v.int(),
      record: v.base64Bytes,
      body: v.base64Bytes,
    }),
  ),
  v.maxLength(KEPT_MAX),
);
type Kept = v.InferOutput<typeof keptSchema>[number];

/**
 * Asks the cloud for the key record of a period once, and keeps it on this device: a notification comes while no page is open,
 * and often while there is no connection but that of the push service. What is kept is what the cloud hands out to everybody
 * of the household: it opens nothing without this person's own key, and is verified again whenever it is used.
 */
export class KeptKeyRecords {
  private readonly storage: HistoryStorage;
  private readonly client: Pick<CloudClient, 'keyRecord'>;
  private readonly fetched = new Map<string, PeriodAnswer>();

  constructor(storage: HistoryStorage, client: Pick<CloudClient, 'keyRecord'>) {
    this.storage = storage;
    this.client = client;
  }

  /** Returns the key record of a period and the body of its object, neither verified. @throws SealcamError as the client does */
  async keyRecord(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<PeriodAnswer> {
    const name = nameOf(device, epoch, periodId);
    const kept = (await this.all()).find((one) => one.name === name);
    if (kept !== undefined) {
      const { id, receivedAtMs, record, body } = kept;
      return { record: { id, receivedAtMs, record, media: [] }, body };
    }
    const answer = await this.client.keyRecord(device, epoch, periodId);
    this.fetched.set(name, answer);
    return answer;
  }

  /** Keeps what was fetched of a period, once it was verified and opened: what a cloud made up would be refused for ever. */
  async keep(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<void> {
    const name = nameOf(device, epoch, periodId);
    const answer = this.fetched.get(name);
    if (answer === undefined) return;
    this.fetched.delete(name);
    const { record, body } = answer;
    const kept: Kept = { name, id: record.id, receivedAtMs: record.receivedAtMs, record: record.record, body };
    const others = (await this.all()).filter((one) => one.name !== name);
    const all = [...others, kept].slice(-KEPT_MAX);
    const text = all.map((one) => ({ ...one, record: toBase64(one.record), body: toBase64(one.body) }));
    await this.storage.saveSetting(SETTING, JSON.stringify(text));
  }

  private async all(): Promise<readonly Kept[]> {
    return (await jsonSetting(this.storage, SETTING, keptSchema)) ?? [];
  }
}

function nameOf(device: Uint8Array, epoch: number, periodId: Uint8Array): string {
  return `${epochKey(device, epoch)}/${toHex(periodId)}`;
}
