import { afterAll, beforeAll } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import { bySignedClaim } from '../../../cloud/cli/signed-summaries.js';
import { STORE_KINDS, type StoreKind } from '../../../cloud/store/kinds.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { attacks } from '../../support/attack.js';
import { BothStores } from '../../support/engines/both-stores.js';
import { describeWith } from '../../support/engines/tools.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import { stored, type Stored } from '../../support/worlds/stored-event.js';

const stores = new BothStores();

interface Trial {
  readonly api: ApiWorld;
  readonly anna: Stored;
  readonly stranger: Stored;
}

/** Two owners with an event each, and a line in the access log of each. */
async function twoOwners(kind: StoreKind): Promise<Trial> {
  const api = await ApiWorld.open((real) => real, {}, await stores.open(kind));
  const [anna, stranger] = [await stored(api), await stored(api)];
  for (const { world, token } of [anna, stranger]) await api.get(ApiWorld.recordsUrl(world.deviceId), token);
  return { api, anna, stranger };
}

/** From now on the stranger's row names Anna's account. `isDeleted`: as if that account had been deleted. */
async function mixUp({ api, anna, stranger }: Trial, isDeleted = false): Promise<void> {
  const values = `account = x'${toHex(anna.world.account)}'${isDeleted ? ', claim = NULL' : ''}`;
  await stores.change(api.store, `UPDATE claim SET ${values} WHERE device = x'${toHex(stranger.world.deviceId)}'`);
}

/** What Anna's export holds of her own and of the stranger; `isChecked: false` is what the columns alone would give her. */
async function exported(kind: StoreKind, isDeleted: boolean, isChecked: boolean): Promise<string> {
  const trial = await twoOwners(kind);
  const { api, anna, stranger } = trial;
  await mixUp(trial, isDeleted);
  const devices: string[] = [];
  if (isChecked) {
    const { raw } = await api.get('/v1/account/export', anna.token);
    for (const line of raw.toString('utf8').trim().split('\n')) devices.push(deviceOf(JSON.parse(line) as ExportLine));
  } else {
    for await (const item of api.store.accounts.export(anna.world.account)) {
      if (item.type !== 'claim') devices.push(toHex(item.type === 'record' ? item.record.device : item.entry.device));
    }
  }
  const lines = ({ world }: Stored): number => devices.filter((device) => device === toHex(world.deviceId)).length;
  const alarms = (await api.store.alarms.since(0, 99)).length;
  // Two records, the line of the read before, and in the export itself lines for what it shows.
  return `own ${lines(anna) >= 3 ? 'whole' : 'missing'}, stranger's ${lines(stranger) > 0 ? 'shown' : 'not shown'}, ${alarms > 0 ? 'alarm' : 'no alarm'}`;
}

interface ExportLine {
  readonly device?: string;
  readonly record?: string;
}

function deviceOf({ device, record }: ExportLine): string {
  if (record === undefined) return device ?? '';
  return toHex(openSigned(anyRecordKind, nodeSuite, new Uint8Array(Buffer.from(record, 'base64'))).value.device);
}

/** As whom the operator's `affected` names Anna, who was shown the stranger's camera in a mix-up. */
async function named(kind: StoreKind, isMixedUp: boolean): Promise<string> {
  const trial = await twoOwners(kind);
  const { api, anna, stranger } = trial;
  const { deviceId } = (isMixedUp ? stranger : anna).world;
  if (isMixedUp) await mixUp(trial);
  const line = { atMs: 5, reader: anna.world.owner.publicKey, device: deviceId, epoch: 1, what: 'media' } as const;
  await api.store.access.append([{ ...line, fromSeq: 1, toSeq: 1, mediaId: null }]);
  const byColumns = await api.store.access.affected(deviceId, 0, 10);
  const [found] = await bySignedClaim(api.store, byColumns, 10);
  const alarms = (await api.store.alarms.since(0, 99)).length;
  return `${found?.relation ?? 'nobody'} (by the columns ${byColumns[0]?.relation ?? 'nobody'}), ${String(alarms)} alarms`;
}

describeWith('postgres', 'revealing', () => {
  beforeAll(() => stores.start());
  afterAll(() => stores.stop());

  attacks('revealing', 'What is shown, over a mixed-up row', [
    ...STORE_KINDS.map((kind) => ({
      name: `an account is exported while a stranger's row names it (${kind})`,
      expected: "own whole, stranger's not shown, alarm",
      observed: () => exported(kind, false, true),
      control: {
        name: 'by the columns alone',
        expected: "own whole, stranger's shown, no alarm",
        observed: () => exported(kind, false, false),
      },
    })),
    ...STORE_KINDS.map((kind) => ({
      name: `the same with a stranger's row whose claim is gone, and whose records and access log are not (${kind})`,
      expected: "own whole, stranger's not shown, no alarm",
      observed: () => exported(kind, true, true),
      control: {
        name: 'by the columns alone',
        expected: "own whole, stranger's shown, no alarm",
        observed: () => exported(kind, true, false),
      },
    })),
    ...STORE_KINDS.map((kind) => ({
      name: `the operator asks who was affected while the row makes a stranger the owner (${kind})`,
      expected: 'neither (by the columns owner), 1 alarms',
      observed: () => named(kind, true),
      control: {
        name: 'no row mixed up',
        expected: 'owner (by the columns owner), 0 alarms',
        observed: () => named(kind, false),
      },
    })),
  ]);
});
