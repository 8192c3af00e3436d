import { toBase64, toHex } from '../../../common/bytes.js';
import type { ClaimRow, CloudStore } from '../../../cloud/store/store.js';
import { attacks } from '../../support/attack.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import { listOf } from '../../support/worlds/maker-list-world.js';
import { stored, type Stored } from '../../support/worlds/stored-event.js';

interface Trial {
  readonly api: ApiWorld;
  readonly anna: Stored;
  readonly stranger: Stored;
  /** From now on the stranger's row names Anna's account, in every answer of the store. */
  readonly mixUp: () => void;
}

/** Two owners with an event each, over a store whose row of the stranger can be mixed up. */
async function twoOwners(): Promise<Trial> {
  let mixed: { readonly device: Uint8Array; readonly account: Uint8Array } | null = null;
  const crossed = (row: ClaimRow): ClaimRow =>
    mixed !== null && toHex(row.device) === toHex(mixed.device) ? { ...row, account: mixed.account } : row;
  const wrap = (real: CloudStore): CloudStore => ({
    ...real,
    claims: {
      ...real.claims,
      row: async (device, epoch) => {
        const row = await real.claims.row(device, epoch);
        return row === undefined ? undefined : crossed(row);
      },
    },
    accounts: {
      ...real.accounts,
      claims: async (account) => {
        const rows = [...(await real.accounts.claims(account))];
        const other = mixed === null ? undefined : await real.claims.row(mixed.device, 1);
        return other === undefined ? rows : [...rows, crossed(other)];
      },
    },
    revocations: {
      ...real.revocations,
      // The column of the mixed-up row says that the epoch is Anna's, so the store has nothing against the list.
      put: (list, atMs) => (mixed === null ? real.revocations.put(list, atMs) : Promise.resolve('stored' as const)),
    },
  });
  const api = await ApiWorld.open(wrap);
  const anna = await stored(api);
  const stranger = await stored(api);
  const mixUp = (): void => {
    mixed = { device: stranger.world.deviceId, account: anna.world.account };
  };
  return { api, anna, stranger, mixUp };
}

async function recordsLeft(api: ApiWorld, { deviceId }: CameraWorld): Promise<number> {
  return (await api.store.records.page(deviceId, 1, 1e9, 10)).length;
}

/** What is left of both owners' records after Anna deleted her account. */
async function afterDeletion(isMixedUp: boolean): Promise<string> {
  const { api, anna, stranger, mixUp } = await twoOwners();
  if (isMixedUp) mixUp();
  const { token } = await api.session(anna.world.owner);
  await api.app.inject({
    method: 'DELETE',
    url: '/v1/account',
    headers: { authorization: `Bearer ${token}` },
    payload: { account: toHex(anna.world.account) },
  });
  const own = await recordsLeft(api, anna.world);
  const others = await recordsLeft(api, stranger.world);
  const alarms = api.counters.get('alarms');
  return `own ${own === 0 ? 'gone' : 'kept'}, stranger's ${others === 0 ? 'gone' : 'kept'}, ${String(alarms)} alarms`;
}

/** How the cloud answers a list that names the stranger's epoch, or Anna's own. */
async function revoked(isMixedUp: boolean): Promise<string> {
  const { api, anna, stranger, mixUp } = await twoOwners();
  if (isMixedUp) mixUp();
  const { token } = await api.session(anna.world.owner);
  const { deviceId } = isMixedUp ? stranger.world : anna.world;
  const list = listOf(anna.world.owner, { scope: 'owner', entries: [{ device: deviceId, epoch: 1 }] });
  const headers = { authorization: `Bearer ${token}` };
  const payload = { list: toBase64(list.bytes) };
  const answer = await api.app.inject({ method: 'POST', url: '/v1/revocations', headers, payload });
  const alarms = api.counters.get('alarms');
  return `${answer.statusCode === 200 ? 'accepted' : answer.json<{ error: { code: string } }>().error.code}, ${String(alarms)} alarms`;
}

/** How many lines of a stranger's access log, and how many of one's own, a mixed-up table of members shows. */
async function accessShown(isMixedUp: boolean): Promise<string> {
  const mixed = (real: CloudStore, other: () => Uint8Array): CloudStore => ({
    ...real,
    access: { ...real.access, ofReadable: (_, limit) => real.access.ofReadable(other(), limit) },
  });
  let asked: Uint8Array = new Uint8Array(32);
  const api = await ApiWorld.open((real) => mixed(real, () => asked));
  const anna = await stored(api);
  const stranger = await stored(api);
  for (const { world } of [anna, stranger]) {
    const { token } = await api.session(world.owner);
    await api.get(ApiWorld.recordsUrl(world.deviceId), token);
  }
  asked = (isMixedUp ? stranger : anna).world.owner.publicKey;
  const { token } = await api.session(anna.world.owner);
  const { entries } = (await api.get('/v1/access', token)).body as { readonly entries: readonly unknown[] };
  return `${entries.length === 0 ? 'no line' : 'lines'}, ${String(api.counters.get('alarms'))} alarms`;
}

/** Whether a key that the table of members lists by mistake makes a stranger's camera offer itself. */
async function offerRequested(isMixedUp: boolean): Promise<string> {
  const api = await ApiWorld.open((real) => ({
    ...real,
    claims: { ...real.claims, isMember: () => Promise.resolve(true) },
  }));
  const anna = await stored(api);
  const stranger = await stored(api);
  const { token } = await api.session(anna.world.owner);
  const device = toHex((isMixedUp ? stranger : anna).world.deviceId);
  const headers = { authorization: `Bearer ${token}` };
  await api.app.inject({ method: 'POST', url: `/v1/devices/${device}/offer-request`, headers });
  return `${api.sentDown.length === 0 ? 'not sent' : 'sent'}, ${String(api.counters.get('alarms'))} alarms`;
}

attacks('destroying', 'What cannot be undone, over a mixed-up row', [
  {
    name: "an account is deleted while a stranger's row names it",
    expected: "own gone, stranger's kept, 1 alarms",
    observed: () => afterDeletion(true),
    control: {
      name: 'no row mixed up',
      expected: "own gone, stranger's kept, 0 alarms",
      observed: () => afterDeletion(false),
    },
  },
  {
    name: "an owner's list revokes a stranger's epoch whose row names the owner's account",
    expected: 'foreign, 1 alarms',
    observed: () => revoked(true),
    control: { name: "the owner's own epoch", expected: 'accepted, 0 alarms', observed: () => revoked(false) },
  },
  {
    name: "the access log read over a table of members that answers with a stranger's",
    expected: 'no line, 1 alarms',
    observed: () => accessShown(true),
    control: { name: "the reader's own", expected: 'lines, 0 alarms', observed: () => accessShown(false) },
  },
  {
    name: "an offer requested of a stranger's camera that the table of members lists by mistake",
    expected: 'not sent, 1 alarms',
    observed: () => offerRequested(true),
    control: { name: "of one's own camera", expected: 'sent, 0 alarms', observed: () => offerRequested(false) },
  },
]);
