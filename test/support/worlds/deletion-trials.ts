import { toHex } from '../../../common/bytes.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Deletion } from '../../../protocol/objects/deletion.js';
import type { Heads } from '../../../protocol/objects/heads.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { ApiWorld, DELETION_DELAY_MS, KEEPS_FOR_MS } from './api-world.js';
import { CameraWorld } from './camera-world.js';
import { scene } from './cloud-world.js';
import { deletionOf, DeletionWorld, headsOf, type StoreOpener } from './deletion-world.js';
import type { Stored } from './stored-event.js';

/** Trials of deletions, floors and heads, each with and without a mix-up; what each resolves with is for a table to show. */

type Owners = readonly [DeletionWorld, { readonly anna: Stored; readonly stranger: Stored }];

/** Two owners with an event each, over a database whose rows can be mixed up with plain SQL. */
async function owners(open: StoreOpener): Promise<Owners> {
  const world = await DeletionWorld.open(open);
  return [world, { anna: await world.owner(), stranger: await world.owner() }];
}

/** What is left of both owners' events once the delay is over and the clean-up timer ran, and how many alarms there were. */
async function afterErasing([world, { anna, stranger }]: Owners): Promise<string> {
  await world.eraseAfterDelay();
  const left = async (owner: Stored): Promise<string> => ((await world.isRecordThere(owner, 1)) ? 'kept' : 'gone');
  const alarms = String(world.api.counters.get('alarms'));
  return `own ${await left(anna)}, stranger's ${await left(stranger)}, ${alarms} alarms`;
}

/** Anna deletes her account; a row of the stranger is mixed up before, or between that and the erasing. */
export async function accountDeleted(open: StoreOpener, mixedUp: 'before' | 'between' | 'never'): Promise<string> {
  const all = await owners(open);
  const [world, { anna, stranger }] = all;
  const mixUp = (): Promise<void> =>
    world.sql('UPDATE claim SET account = {account} WHERE device = {device}', {
      account: anna.world.account,
      device: stranger.world.deviceId,
    });
  if (mixedUp === 'before') await mixUp();
  await world.deleteAccount(anna, deletionOf(anna, { fromSeq: 0 }));
  if (mixedUp === 'between') await mixUp();
  return afterErasing(all);
}

/** The row that marks Anna's account names the stranger's when its time comes. */
export async function accountMarkMixedUp(open: StoreOpener, isMixedUp: boolean): Promise<string> {
  const all = await owners(open);
  const [world, { anna, stranger }] = all;
  await world.deleteAccount(anna);
  if (isMixedUp) await world.sql('UPDATE account_deletion SET account = {other}', { other: stranger.world.account });
  const left = await afterErasing(all);
  const { world: other } = stranger;
  const token = await world.token(other.owner);
  const restored = await world.send('POST', '/v1/account/restore', token, { account: toHex(other.account) });
  return `${left}; the stranger restores: ${restored}`;
}

/** Anna deletes her event; before its time the row of the statement comes to name the stranger's camera. */
export async function statementMixedUp(open: StoreOpener, isMixedUp: boolean): Promise<string> {
  const all = await owners(open);
  const [world, { anna, stranger }] = all;
  await world.mark(anna.token, deletionOf(anna));
  const ids = { other: stranger.world.deviceId };
  if (isMixedUp) await world.sql('UPDATE deletion_statement SET device = {other}', ids);
  return afterErasing(all);
}

/** Anna deletes her event; before its time her row comes to hold the stranger's claim. */
export async function claimMixedUp(open: StoreOpener, isMixedUp: boolean): Promise<string> {
  const all = await owners(open);
  const [world, { anna, stranger }] = all;
  await world.mark(anna.token, deletionOf(anna));
  if (isMixedUp) {
    await world.sql('UPDATE claim SET claim = {claim}, claim_hash = {hash} WHERE device = {device}', {
      claim: stranger.claim.bytes,
      hash: stranger.claim.hash,
      device: anna.world.deviceId,
    });
  }
  return afterErasing(all);
}

/** The range of Anna's statement is stretched in its row, over a record that she did not delete. */
export async function rangeStretched(open: StoreOpener, isStretched: boolean): Promise<string> {
  const all = await owners(open);
  const [world, { anna }] = all;
  await world.mark(anna.token, deletionOf(anna));
  if (isStretched) await world.sql('UPDATE deletion_statement SET from_seq = 0', {});
  await world.eraseAfterDelay();
  const left = (await world.isRecordThere(anna, 0)) ? 'kept' : 'gone';
  const event = (await world.isRecordThere(anna, 1)) ? 'kept' : 'gone';
  return `accept ${left}, event ${event}, ${String(world.api.counters.get('alarms'))} alarms`;
}

/** How the cloud answers a statement about Anna's event, and how many records she is shown after it. */
export async function statementSent(
  make: (world: DeletionWorld, anna: Stored, member: Signer) => Promise<readonly [string, Verified<Deletion>]>,
): Promise<string> {
  const world = await DeletionWorld.open();
  const member = new CameraWorld().owner;
  const anna = await world.owner(member);
  const [token, statement] = await make(world, anna, member);
  const answer = await world.mark(token, statement);
  return `${answer}; ${await world.records(anna, anna.token)}`;
}

/** The camera has a second epoch under another claim; a statement for one names the claim of the other. */
export async function otherClaim(isRight: boolean): Promise<string> {
  const world = await DeletionWorld.open();
  const anna = await world.owner();
  const claim = anna.world.claim(2, anna.claim.hash);
  const accept = anna.world.record(claim, 0, claim.hash, { kind: 'accept' });
  await world.api.store.claims.accept(claim, accept, world.api.clock.wallMs());
  const range = { epoch: 2, fromSeq: 0, toSeq: 0, lastHash: accept.hash };
  const answer = await world.mark(anna.token, deletionOf(anna, isRight ? { ...range, claimHash: claim.hash } : range));
  return `${answer}; ${await world.records(anna, anna.token, 2)}`;
}

/** Who undoes Anna's deletion, and when. */
export async function undone(who: 'owner' | 'member' | 'too late'): Promise<string> {
  const world = await DeletionWorld.open();
  const member = new CameraWorld().owner;
  const anna = await world.owner(member);
  await world.mark(anna.token, deletionOf(anna));
  if (who === 'too late') world.api.clock.advance(DELETION_DELAY_MS);
  const token = await world.token(who === 'member' ? member : anna.world.owner);
  const answer = await world.undo(token, deletionOf(anna));
  return `${answer}; ${await world.records(anna, await world.token(anna.world.owner))}`;
}

/** What a member and a stranger are shown of a deleted account, marked or erased. */
export async function goneEpoch(
  open: StoreOpener,
  when: 'marked' | 'erased',
  reader: 'member' | 'stranger',
): Promise<string> {
  const world = await DeletionWorld.open(open);
  const member = new CameraWorld().owner;
  const anna = await world.owner(member);
  const stranger = await world.owner();
  await world.deleteAccount(anna, deletionOf(anna, { fromSeq: 0 }));
  if (when === 'erased') await world.eraseAfterDelay();
  return world.records(anna, await world.token(reader === 'member' ? member : stranger.world.owner));
}

/** What a reader of the erased epoch is shown whose statement lies in the row of another. */
export async function goneStatementMixedUp(open: StoreOpener, isMixedUp: boolean): Promise<string> {
  const [world, { anna, stranger }] = await owners(open);
  for (const owner of [anna, stranger]) await world.deleteAccount(owner, deletionOf(owner, { fromSeq: 0 }));
  await world.eraseAfterDelay();
  if (isMixedUp) {
    await world.sql('DELETE FROM deletion_statement WHERE device = {own}', { own: anna.world.deviceId });
    await world.sql('UPDATE deletion_statement SET device = {own}', { own: anna.world.deviceId });
  }
  const shown = await world.records(anna, await world.token(anna.world.owner));
  return `${shown}, ${String(world.api.counters.get('alarms'))} alarms`;
}

/** Retention over an epoch whose claim names this cloud's receipt keys, or those of another. */
export async function expired(open: StoreOpener, isOurs: boolean): Promise<string> {
  const world = await DeletionWorld.open(open);
  const { api } = world;
  const anna = await world.owner(null, new CameraWorld(isOurs ? { cloud: api.receiptSigner } : {}));
  await api.store.records.put(scene(anna.world, anna.claim, 2, anna.last.hash), [], api.clock.wallMs());
  api.clock.advance(KEEPS_FOR_MS + 1);
  await api.erasing.expire(api.clock.wallMs(), api.clock.wallMs(), 100);
  const left = (await world.isRecordThere(anna, 1)) ? 'kept' : 'gone';
  const floor = (await api.store.retention.floor(anna.world.deviceId, 1)) === undefined ? 'no floor' : 'a floor';
  return `${left}, ${floor}, ${String(api.counters.get('alarms'))} alarms`;
}

/** The floor that Anna is shown: her own, or the stranger's in her row. */
export async function floorShown(open: StoreOpener, isMixedUp: boolean): Promise<string> {
  const [world, { anna, stranger }] = await owners(open);
  const { api } = world;
  for (const { world: camera, claim, last } of [anna, stranger]) {
    await api.store.records.put(scene(camera, claim, 2, last.hash), [], api.clock.wallMs());
  }
  api.clock.advance(KEEPS_FOR_MS + 1);
  await api.erasing.expire(api.clock.wallMs(), api.clock.wallMs(), 100);
  if (isMixedUp) {
    await world.sql('DELETE FROM floor_statement WHERE device = {own}', { own: anna.world.deviceId });
    await world.sql('UPDATE floor_statement SET device = {own}', { own: anna.world.deviceId });
  }
  const { body } = await api.get(ApiWorld.recordsUrl(anna.world.deviceId), await world.token(anna.world.owner));
  const { floor } = body as { readonly floor: string | null };
  return `${floor === null ? 'no floor' : 'a floor'}, ${String(api.counters.get('alarms'))} alarms`;
}

/** How the cloud answers a statement of heads. */
export async function headsSent(
  make: (anna: Stored, other: Signer) => readonly [Signer, Verified<Heads>],
  before: (anna: Stored) => Verified<Heads> | null = () => null,
): Promise<string> {
  const world = await DeletionWorld.open();
  const anna = await world.owner();
  const first = before(anna);
  if (first !== null) await world.sendHeads(anna.token, first);
  const [session, heads] = make(anna, new CameraWorld().owner);
  return world.sendHeads(await world.token(session), heads);
}

/** How many statements a member of one of two cameras is shown that name both, or only the shared one. */
export async function headsRead(open: StoreOpener, namesBoth: boolean): Promise<string> {
  const world = await DeletionWorld.open(open);
  const member = new CameraWorld().owner;
  const shared = await world.owner(member);
  const { owner } = shared.world;
  const other = await world.owner(null, new CameraWorld({ owner, cloud: world.api.receiptSigner }));
  await world.sendHeads(shared.token, headsOf(owner, 1, namesBoth ? [shared, other] : [shared]));
  const { body } = await world.api.get('/v1/heads', await world.token(member));
  return `${String((body as { statements: readonly unknown[] }).statements.length)} statements`;
}

/** How many statements of others a table of members shows that lists a stranger by mistake. */
export async function headsReadBy(open: StoreOpener, isListed: boolean): Promise<string> {
  const [world, { anna, stranger }] = await owners(open);
  await world.sendHeads(anna.token, headsOf(anna.world.owner, 1, [anna]));
  if (isListed) {
    await world.sql('INSERT INTO member (key, device, epoch, account) VALUES ({key}, {device}, 1, {account})', {
      key: stranger.world.owner.publicKey,
      device: anna.world.deviceId,
      account: anna.claim.value.account,
    });
  }
  const { body } = await world.api.get('/v1/heads', stranger.token);
  const { length } = (body as { statements: readonly unknown[] }).statements;
  return `${String(length)} statements, ${String(world.api.counters.get('alarms'))} alarms`;
}
