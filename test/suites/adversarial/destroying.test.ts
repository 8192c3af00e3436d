import { afterAll, beforeAll } from 'vitest';
import { toBase64, toHex } from '../../../common/bytes.js';
import type { ClaimRow, CloudStore } from '../../../cloud/store/store.js';
import { attacks } from '../../support/attack.js';
import { postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { ApiWorld } from '../../support/worlds/api-world.js';
import {
  accountDeleted,
  accountMarkMixedUp,
  claimMixedUp,
  expired,
  floorShown,
  goneEpoch,
  goneStatementMixedUp,
  headsRead,
  headsReadBy,
  headsSent,
  otherClaim,
  rangeStretched,
  statementMixedUp,
  statementSent,
  undone,
} from '../../support/worlds/deletion-trials.js';
import { deletionOf, headsOf, onPostgres, onSqlite, type StoreOpener } from '../../support/worlds/deletion-world.js';
import { listOf } from '../../support/worlds/maker-list-world.js';
import { stored, type Stored } from '../../support/worlds/stored-event.js';
import { withRows } from '../../support/worlds/wrong-rows.js';

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
    ...withRows(real, async (device, epoch) => {
      const row = await real.claims.row(device, epoch);
      return row === undefined ? undefined : crossed(row);
    }),
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

let server: TestPostgres;

/** Runs a trial over both stores; they must agree. */
async function onBothStores(trial: (open: StoreOpener) => Promise<string>): Promise<string> {
  const [sqlite, postgresql] = [await trial(onSqlite), await trial(onPostgres(() => server))];
  return sqlite === postgresql ? sqlite : `SQLite: ${sqlite}; PostgreSQL: ${postgresql}`;
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

/** Whether a row that names the wrong account makes a stranger's camera offer itself. */
async function offerRequested(isMixedUp: boolean): Promise<string> {
  let mixedUpWith: Uint8Array | null = null;
  const api = await ApiWorld.open((real) => ({
    ...real,
    claims: {
      ...real.claims,
      latest: async (device) => {
        const row = await real.claims.latest(device);
        return row === undefined ? undefined : { ...row, account: mixedUpWith ?? row.account };
      },
    },
  }));
  const anna = await stored(api);
  if (isMixedUp) mixedUpWith = anna.claim.value.account;
  const stranger = await stored(api);
  const { token } = await api.session(anna.world.owner);
  const device = toHex((isMixedUp ? stranger : anna).world.deviceId);
  const headers = { authorization: `Bearer ${token}` };
  await api.app.inject({ method: 'POST', url: `/v1/devices/${device}/offer-request`, headers });
  return `${api.sentDown.length === 0 ? 'not sent' : 'sent'}, ${String(api.counters.get('alarms'))} alarms`;
}

describeWith('postgres', 'attacks: destroying', () => {
  beforeAll(async () => {
    server = postgres(keptFolder());
    await server.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  attacks('destroying', 'What cannot be undone, over a mixed-up row', [
    {
      name: "an account is deleted while a stranger's row names it",
      expected: "own gone, stranger's kept, 2 alarms",
      observed: () => onBothStores((open) => accountDeleted(open, 'before')),
      control: {
        name: 'no row mixed up',
        expected: "own gone, stranger's kept, 0 alarms",
        observed: () => onBothStores((open) => accountDeleted(open, 'never')),
      },
    },
    {
      name: "a stranger's row comes to name a deleted account before it is erased",
      expected: "own gone, stranger's kept, 1 alarms",
      observed: () => onBothStores((open) => accountDeleted(open, 'between')),
      control: {
        name: 'no row mixed up',
        expected: "own gone, stranger's kept, 0 alarms",
        observed: () => onBothStores((open) => accountDeleted(open, 'never')),
      },
    },
    {
      name: 'the mark of a deleted account comes to name another account before it is erased',
      expected: "own kept, stranger's kept, 1 alarms; the stranger restores: 204",
      observed: () => onBothStores((open) => accountMarkMixedUp(open, true)),
      control: {
        name: 'as it was marked',
        expected: "own gone, stranger's kept, 0 alarms; the stranger restores: not-found",
        observed: () => onBothStores((open) => accountMarkMixedUp(open, false)),
      },
    },
    {
      name: "an owner's statement of deletion comes to lie in the row of a stranger's camera before it is erased",
      expected: "own kept, stranger's kept, 1 alarms",
      observed: () => onBothStores((open) => statementMixedUp(open, true)),
      control: {
        name: 'in its own row',
        expected: "own gone, stranger's kept, 0 alarms",
        observed: () => onBothStores((open) => statementMixedUp(open, false)),
      },
    },
    {
      name: 'the row of a deleted event comes to hold the claim of another before it is erased',
      expected: "own kept, stranger's kept, 1 alarms",
      observed: () => onBothStores((open) => claimMixedUp(open, true)),
      control: {
        name: 'its own claim',
        expected: "own gone, stranger's kept, 0 alarms",
        observed: () => onBothStores((open) => claimMixedUp(open, false)),
      },
    },
    {
      name: 'the range of a statement of deletion is stretched in its row before it is erased',
      expected: 'accept kept, event kept, 1 alarms',
      observed: () => onBothStores((open) => rangeStretched(open, true)),
      control: {
        name: 'the range that is signed',
        expected: 'accept kept, event gone, 0 alarms',
        observed: () => onBothStores((open) => rangeStretched(open, false)),
      },
    },
    {
      name: "a member's statement of deletion",
      expected: 'foreign; 2 records, 0 statements',
      observed: () =>
        statementSent(async (world, anna, member) => [await world.token(member), deletionOf(anna, {}, member)]),
      control: {
        name: "the owner's",
        expected: '200; 1 records, 1 statements',
        observed: () => statementSent((_, anna) => Promise.resolve([anna.token, deletionOf(anna)])),
      },
    },
    {
      name: "an owner's statement of deletion sent by somebody else",
      expected: 'foreign; 2 records, 0 statements',
      observed: () => statementSent(async (world, anna, member) => [await world.token(member), deletionOf(anna)]),
      control: {
        name: 'by the owner',
        expected: '200; 1 records, 1 statements',
        observed: () => statementSent((_, anna) => Promise.resolve([anna.token, deletionOf(anna)])),
      },
    },
    {
      name: 'a statement of deletion for one epoch under the claim of another',
      expected: 'foreign; 1 records, 0 statements',
      observed: () => otherClaim(false),
      control: {
        name: 'under its own claim',
        expected: '200; 0 records, 1 statements',
        observed: () => otherClaim(true),
      },
    },
    {
      name: 'a statement of deletion that names another record as the last',
      expected: 'statement-refused; 2 records, 0 statements',
      observed: () =>
        statementSent((_, anna) => Promise.resolve([anna.token, deletionOf(anna, { lastHash: anna.claim.hash })])),
      control: {
        name: 'the record that is stored',
        expected: '200; 1 records, 1 statements',
        observed: () => statementSent((_, anna) => Promise.resolve([anna.token, deletionOf(anna)])),
      },
    },
    {
      name: "a member undoes an owner's deletion",
      expected: 'foreign; 1 records, 1 statements',
      observed: () => undone('member'),
      control: { name: 'the owner does', expected: '204; 2 records, 0 statements', observed: () => undone('owner') },
    },
    {
      name: 'a deletion is undone when its time has come',
      expected: 'not-found; 1 records, 1 statements',
      observed: () => undone('too late'),
      control: { name: 'before', expected: '204; 2 records, 0 statements', observed: () => undone('owner') },
    },
    {
      name: 'a stranger asks for what is left of a deleted account that is not erased yet',
      expected: 'not-found',
      observed: () => onBothStores((open) => goneEpoch(open, 'marked', 'stranger')),
      control: {
        name: 'a member',
        expected: '0 records, 1 statements',
        observed: () => onBothStores((open) => goneEpoch(open, 'marked', 'member')),
      },
    },
    {
      name: 'a stranger asks for what is left of an erased account',
      expected: 'not-found',
      observed: () => onBothStores((open) => goneEpoch(open, 'erased', 'stranger')),
      control: {
        name: 'a member',
        expected: '0 records, 1 statements',
        observed: () => onBothStores((open) => goneEpoch(open, 'erased', 'member')),
      },
    },
    {
      name: 'the statement about an erased epoch lies in the row of another one',
      expected: 'not-found, 1 alarms',
      observed: () => onBothStores((open) => goneStatementMixedUp(open, true)),
      control: {
        name: 'in its own row',
        expected: '0 records, 1 statements, 0 alarms',
        observed: () => onBothStores((open) => goneStatementMixedUp(open, false)),
      },
    },
    {
      name: 'retention over an epoch whose claim names no receipt key of this cloud',
      expected: 'kept, no floor, 1 alarms',
      observed: () => onBothStores((open) => expired(open, false)),
      control: {
        name: 'a key of this cloud',
        expected: 'gone, a floor, 0 alarms',
        observed: () => onBothStores((open) => expired(open, true)),
      },
    },
    {
      name: "a floor that lies in the row of a stranger's epoch",
      expected: 'no floor, 1 alarms',
      observed: () => onBothStores((open) => floorShown(open, true)),
      control: {
        name: 'in its own row',
        expected: 'a floor, 0 alarms',
        observed: () => onBothStores((open) => floorShown(open, false)),
      },
    },
    {
      name: 'heads that somebody else signed',
      expected: 'foreign',
      observed: () => headsSent((anna, other) => [anna.world.owner, headsOf(other, 1, [anna])]),
      control: {
        name: 'signed by the key of the session',
        expected: '204',
        observed: () => headsSent((anna) => [anna.world.owner, headsOf(anna.world.owner, 1, [anna])]),
      },
    },
    {
      name: 'heads with the counter of the last ones, or a lower one',
      expected: 'statement-refused',
      observed: () =>
        headsSent(
          (anna) => [anna.world.owner, headsOf(anna.world.owner, 6, [anna])],
          (anna) => headsOf(anna.world.owner, 7, [anna]),
        ),
      control: {
        name: 'a higher one',
        expected: '204',
        observed: () =>
          headsSent(
            (anna) => [anna.world.owner, headsOf(anna.world.owner, 8, [anna])],
            (anna) => headsOf(anna.world.owner, 7, [anna]),
          ),
      },
    },
    {
      name: 'heads of a key that reads no camera, to fill the table',
      expected: 'foreign',
      observed: () => headsSent((_, other) => [other, headsOf(other, 1, [])]),
      control: {
        name: 'of a key that reads one',
        expected: '204',
        observed: () => headsSent((anna) => [anna.world.owner, headsOf(anna.world.owner, 1, [])]),
      },
    },
    {
      name: 'heads that name an epoch beside one that the reader may read',
      expected: '0 statements',
      observed: () => onBothStores((open) => headsRead(open, true)),
      control: {
        name: 'the shared epoch alone',
        expected: '1 statements',
        observed: () => onBothStores((open) => headsRead(open, false)),
      },
    },
    {
      name: 'heads read by a stranger whom the table of members lists by mistake',
      expected: '0 statements, 1 alarms',
      observed: () => onBothStores((open) => headsReadBy(open, true)),
      control: {
        name: 'who is not listed',
        expected: '0 statements, 0 alarms',
        observed: () => onBothStores((open) => headsReadBy(open, false)),
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
      name: "an offer requested of a stranger's camera whose row names one's own account by mistake",
      expected: 'not sent, 1 alarms',
      observed: () => offerRequested(true),
      control: { name: "of one's own camera", expected: 'sent, 0 alarms', observed: () => offerRequested(false) },
    },
  ]);
});
