import { describe, expect, it } from 'vitest';
import { toBase64, toHex } from '../../../../common/bytes.js';
import { HEALTH, scene } from '../../../support/worlds/cloud-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { deletionOf, DeletionWorld } from '../../../support/worlds/deletion-world.js';
import { DELETION_DELAY_MS, KEEPS_FOR_MS } from '../../../support/worlds/api-world.js';
import { mediaUrl } from '../../../support/worlds/stored-event.js';

describe('deleting a range of records', () => {
  it('hides it at once in pages, media, health and export, and shows it again when undone', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const own = await world.owner();
    const health = own.world.record(own.claim, 2, own.last.hash, { kind: 'health', health: HEALTH });
    await api.store.records.put(health, [], api.clock.wallMs());
    const both = deletionOf(own, { fromSeq: 1, toSeq: 2, lastHash: health.hash });
    const seen = async (): Promise<string[]> => {
      const cameras = (await api.get('/v1/cameras', own.token)).body as { cameras: { health: string | null }[] };
      const exported = (await api.get('/v1/account/export', own.token)).raw.toString('utf8');
      return [
        await world.records(own, own.token),
        `media ${String((await api.get(mediaUrl(own), own.token)).status)}`,
        cameras.cameras[0]?.health === null ? 'no health' : 'health',
        `${String(exported.split('"type":"record"').length - 1)} exported`,
      ];
    };
    const before = ['3 records, 0 statements', 'media 200', 'health', '3 exported'];
    expect(await seen()).toEqual(before);
    const { status, body } = await api.send('POST', '/v1/deletions', own.token, {
      statements: [toBase64(both.bytes)],
    });
    expect([status, body]).toEqual([200, { eraseAtMs: api.clock.wallMs() + DELETION_DELAY_MS }]);
    expect(await seen()).toEqual(['1 records, 1 statements', 'media 404', 'no health', '1 exported']);
    expect((await api.get(`/v1/cameras/${toHex(own.world.deviceId)}/1/records`, own.token)).body).toMatchObject({
      deletions: [toBase64(both.bytes)],
      floor: null,
      highestSeq: 0,
    });
    expect(await world.undo(own.token, both)).toBe('204');
    expect(await seen()).toEqual(before);
    expect(api.counters.get('alarms')).toBe(0);
  });

  it('does not stream what is deleted, neither live nor resumed', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const own = await world.owner();
    const stream = await api.stream(own.token);
    await expect.poll(() => stream.summaries).toContain('ready');
    const second = scene(own.world, own.claim, 2, own.last.hash);
    const third = scene(own.world, own.claim, 3, second.hash);
    for (const record of [second, third]) await api.store.records.put(record, [], api.clock.wallMs());
    await world.mark(own.token, deletionOf(own, { fromSeq: 2, toSeq: 2, lastHash: second.hash }));
    for (const seq of [2, 3]) api.feed.publish({ type: 'record', device: own.world.deviceId, epoch: 1, seq });
    await expect.poll(() => stream.summaries).toContain('record 3');
    expect(stream.summaries).not.toContain('record 2');
    const resumed = await api.stream(own.token, 0);
    await expect.poll(() => resumed.summaries).toContain('record 3');
    expect(resumed.summaries).toContain('record 1');
    expect(resumed.summaries).not.toContain('record 2');
  });

  it('erases it after the delay, and goes on showing the statement', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    const other = await world.owner();
    expect(await world.mark(own.token, deletionOf(own))).toBe('200');
    expect(await world.api.erasing.eraseDue(world.api.clock.wallMs() + DELETION_DELAY_MS - 1, 9)).toBe(0);
    expect(await world.isRecordThere(own, 1)).toBe(true);
    expect(await world.eraseAfterDelay()).toBe(1);
    expect(await world.isRecordThere(own, 1)).toBe(false);
    expect(await world.records(own, own.token)).toBe('session-refused');
    expect(await world.records(own, await world.token(own.world.owner))).toBe('1 records, 1 statements');
    expect(await world.records(other, await world.token(other.world.owner))).toBe('2 records, 0 statements');
    expect(await world.undo(await world.token(own.world.owner), deletionOf(own))).toBe('not-found');
    expect(world.api.counters.get('alarms')).toBe(0);
  });

  it('takes statements of the owner of the epoch only, all of them or none', async () => {
    const world = await DeletionWorld.open();
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    const other = await world.owner();
    expect(await world.mark(await world.token(member), deletionOf(own, {}, member))).toBe('foreign');
    expect(await world.mark(own.token, deletionOf(own), deletionOf(other))).toBe('foreign');
    expect(await world.mark(own.token, deletionOf(own, { device: new CameraWorld().deviceId }))).toBe('foreign');
    expect(await world.mark(own.token, deletionOf(own, { lastHash: other.last.hash }))).toBe('statement-refused');
    expect(await world.records(own, own.token)).toBe('2 records, 0 statements');
    // None of these is a mix-up.
    expect(world.api.counters.get('alarms')).toBe(0);
  });
});

describe('deleting an account', () => {
  it('hides all of it from owner and members until it is restored', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    const guest = await world.owner(own.world.owner);
    const whole = deletionOf(own, { fromSeq: 0 });
    const account = toHex(own.world.account);
    expect(await world.send('DELETE', '/v1/account', own.token, { account: 'ab'.repeat(16) })).toBe('foreign');
    expect((await api.get('/v1/account', own.token)).body).toEqual({ deletion: null });
    const answer = await api.send('DELETE', '/v1/account', own.token, { account, statements: [toBase64(whole.bytes)] });
    const eraseAtMs = api.clock.wallMs() + DELETION_DELAY_MS;
    expect([answer.status, answer.body]).toEqual([200, { eraseAtMs }]);
    api.clock.advance(1000);
    // Asked for again it keeps its time.
    expect((await api.send('DELETE', '/v1/account', own.token, { account })).body).toEqual({ eraseAtMs });

    // What the camera sends meanwhile is kept, and hidden like the rest.
    await api.store.records.put(scene(own.world, own.claim, 2, own.last.hash), [], api.clock.wallMs());
    const memberToken = await world.token(member);
    for (const url of ['/v1/cameras', '/v1/access', '/v1/account/export', '/v1/heads', '/v1/stream', mediaUrl(own)]) {
      expect([url, (await api.get(url, own.token)).body]).toMatchObject([url, { error: { code: 'account-marked' } }]);
    }
    expect(await world.records(guest, own.token)).toBe('account-marked');
    expect((await api.get('/v1/account', own.token)).body).toEqual({ deletion: { eraseAtMs } });
    expect((await api.get('/v1/cameras', memberToken)).body).toEqual({ cameras: [] });
    expect((await api.get(mediaUrl(own), memberToken)).status).toBe(404);
    expect((await api.get('/v1/access', memberToken)).body).toEqual({ entries: [], archivedBeforeMs: null });
    // The owner's word, and nothing else, for whom the claim names.
    expect(await world.records(own, memberToken)).toBe('0 records, 1 statements');
    expect(await world.records(own, guest.token)).toBe('not-found');
    expect(await world.mark(own.token, deletionOf(own))).toBe('account-marked');
    const next = own.world.claim(2, own.claim.hash);
    const claim = { claim: toBase64(next.bytes), mac: null };
    expect(await world.send('POST', '/v1/claims', own.token, claim)).toBe('account-marked');

    expect(await world.send('POST', '/v1/account/restore', own.token, { account: toHex(guest.world.account) })).toBe(
      'foreign',
    );
    expect(await world.send('POST', '/v1/account/restore', own.token, { account })).toBe('204');
    expect(await world.send('POST', '/v1/account/restore', own.token, { account })).toBe('not-found');
    expect(await world.records(own, own.token)).toBe('3 records, 0 statements');
    expect(await world.records(own, memberToken)).toBe('3 records, 0 statements');
    expect((await api.get(mediaUrl(own), own.token)).status).toBe(200);
    expect(api.counters.get('alarms')).toBe(0);
  });

  it('hides what no statement names: without one, members learn nothing', async () => {
    const world = await DeletionWorld.open();
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    const memberToken = await world.token(member);
    const stream = await world.api.stream(memberToken, 0);
    await expect.poll(() => stream.summaries).toContain('record 1');
    await world.deleteAccount(own);
    expect(await world.records(own, memberToken)).toBe('not-found');
    expect((await world.api.get(mediaUrl(own), memberToken)).status).toBe(404);
    expect((await world.api.get('/v1/cameras', memberToken)).body).toEqual({ cameras: [] });
    // An open stream shows nothing more of it, and goes on with what its reader may see.
    const other = await world.owner(member);
    const hidden = scene(own.world, own.claim, 2, own.last.hash);
    const shown = scene(other.world, other.claim, 3, other.last.hash);
    for (const record of [hidden, shown]) {
      const { device, seq } = record.value;
      await world.api.store.records.put(record, [], world.api.clock.wallMs());
      world.api.feed.publish({ type: 'record', device, epoch: 1, seq });
    }
    await expect.poll(() => stream.summaries).toContain('record 3');
    expect(stream.summaries).not.toContain('record 2');
  });

  it('erases it after the delay; members go on reading the statements, strangers do not', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const member = new CameraWorld().owner;
    const own = await world.owner(member);
    const silent = await world.owner(member, new CameraWorld({ cloud: api.receiptSigner, owner: own.world.owner }));
    const other = await world.owner();
    expect(await world.deleteAccount(own, deletionOf(own, { fromSeq: 0 }))).toBe('200');
    expect(await world.eraseAfterDelay()).toBe(4);
    const tokens = { own: await world.token(own.world.owner), member: await world.token(member) };
    expect(await world.isRecordThere(own, 1)).toBe(false);
    expect((await api.get('/v1/account', tokens.own)).body).toEqual({ deletion: null });
    expect((await api.get('/v1/cameras', tokens.own)).body).toEqual({ cameras: [] });
    expect(await world.records(own, tokens.own)).toBe('0 records, 1 statements');
    expect(await world.records(own, tokens.member)).toBe('0 records, 1 statements');
    expect(await world.records(silent, tokens.member)).toBe('not-found');
    expect(await world.records(own, await world.token(other.world.owner))).toBe('not-found');
    expect(await world.records(other, await world.token(other.world.owner))).toBe('2 records, 0 statements');
    expect(await api.store.claims.row(own.world.deviceId, 1)).toMatchObject({ state: 'revoked', claim: null });
    expect(await world.send('POST', '/v1/account/restore', tokens.own, { account: toHex(own.world.account) })).toBe(
      'not-found',
    );
    expect(await api.erasing.eraseDue(api.clock.wallMs() + DELETION_DELAY_MS, 9)).toBe(0);
    expect(api.counters.get('alarms')).toBe(0);
  });

  it('erases a range that was marked before with the account, without an alarm', async () => {
    const world = await DeletionWorld.open();
    const own = await world.owner();
    await world.mark(own.token, deletionOf(own));
    await world.deleteAccount(own);
    expect(await world.eraseAfterDelay()).toBeGreaterThan(0);
    expect(await world.isRecordThere(own, 0)).toBe(false);
    expect(await world.eraseAfterDelay()).toBe(0);
    expect(world.api.counters.get('alarms')).toBe(0);
  });

  it('marks nothing for a key without cameras: strangers cannot fill the table', async () => {
    const world = await DeletionWorld.open();
    const stranger = new CameraWorld();
    const token = await world.token(stranger.owner);
    const answer = await world.api.send('DELETE', '/v1/account', token, { account: toHex(stranger.account) });
    expect([answer.status, answer.body]).toEqual([200, { eraseAtMs: world.api.clock.wallMs() }]);
    expect(await world.api.store.accounts.pending(9)).toEqual([]);
  });

  it('stays marked while something in it is in doubt, and is erased once the doubt is gone', async () => {
    const world = await DeletionWorld.open();
    const { api } = world;
    const own = await world.owner();
    const other = await world.owner();
    const ids = { own: own.world.deviceId, account: own.world.account, other: other.world.deviceId };
    await world.sql('UPDATE claim SET account = {account} WHERE device = {other}', ids);
    await world.deleteAccount(own);
    expect(await world.eraseAfterDelay()).toBe(2);
    expect(await world.isRecordThere(other, 1)).toBe(true);
    expect((await api.get('/v1/cameras', await world.token(own.world.owner))).body).toMatchObject({
      error: { code: 'account-marked' },
    });
    await world.sql('UPDATE claim SET account = {account} WHERE device = {other}', {
      ...ids,
      account: other.world.account,
    });
    expect(await world.eraseAfterDelay()).toBe(0);
    expect((await api.get('/v1/cameras', await world.token(own.world.owner))).body).toEqual({ cameras: [] });
    expect(await world.records(other, await world.token(other.world.owner))).toBe('2 records, 0 statements');
  });
});

it('says in /v1/info for how long it keeps records', async () => {
  const { api } = await DeletionWorld.open();
  expect((await api.get('/v1/info', '')).body).toMatchObject({ keepsForMs: KEEPS_FOR_MS });
});
