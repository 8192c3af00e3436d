import { describe, expect, it } from 'vitest';
import type { Media } from '../../../../cloud/media/kinds.js';
import type { MediaStore } from '../../../../cloud/media/media-store.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { deletionKind } from '../../../../protocol/objects/deletion.js';
import { revocationKind } from '../../../../protocol/objects/revocation.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { until } from '../../../support/runner/wait.js';
import { bodyUrl, ClipCamera, ClipWorld, strangeBody } from '../../../support/worlds/clip-world.js';
import type { Filmed } from '../../../support/worlds/camera-v2.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

function bodyOf({ bodies }: Filmed, i = 0): Uint8Array {
  const body = bodies[i];
  if (body === undefined) throw new Error('no such body');
  return body;
}

/** Deletes the camera's records from 1 to the last, and erases them. */
async function erase({ api, camera }: ClipWorld, isErased = true): Promise<void> {
  const last = camera.records.at(-1);
  if (last === undefined) throw new Error('no record');
  const statement = signObject(deletionKind, nodeSuite, camera.camera.world.owner, {
    device: camera.device,
    epoch: 1,
    claimHash: camera.claim.hash,
    fromSeq: 1,
    toSeq: last.value.seq,
    lastHash: last.hash,
    issuedAtMs: 0,
  });
  await api.store.deletions.mark([statement], api.clock.wallMs() + 1);
  if (isErased) await api.store.deletions.erase(statement, 100);
}

/** A place of bodies whose store is changed. */
const withStore =
  (change: (real: MediaStore) => Partial<MediaStore>) =>
  (media: Media): Media => {
    const real = media.store;
    const bound: MediaStore = {
      put: (key, body) => real.put(key, body),
      get: (key) => real.get(key),
      remove: (key) => real.remove(key),
      close: () => real.close(),
    };
    return { staging: media.staging, store: { ...bound, ...change(real) } };
  };

describe('an upload', () => {
  it('is answered with a signed receipt, also when it comes again, and is stored under its hash', async () => {
    const { api, camera } = await ClipWorld.open();
    const filmed = await camera.film({ lengths: [16_400, 524_416] });
    for (const body of filmed.bodies) {
      expect(await camera.put(body)).toMatchObject({ status: 200, result: 'stored' });
      expect(await camera.put(body)).toMatchObject({ status: 200, result: 'stored' });
      expect(await api.media.store.get(camera.key(body))).toEqual(body);
    }
    expect(api.counters.get('uploads.bytes')).toBe(16_400 + 524_416);
  });

  it('has one answer for every reason for which no body is expected', async () => {
    const { api, camera } = await ClipWorld.open();
    const filmed = await camera.film({ lengths: [4112, 8208] });
    const [body, longer] = [bodyOf(filmed), bodyOf(filmed, 1)];
    const later = camera.filmed();
    const marked = await ClipWorld.open();
    const hidden = await marked.camera.film();
    await erase(marked, false);
    const answers = [
      await camera.put(strangeBody()),
      await camera.put(bodyOf(later)),
      await camera.put(longer, { bodyHash: nodeSuite.sha256(body) }),
      await camera.put(body, { epoch: 2 }),
      await camera.put(body, { device: realRandom.bytes(32) }),
      await marked.camera.put(bodyOf(hidden)),
    ];
    const [first] = answers;
    expect(first).toMatchObject({ status: 404, result: null });
    for (const answer of answers) expect(answer).toEqual(first);
    // The control: the same body in its own place.
    expect(await camera.put(body)).toMatchObject({ status: 200, result: 'stored' });
    expect(api.counters.get('uploads.stored')).toBe(1);
  });

  it('is not taken, and raises an alarm, where the store answers with the row of another place', async () => {
    const crossed: { what: string; device: Uint8Array } = { what: 'nothing', device: new Uint8Array(32) };
    const { api, camera } = await ClipWorld.open({}, undefined, (real) => ({
      ...real,
      claims: {
        ...real.claims,
        row: (device, epoch) => real.claims.row(crossed.what === 'claim' ? crossed.device : device, epoch),
      },
      segments: {
        ...real.segments,
        upload: async (key) => {
          const found = await real.segments.upload(key);
          if (crossed.what !== 'segment' || found === undefined) return found;
          return { ...found, segment: { ...found.segment, device: crossed.device } };
        },
      },
    }));
    const body = bodyOf(await camera.film());
    crossed.device = (await ClipCamera.claimed(api)).device;
    for (const [i, what] of ['claim', 'segment'].entries()) {
      crossed.what = what;
      expect(await camera.put(body)).toMatchObject({ status: 404, result: null });
      expect(api.counters.get('alarms.ingest')).toBe(i + 1);
    }
    expect(await api.media.store.get(camera.key(body))).toBeUndefined();
    // The control: rows of its own.
    crossed.what = 'nothing';
    expect(await camera.put(body)).toMatchObject({ result: 'stored' });
    expect(api.counters.get('alarms')).toBe(2);
  });

  it('is not refused for good by the row of another place, where another upload was faster', async () => {
    const crossed: { what: string; device: Uint8Array; isFaster: boolean } = {
      what: 'nothing',
      device: new Uint8Array(32),
      isFaster: false,
    };
    const { api, camera } = await ClipWorld.open({}, undefined, (real) => ({
      ...real,
      claims: {
        ...real.claims,
        row: async (device, epoch) => {
          const row = await real.claims.row(device, epoch);
          if (!crossed.isFaster || crossed.what !== 'claim' || row === undefined) return row;
          return { ...row, device: crossed.device, state: 'revoked' };
        },
      },
      segments: {
        ...real.segments,
        // From here on the rows are looked up once more.
        markStored: () => Promise.resolve(!(crossed.isFaster = true)),
        upload: async (key) => {
          const found = await real.segments.upload(key);
          if (!crossed.isFaster || found === undefined) return found;
          const { device, state } =
            crossed.what === 'segment' ? { ...crossed, state: 'deleted' as const } : found.segment;
          return { ...found, segment: { ...found.segment, device, state } };
        },
      },
    }));
    crossed.device = (await ClipCamera.claimed(api)).device;
    for (const [i, what] of ['nothing', 'claim', 'segment'].entries()) {
      Object.assign(crossed, { what, isFaster: false });
      expect(await camera.put(bodyOf(await camera.film()))).toMatchObject({ status: 404, result: null });
      expect(api.counters.get('alarms.ingest')).toBe(i);
    }
  });

  it('needs its length, of one that a body may have, and is not looked up without', async () => {
    let lookups = 0;
    const { api, camera } = await ClipWorld.open({}, undefined, (real) => ({
      ...real,
      segments: {
        ...real.segments,
        upload: (key) => {
          lookups++;
          return real.segments.upload(key);
        },
      },
    }));
    const body = bodyOf(await camera.film());
    const url = `http://127.0.0.1:${String(await api.port())}${bodyUrl(camera.key(body))}`;
    const chunked = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(body);
        controller.close();
      },
    });
    const answer = await fetch(url, { method: 'PUT', body: chunked, duplex: 'half' } as RequestInit);
    expect([answer.status, await answer.json()]).toMatchObject([411, { error: { code: 'length-required' } }]);
    expect(await camera.put(strangeBody(524_417))).toMatchObject({ status: 413 });
    expect(lookups).toBe(0);
    await camera.put(body);
    expect(lookups).toBe(1);
  });

  it('that waits for 100 Continue sends its body only where it is wanted', async () => {
    const { camera } = await ClipWorld.open();
    const body = bodyOf(await camera.film());
    const offer = async (bytes: Uint8Array): ReturnType<ClipCamera['put']> => {
      const { request, answer } = await camera.begin(camera.key(bytes), bytes.length, { expect: '100-continue' });
      request.on('continue', () => request.end(bytes));
      request.flushHeaders();
      return answer;
    };
    expect(await offer(strangeBody())).toMatchObject({ status: 404, isContinued: false });
    expect(await offer(body)).toMatchObject({ status: 200, result: 'stored', isContinued: true });
    expect(await offer(body)).toMatchObject({ status: 200, result: 'stored', isContinued: false });
  });

  it('of other bytes is refused, and leaves nothing', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    const body = bodyOf(await camera.film());
    const answer = await camera.put(strangeBody(), { bodyHash: nodeSuite.sha256(body) });
    expect(answer).toMatchObject({ status: 400, result: null });
    expect(await api.media.store.get(camera.key(body))).toBeUndefined();
    expect(world.arriving()).toBe(0);
    expect(await camera.put(body)).toMatchObject({ result: 'stored' });
  });

  it('that stops, or breaks off, is cut and leaves nothing; one that is slow but fast enough is not cut', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    const body = bodyOf(await camera.film({ lengths: [131_072 + 32] }));
    const key = camera.key(body);
    const stopped = await camera.begin(key, body.length);
    stopped.request.write(body.subarray(0, 20_000));
    await until('it arrives', () => world.arriving() === 1);
    api.clock.advance(10_000);
    expect(await stopped.answer).toMatchObject({ status: 408, result: null });
    const broken = await camera.begin(key, body.length);
    broken.request.write(body.subarray(0, 20_000));
    await until('it arrives', () => world.arriving() === 1);
    broken.request.destroy();
    await until('nothing is left', () => world.arriving() === 0);

    let arrived = 0;
    const slow = await ClipWorld.open({}, undefined);
    const slowBody = bodyOf(await slow.camera.film({ lengths: [131_072 + 32] }));
    const sending = await slow.camera.begin(slow.camera.key(slowBody), slowBody.length);
    for (; arrived + 45_000 < slowBody.length; arrived += 45_000) {
      sending.request.write(slowBody.subarray(arrived, arrived + 45_000));
      await until('a span arrives', () => slow.arrivedBytes() >= arrived + 45_000);
      slow.api.clock.advance(10_000);
    }
    sending.request.end(slowBody.subarray(arrived));
    expect(await sending.answer).toMatchObject({ status: 200, result: 'stored' });
  });

  it('is taken beside one stalled upload of the same body, and not beside two', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    const filmed = await camera.film({ lengths: [4112, 4112] });
    const body = bodyOf(filmed);
    const stall = async (): Promise<void> => {
      const { request } = await camera.begin(camera.key(body), body.length);
      request.write(body.subarray(0, 10));
    };
    await stall();
    await until('one is stalled', () => world.arriving() === 1);
    await stall();
    await until('two are stalled', () => world.arriving() === 2);
    expect(await camera.put(body)).toMatchObject({ status: 429, result: null });
    expect(await camera.put(bodyOf(filmed, 1))).toMatchObject({ result: 'stored' });
    expect(api.counters.get('shares.uploads-per-body')).toBe(1);
    api.clock.advance(10_000);
    await until('both are cut off', () => world.arriving() === 0);
    await stall();
    await until('one is stalled again', () => world.arriving() === 1);
    expect(await camera.put(body)).toMatchObject({ result: 'stored' });
  });

  it('has no receipt where the media store holds other bytes than it was given, or none', async () => {
    const other = strangeBody();
    const altering = await ClipWorld.open(
      {},
      withStore((real) => ({
        put: async (key, body) => {
          await real.put(key, body);
          return nodeSuite.sha256(other);
        },
      })),
    );
    const body = bodyOf(await altering.camera.film());
    expect(await altering.camera.put(body)).toMatchObject({ status: 503, result: null });
    expect(altering.api.counters.get('uploads.altered')).toBe(1);
    expect(await altering.api.store.segments.upload(altering.camera.key(body))).toMatchObject({
      segment: { state: 'expected' },
    });
    const failing = await ClipWorld.open(
      {},
      withStore(() => ({ put: () => Promise.reject(new Error('no space left')) })),
    );
    expect(await failing.camera.put(bodyOf(await failing.camera.film()))).toMatchObject({ result: null });
    // The control: the same store with what it was given.
    const honest = await ClipWorld.open(
      {},
      withStore(() => ({})),
    );
    expect(await honest.camera.put(bodyOf(await honest.camera.film()))).toMatchObject({ result: 'stored' });
  });

  it('comes again where the media store has lost it, although it was receipted before', async () => {
    const { api, camera } = await ClipWorld.open();
    const body = bodyOf(await camera.film());
    await camera.put(body);
    await api.media.store.remove(camera.key(body));
    expect((await camera.put(body)).result).toBe('stored');
    expect(await api.media.store.get(camera.key(body))).toEqual(body);
    expect(api.counters.get('uploads.bytes')).toBe(2 * body.length);
    // The control: one that is there is not asked for.
    await camera.put(body);
    expect(api.counters.get('uploads.bytes')).toBe(2 * body.length);
  });

  it('above the quota of its camera or account is refused for good, by a signed receipt', async () => {
    const { api, camera } = await ClipWorld.open({ quota: { cameraBytes: 9000, accountBytes: 13_000 } });
    const [first, second, third] = [await camera.film(), await camera.film(), await camera.film()];
    expect((await camera.put(bodyOf(first))).result).toBe('stored');
    expect((await camera.put(bodyOf(second))).result).toBe('stored');
    expect((await camera.put(bodyOf(third))).result).toBe('quota');
    expect((await camera.put(bodyOf(third))).result).toBe('quota');
    const { owner, ownerSecret, cloud } = camera.camera.world;
    const beside = await ClipCamera.claimed(api, new CameraWorld({ owner, ownerSecret, cloud }));
    expect((await beside.put(bodyOf(await beside.film()))).result).toBe('stored');
    expect((await beside.put(bodyOf(await beside.film()))).result).toBe('quota');
    const stranger = await ClipCamera.claimed(api);
    expect((await stranger.put(bodyOf(await stranger.film()))).result).toBe('stored');
  });

  it('for a revoked epoch is refused for good, and has no answer where the maker revoked the camera', async () => {
    const { api, camera } = await ClipWorld.open();
    const body = bodyOf(await camera.film());
    const { owner } = camera.camera.world;
    const entries = [{ device: camera.device, epoch: 1 }];
    const list = { scope: 'owner', listVersion: 1, issuedAtMs: 0, entries } as const;
    await api.store.revocations.put(signObject(revocationKind, nodeSuite, owner, list), 7);
    expect(await camera.put(body)).toMatchObject({ status: 200, result: 'revoked' });
    const other = await ClipCamera.claimed(api);
    const otherBody = bodyOf(await other.film());
    const maker = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const devices = { scope: 'maker', listVersion: 1, issuedAtMs: 0, entries: [{ device: other.device }] } as const;
    await api.store.revocations.put(signObject(revocationKind, nodeSuite, maker, devices), 7);
    expect(await other.put(otherBody)).toMatchObject({ status: 404, result: null });
  });

  it('after its deletion does not come back: it is refused for good, and no byte of it stays', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    const [came, late] = [bodyOf(await camera.film()), bodyOf(await camera.film())];
    await camera.put(came);
    await erase(world);
    expect((await camera.put(came)).result).toBe('deleted');
    expect((await camera.put(late)).result).toBe('deleted');
    expect(await api.media.store.get(camera.key(came))).toEqual(came);
    expect(await world.cleanUp()).toBe(4);
    expect(await api.media.store.get(camera.key(came))).toBeUndefined();
    expect((await camera.put(late)).result).toBe('deleted');
  });

  it('whose segment is deleted while it arrives is refused, and what was written then is removed', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    const body = bodyOf(await camera.film());
    const { request, answer } = await camera.begin(camera.key(body), body.length);
    request.write(body.subarray(0, 100));
    await until('it arrives', () => world.arriving() === 1);
    await erase(world);
    expect(await api.bodies.removeDiscarded(api.clock.wallMs(), 100)).toBe(1);
    request.end(body.subarray(100));
    expect((await answer).result).toBe('deleted');
    expect(await api.media.store.get(camera.key(body))).toEqual(body);
    await world.cleanUp();
    expect(await api.media.store.get(camera.key(body))).toBeUndefined();
    expect(world.arriving()).toBe(0);
  });

  it('is deleted by its age, and refused then', async () => {
    const world = await ClipWorld.open();
    const { api, camera } = world;
    camera.camera.world.time = (monotonicMs) => ({
      boot: camera.camera.world.boot,
      monotonicMs,
      wallMs: null,
      quality: 'unset',
    });
    const body = bodyOf(await camera.film());
    await camera.put(body);
    const expire = async (): Promise<number> => {
      const nowMs = api.clock.wallMs();
      return api.bodies.expire(nowMs, nowMs, 100);
    };
    expect(await expire()).toBe(0);
    api.clock.advance(8 * 86_400_000);
    expect(await expire()).toBe(1);
    await world.cleanUp();
    expect(await api.media.store.get(camera.key(body))).toBeUndefined();
    expect((await camera.put(body)).result).toBe('deleted');
    expect(await api.store.records.get(camera.device, 1, 1)).toBeDefined();
  });
});
