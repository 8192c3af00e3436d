import { describe, expect, it } from 'vitest';
import { partOf } from '../../../../cloud/api/byte-range.js';
import { toHex } from '../../../../common/bytes.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { bodyUrl, ClipCamera, ClipWorld } from '../../../support/worlds/clip-world.js';
import { listOf } from '../../../support/worlds/maker-list-world.js';

interface Filming extends Pick<ClipWorld, 'api' | 'camera'> {
  readonly body: Uint8Array;
  readonly url: string;
  readonly token: string;
  readonly mediaId: string;
}

/** A camera with one uploaded segment, and a session of its owner. */
async function filming(world?: ClipWorld): Promise<Filming> {
  const { api, camera } = world ?? (await ClipWorld.open());
  const filmed = await camera.film();
  const [body] = filmed.bodies;
  const [segment] = filmed.record.value.clip?.segments ?? [];
  if (body === undefined || segment === undefined) throw new Error('no segment');
  expect((await camera.put(body)).result).toBe('stored');
  const { token } = await api.session(camera.camera.world.owner);
  return { api, camera, body, url: bodyUrl(camera.key(body)), token, mediaId: toHex(segment[1]) };
}

interface Access {
  readonly entries: readonly { readonly what: string; readonly mediaId: string | null }[];
}

describe('a segment', () => {
  it('is given to the readers of its epoch, with a line in the access log, and to nobody else', async () => {
    const { api, camera, body, url, token, mediaId } = await filming();
    const answer = await api.get(url, token);
    expect([answer.status, new Uint8Array(answer.raw)]).toEqual([200, body]);
    const [, , member] = camera.camera.signers;
    expect((await api.get(url, (await api.session(member)).token)).status).toBe(200);
    const stranger = await ClipCamera.claimed(api);
    const strange = await api.session(stranger.camera.world.owner);
    expect((await api.get(url, strange.token)).status).toBe(404);
    expect((await api.get(url, 'no session')).status).toBe(401);
    const { entries } = (await api.get('/v1/access', token)).body as Access;
    expect(entries.filter(({ what, mediaId: read }) => what === 'media' && read === mediaId)).toHaveLength(2);
  });

  it('is given in parts', async () => {
    const { api, body, url, token } = await filming();
    const part = async (range: string): Promise<unknown> => {
      const headers = { authorization: `Bearer ${token}`, range };
      const { statusCode, headers: answered, rawPayload } = await api.app.inject({ method: 'GET', url, headers });
      return [statusCode, answered['content-range'], new Uint8Array(rawPayload)];
    };
    expect(await part('bytes=0-99')).toEqual([206, 'bytes 0-99/4112', body.subarray(0, 100)]);
    expect(await part('bytes=4000-9999')).toEqual([206, 'bytes 4000-4111/4112', body.subarray(4000)]);
    expect(await part('bytes=9999-')).toEqual([200, undefined, body]);
  });

  it.each([
    ['bytes=0-', { from: 0, end: 10 }],
    ['bytes=3-5', { from: 3, end: 6 }],
    ['bytes=-4', { from: 6, end: 10 }],
    ['bytes=-99', { from: 0, end: 10 }],
    ['bytes=9-9', { from: 9, end: 10 }],
    ['bytes=5-3', null],
    ['bytes=10-', null],
    ['bytes=-0', null],
    ['bytes=-', null],
    ['bytes=0-1,4-5', null],
    ['lines=0-1', null],
    [undefined, null],
  ])('of which %s is asked', (header, part) => {
    expect(partOf(header, 10)).toEqual(part);
  });

  it('is listed with its record, whether it has come or not', async () => {
    const { api, camera, body, url, token } = await filming();
    const filmed = await camera.film({ lengths: [4112, 4112] });
    const [, second] = filmed.bodies;
    if (second === undefined) throw new Error('no second segment');
    await camera.put(second);
    const { records } = (await api.get(ApiWorld.recordsUrl(camera.device), token)).body as {
      readonly records: readonly { readonly segments: readonly { readonly available: boolean }[] }[];
    };
    expect(records.map(({ segments }) => segments.map(({ available }) => available))).toEqual([
      [false, true],
      [true],
      [],
    ]);
    // The control: what is not listed as available is not there.
    const [first] = filmed.bodies;
    expect((await api.get(bodyUrl(camera.key(first ?? body)), token)).status).toBe(404);
    expect((await api.get(url, token)).status).toBe(200);
  });

  it('is not given while reading is paused, once it is deleted, or of a revoked epoch', async () => {
    const { api, camera, url, token } = await filming();
    const account = camera.camera.world.account;
    await api.store.reads.pause({ account, sentence: 'Stop.', sinceMs: 1 });
    expect((await api.get(url, token)).status).toBe(503);
    await api.store.reads.resume(account, 2);
    expect((await api.get(url, token)).status).toBe(200);
    await api.store.accounts.mark(camera.camera.world.owner.publicKey, [], api.clock.wallMs() + 1000);
    expect((await api.get(url, token)).status).not.toBe(200);
    await api.store.accounts.restore(account, 2);
    const maker = nodeSuite.ed25519Signer(realRandom.bytes(32));
    expect((await api.get(url, token)).status).toBe(200);
    await api.store.revocations.put(listOf(maker, { scope: 'maker', entries: [{ device: camera.device }] }), 7);
    expect((await api.get(url, token)).status).toBe(404);
  });

  it('is never another one: a body that was exchanged in the media store raises an alarm and is not shown', async () => {
    const fault: { crossed: Uint8Array | null } = { crossed: null };
    const world = await ClipWorld.open({}, ({ store, staging }) => ({
      staging,
      store: {
        put: (key, body) => store.put(key, body),
        get: (key) => (fault.crossed === null ? store.get(key) : Promise.resolve(fault.crossed)),
        remove: (key) => store.remove(key),
        close: () => store.close(),
      },
    }));
    const { api, url, token } = await filming(world);
    expect((await api.get(url, token)).status).toBe(200);
    fault.crossed = realRandom.bytes(4112);
    expect((await api.get(url, token)).status).toBe(404);
    expect(api.counters.get('alarms')).toBe(1);
  });

  it('is not shown, and raises an alarm, where the store answers with the row of another segment', async () => {
    let isCrossed = false;
    const world = await ClipWorld.open({}, undefined, (real) => ({
      ...real,
      segments: {
        ...real.segments,
        find: async (key) => {
          const found = await real.segments.find(key);
          return isCrossed && found !== undefined ? { ...found, bodyHash: realRandom.bytes(32) } : found;
        },
      },
    }));
    const { api, url, token } = await filming(world);
    expect((await api.get(url, token)).status).toBe(200);
    isCrossed = true;
    expect((await api.get(url, token)).status).toBe(404);
    expect(api.counters.get('alarms')).toBe(1);
  });

  it('is in the export of its account', async () => {
    const { api, body, token } = await filming();
    const { raw } = await api.get('/v1/account/export', token);
    const lines = raw
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly body?: string });
    const segments = lines.filter(({ type }) => type === 'segment');
    expect(segments.map((line) => new Uint8Array(Buffer.from(line.body ?? '', 'base64')))).toEqual([body]);
  });
});
