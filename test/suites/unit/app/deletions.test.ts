import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { fromBase64, toHex } from '../../../../common/bytes.js';
import { CloudClient } from '../../../../app/core/cloud-client.js';
import type { PageFetch } from '../../../../app/core/cloud-requests.js';
import { Deletions } from '../../../../app/core/deletions.js';
import { loadWholeEvent } from '../../../../app/core/timeline-reach.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { ownerKeys, recipientOf } from '../../../../app/core/owner-keys.js';
import type { CameraView, SessionView } from '../../../../app/core/session-view.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import type { TimelineEvent } from '../../../../app/core/timeline.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { deletionKind, type Deletion } from '../../../../protocol/objects/deletion.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const ORIGIN = 'https://cloud.example';
const ERASE_AT_MS = Date.UTC(2026, 11, 6);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: { readonly account?: string; readonly statements?: readonly string[] };
}

/** An owner with a camera of ten records, over a cloud that answers as the API does. */
async function owner() {
  const clock = new VirtualClock();
  const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
  const world = new CameraWorld({ owner: keys.signer });
  const claim = world.claim(1, null, { recipients: [recipientOf(keys)] });
  const records = world.chain(claim, 9);
  const history = new HistoryKeeper(nodeSuite, new MemoryStorage(), recipientOf(keys));
  await history.addClaim(claim.bytes);
  for (const { bytes } of records) await history.verifyAndApply(bytes, 1);
  const asked: Asked[] = [];
  let isDeleted = false;
  let isErased = false;
  let isStrict = false;
  const answers: Readonly<Record<string, () => unknown>> = {
    '/v1/session/challenge': () => ({ cloudOrigin: ORIGIN, nonce: 'ab'.repeat(32), expiresAtMs: clock.wallMs() }),
    '/v1/session': () => ({ token: 't', expiresAtMs: clock.wallMs() + 86_400_000 }),
    '/v1/deletions': () => ({ eraseAtMs: ERASE_AT_MS }),
    'GET /v1/account': () => ({ deletion: isDeleted ? { eraseAtMs: ERASE_AT_MS } : null }),
    'DELETE /v1/account': () => {
      isDeleted = true;
      return { eraseAtMs: ERASE_AT_MS };
    },
  };
  const fetch: PageFetch = (url, { method = 'GET', body }) => {
    const path = new URL(url).pathname;
    const text = typeof body === 'string' ? body : '{}';
    if (!path.startsWith('/v1/session')) asked.push({ method, path, body: JSON.parse(text) as Asked['body'] });
    const isUndo = path === '/v1/deletions/undo' || path === '/v1/account/restore';
    if (isUndo && isErased) {
      const error = { code: 'not-found', message: 'it is erased', hint: '' };
      return Promise.resolve(Response.json({ error }, { status: 404 }));
    }
    if (isUndo) {
      isDeleted = false;
      return Promise.resolve(new Response(null, { status: 204 }));
    }
    if (isStrict && method === 'DELETE' && !text.includes('"statements":[]')) {
      const error = { code: 'statement-refused', message: 'the last record of a range is not stored here', hint: '' };
      return Promise.resolve(Response.json({ error }, { status: 422 }));
    }
    return Promise.resolve(Response.json((answers[`${method} ${path}`] ?? answers[path])?.() ?? {}));
  };
  const options = { suite: nodeSuite, clock, keys, cloudOrigin: ORIGIN, pageOrigin: ORIGIN, fetch };
  const client = new CloudClient(options);
  const deletions = new Deletions({ suite: nodeSuite, clock, keys, client, history });
  const device = toHex(world.deviceId);
  const event = (...seqs: readonly number[]): TimelineEvent =>
    ({
      key: `event of ${seqs.join()}`,
      device,
      epoch: 1,
      records: seqs.map((seq) => ({ record: records[seq], receivedAtMs: 1 })),
    }) as unknown as TimelineEvent;
  return {
    keys,
    claim,
    records,
    asked,
    deletions,
    device,
    event,
    client,
    erase: () => (isErased = true),
    refuseStatements: () => (isStrict = true),
    camera: { device, epoch: 1, isOwned: true } as unknown as CameraView,
  };
}

function opened(asked: Asked | undefined): readonly Verified<Deletion>[] {
  return (asked?.body.statements ?? []).map((text) =>
    openSigned(deletionKind, nodeSuite, fromBase64(text) ?? new Uint8Array(0)),
  );
}

describe('an event that is deleted', () => {
  it('is named by a statement for each run of its records, signed by the owner', async () => {
    const { keys, claim, records, asked, deletions, event } = await owner();
    await deletions.deleteEvent(event(3, 4, 6));
    expect(asked.map(({ method, path }) => [method, path])).toEqual([['POST', '/v1/deletions']]);
    const statements = opened(asked[0]);
    expect(statements.map(({ value }) => [value.fromSeq, value.toSeq])).toEqual([
      [3, 4],
      [6, 6],
    ]);
    for (const { kid, value } of statements) {
      expect(kid).toEqual(keys.signer.publicKey);
      expect(value.claimHash).toEqual(claim.hash);
      expect(value.lastHash).toEqual(records[value.toSeq]?.hash);
    }
    expect(deletions.list()).toMatchObject([{ eraseAtMs: ERASE_AT_MS }]);
    expect([deletions.isDeleted(event(3, 4, 6)), deletions.isDeleted(event(5))]).toEqual([true, false]);
  });

  it('comes back by the same statements, until it is erased', async () => {
    const { asked, deletions, event, erase } = await owner();
    let changes = 0;
    deletions.subscribe(() => changes++);
    await deletions.deleteEvent(event(3, 4));
    const undo = async (): Promise<void> => {
      for (const deleted of deletions.list()) await deletions.undo(deleted);
    };
    await undo();
    expect(asked[1]).toEqual({ method: 'POST', path: '/v1/deletions/undo', body: asked[0]?.body });
    expect([deletions.list(), changes]).toEqual([[], 2]);
    await deletions.deleteEvent(event(3, 4));
    erase();
    expect(await asyncCodeOf(undo)).toBe('not-found');
    expect(deletions.isDeleted(event(3, 4))).toBe(true);
  });

  it('is sent in portions that the cloud takes', async () => {
    const { asked, deletions, event } = await owner();
    // Every second record, over and over: 70 runs.
    await deletions.deleteEvent(event(...Array.from({ length: 70 }, (_, i) => (i % 2 === 0 ? 2 : 4))));
    expect(asked.map(({ body }) => body.statements?.length)).toEqual([64, 6]);
  });

  it('must be of a camera that this person owns', async () => {
    const { asked, deletions, event } = await owner();
    const foreign = { ...event(3), device: 'ee'.repeat(32) };
    expect(await asyncCodeOf(() => deletions.deleteEvent(foreign))).toBe('not-found');
    expect(asked).toEqual([]);
  });
});

describe('an event whose beginning is not loaded', () => {
  /** A session in which each older page brings one record more of the event, until its first. */
  function sessionOf(revisions: number, hasOlder = true) {
    let lowest = revisions;
    let loads = 0;
    const view = (): SessionView => {
      const records = Array.from({ length: revisions - lowest + 1 }, (_, i) => ({
        record: { value: { event: { revision: lowest + i } } },
      }));
      const event = { key: 'e', device: 'd', epoch: 1, records };
      return { events: [event], cameras: [{ device: 'd', epoch: 1, hasOlder }] } as unknown as SessionView;
    };
    const loadOlder = (): Promise<void> => {
      loads++;
      lowest--;
      return Promise.resolve();
    };
    return { session: { view, loadOlder }, loads: () => loads };
  }
  const name = { key: 'e', device: 'd', epoch: 1 };

  it('is loaded whole before it is deleted', async () => {
    const { session, loads } = sessionOf(3);
    expect((await loadWholeEvent(session, name))?.records).toHaveLength(4);
    expect(loads()).toBe(3);
  });

  it('is left as it is where the cloud has no more, and loads no more pages than an event can take', async () => {
    const { session, loads } = sessionOf(3, false);
    expect((await loadWholeEvent(session, name))?.records).toHaveLength(1);
    expect(loads()).toBe(0);
    const endless = sessionOf(1000);
    await loadWholeEvent(endless.session, name);
    expect(endless.loads()).toBe(10);
    expect(await loadWholeEvent(session, { ...name, key: 'gone' })).toBeNull();
  });
});

describe('an account that is deleted', () => {
  it('is named with a statement for each ownership, and comes back until it is erased', async () => {
    const { keys, records, asked, deletions, camera, erase } = await owner();
    await deletions.refreshAccount();
    expect(deletions.accountErasedAtMs).toBeNull();
    const shared = { ...camera, isOwned: false };
    const unseen = { ...camera, epoch: 2 };
    await deletions.deleteAccount([camera, shared, unseen]);
    const sent = asked.find(({ method }) => method === 'DELETE');
    expect(sent).toMatchObject({ method: 'DELETE', path: '/v1/account', body: { account: toHex(keys.account) } });
    expect(opened(sent).map(({ value }) => [value.epoch, value.fromSeq, value.toSeq])).toEqual([[1, 0, 9]]);
    expect(opened(sent)[0]?.value.lastHash).toEqual(records[9]?.hash);
    expect(deletions.accountErasedAtMs).toBe(ERASE_AT_MS);
    await deletions.restoreAccount();
    expect(asked.at(-1)).toMatchObject({ path: '/v1/account/restore', body: { account: toHex(keys.account) } });
    expect(deletions.accountErasedAtMs).toBeNull();
    await deletions.deleteAccount([camera]);
    erase();
    expect(await asyncCodeOf(() => deletions.restoreAccount())).toBe('not-found');
    expect(deletions.accountErasedAtMs).toBe(ERASE_AT_MS);
  });

  it('goes without statements where the cloud cannot match them', async () => {
    const { asked, deletions, camera, refuseStatements } = await owner();
    refuseStatements();
    await deletions.deleteAccount([camera]);
    const sent = asked.filter(({ method }) => method === 'DELETE');
    expect(sent.map(({ body }) => body.statements?.length)).toEqual([1, 0]);
    expect(deletions.accountErasedAtMs).toBe(ERASE_AT_MS);
  });

  it('is noticed by another page of its owner, and by none over a cloud that says nothing of it', async () => {
    const { client, deletions } = await owner();
    await client.deleteAccount([]);
    let changes = 0;
    const unsubscribe = deletions.subscribe(() => changes++);
    await deletions.refreshAccount();
    await deletions.refreshAccount();
    expect([deletions.accountErasedAtMs, changes]).toEqual([ERASE_AT_MS, 1]);
    client.account = () => Promise.reject(new Error('no such route'));
    await deletions.refreshAccount();
    expect(deletions.accountErasedAtMs).toBe(ERASE_AT_MS);
    unsubscribe();
  });
});
