/** Attacks on the way of a clip's bodies, as functions that say what came of it. The control differs in the argument. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { S3Store } from '../../../cloud/media/s3-store.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { deletionKind } from '../../../protocol/objects/deletion.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { asyncCodeOf } from '../codes.js';
import { StubS3 } from '../engines/stub-s3.js';
import { afterThisTest } from '../runner/after-test.js';
import { until } from '../runner/wait.js';
import type { Filmed } from './camera-v2.js';
import { bodyUrl, ClipCamera, ClipWorld, strangeBody, type PutAnswer } from './clip-world.js';
import { mediaIn } from './test-media.js';
import { Staging } from '../../../cloud/media/staging.js';
import { tempFolder } from '../runner/temp.js';

function bodyOf({ bodies }: Filmed, i = 0): Uint8Array {
  const body = bodies[i];
  if (body === undefined) throw new Error('no such body');
  return body;
}

/** What the cloud said, and whether a body lies in the place that was asked for. */
async function saidOf({ api, camera }: ClipWorld, answer: PutAnswer, body: Uint8Array): Promise<string> {
  const stored = await api.media.store.get(camera.key(body));
  const said = answer.result ?? `no receipt (${String(answer.status)})`;
  return `${said}, ${stored === undefined ? 'nothing stored' : 'a body stored'}`;
}

/** A body brought to a place: its own, or another one. */
export async function broughtTo(
  place: 'its own' | 'no record names it' | 'another camera' | 'another epoch' | 'another segment',
): Promise<string> {
  const world = await ClipWorld.open();
  const { api, camera } = world;
  const filmed = await camera.film({ lengths: [4112, 4112] });
  const [body, other] = [bodyOf(filmed), bodyOf(filmed, 1)];
  const neighbour = await ClipCamera.claimed(api);
  switch (place) {
    case 'its own':
      return saidOf(world, await camera.put(body), body);
    case 'no record names it': {
      const strange = strangeBody();
      return saidOf(world, await camera.put(strange), strange);
    }
    case 'another camera':
      return saidOf(world, await camera.put(body, { device: neighbour.device }), body);
    case 'another epoch':
      return saidOf(world, await camera.put(body, { epoch: 2 }), body);
    case 'another segment':
      return saidOf(world, await camera.put(other, { bodyHash: nodeSuite.sha256(body) }), body);
  }
}

/** A body brought before or after its record. */
export async function broughtWhen(when: 'before its record' | 'after it'): Promise<string> {
  const world = await ClipWorld.open();
  const { camera } = world;
  const filmed = camera.filmed();
  if (when === 'after it') await camera.store(filmed);
  return saidOf(world, await camera.put(bodyOf(filmed)), bodyOf(filmed));
}

/** A request that announces another length than the segment has, or none. */
export async function announced(length: 'longer' | 'enormous' | 'none' | 'exact'): Promise<string> {
  const world = await ClipWorld.open();
  const { api, camera } = world;
  const body = bodyOf(await camera.film());
  if (length === 'none') {
    const url = `http://127.0.0.1:${String(await api.port())}${bodyUrl(camera.key(body))}`;
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(strangeBody(65_536)) });
    const request = { method: 'PUT', body: endless, duplex: 'half' } as RequestInit;
    const answer = await fetch(url, request).then(
      ({ status }) => status === 411,
      () => true,
    );
    const isLeft = world.arriving() > 0 || (await api.media.store.get(camera.key(body))) !== undefined;
    return `${answer ? 'cut off' : 'read'}, ${isLeft ? 'a body stored' : 'nothing stored'}`;
  }
  const more = { longer: 1, enormous: 1_000_000_000, exact: 0 }[length];
  const { request, answer } = await camera.begin(camera.key(body), body.length + more);
  if (more === 0) request.end(body);
  else request.write(body);
  return saidOf(world, await answer, body);
}

/** A body that goes on after its announced end, as the one who writes it down sees it. */
export async function goesOn(bytes: 0 | 1): Promise<string> {
  const folder = tempFolder();
  const staging = new Staging(folder, { clock: realClock, random: realRandom });
  const body = strangeBody(4112 + bytes);
  return asyncCodeOf(() => staging.receive(Readable.from([Buffer.from(body)]), 4112));
}

/** A sender that stalls after this share of a body, while ten seconds pass. */
export async function stalls(where: 'in the middle' | 'nowhere'): Promise<string> {
  const world = await ClipWorld.open();
  const { api, camera } = world;
  const body = bodyOf(await camera.film({ lengths: [65_552] }));
  const { request, answer } = await camera.begin(camera.key(body), body.length);
  request.write(body.subarray(0, 30_000));
  await until('it arrives', () => world.arriving() === 1);
  if (where === 'nowhere') request.end(body.subarray(30_000));
  else api.clock.advance(10_000);
  return saidOf(world, await answer, body);
}

/** An upload beside this many stalled ones of the same body. */
export async function besideStalled(count: 1 | 2): Promise<string> {
  const world = await ClipWorld.open();
  const { camera } = world;
  const body = bodyOf(await camera.film());
  for (let i = 1; i <= count; i++) {
    const { request } = await camera.begin(camera.key(body), body.length);
    request.write(body.subarray(0, 10));
    await until('it is stalled', () => world.arriving() === i);
  }
  return saidOf(world, await camera.put(body), body);
}

/** Two uploads of one body at once; the second has its bytes or others. */
export async function twiceAtOnce(second: 'the same bytes' | 'other bytes'): Promise<string> {
  const world = await ClipWorld.open();
  const { api, camera } = world;
  const body = bodyOf(await camera.film());
  const rival = second === 'the same bytes' ? body : strangeBody();
  const answers = await Promise.all([camera.put(body), camera.put(rival, { bodyHash: nodeSuite.sha256(body) })]);
  const stored = await api.media.store.get(camera.key(body));
  const isWhole = stored !== undefined && Buffer.compare(stored, body) === 0;
  const results = answers.map(({ result }) => result ?? 'no receipt').join(' and ');
  return `${results}, ${isWhole ? 'the body is whole' : 'another body'}`;
}

/** A body brought again after its owner deleted it for good. */
export async function afterDeletion(isDeleted: boolean): Promise<string> {
  const world = await ClipWorld.open();
  const { api, camera } = world;
  const filmed = await camera.film();
  const body = bodyOf(filmed);
  await camera.put(body);
  const last = filmed.record;
  if (isDeleted) {
    const statement = signObject(deletionKind, nodeSuite, camera.camera.world.owner, {
      device: camera.device,
      epoch: 1,
      claimHash: camera.claim.hash,
      fromSeq: 1,
      toSeq: 1,
      lastHash: last.hash,
      issuedAtMs: 0,
    });
    await api.store.deletions.mark([statement], 1);
    await api.store.deletions.erase(statement, 100);
  }
  // The camera sends record and body again.
  await api.store.records.put(last, [], api.clock.wallMs());
  const answer = await camera.put(body);
  await world.cleanUp();
  return saidOf(world, answer, body);
}

/** A body that goes into an S3 engine which takes any bytes, and stores others or the same. */
export async function storedBy(engine: 'altering' | 'honest'): Promise<string> {
  const { settings } = await StubS3.start({ isUnchecked: true, isAltering: engine === 'altering' });
  const s3 = new S3Store(settings, realClock);
  afterThisTest(() => s3.close());
  const world = await ClipWorld.open({}, ({ staging }) => ({ staging, store: s3 }));
  const body = bodyOf(await world.camera.film());
  const { result, status } = await world.camera.put(body);
  return result ?? `no receipt (${String(status)})`;
}

/** A signed request to the S3 engine, sent once more with these bytes. */
export async function replayed(bytes: 'the same' | 'others'): Promise<string> {
  const { stub, settings } = await StubS3.start();
  const s3 = new S3Store(settings, realClock);
  afterThisTest(() => s3.close());
  const media = mediaIn(realClock);
  const body = strangeBody();
  const key = { device: realRandom.bytes(32), epoch: 1, bodyHash: nodeSuite.sha256(body) };
  await s3.put(key, await media.staging.receive(Readable.from([Buffer.from(body)]), body.length));
  const [path = ''] = [...stub.objects.keys()].filter((name) => !name.includes('probe'));
  const headers = Object.entries(stub.lastPut).filter(([name]) => /^(authorization|x-amz-)/.test(name)) as [
    string,
    string,
  ][];
  const sent = bytes === 'the same' ? body : strangeBody();
  const answer = await fetch(new URL(path, settings.url), { method: 'PUT', headers, body: Buffer.from(sent) });
  return answer.ok ? 'taken' : 'refused';
}

/** Who asks for a segment. */
export async function readBy(who: 'a stranger with a camera' | 'nobody' | 'its owner'): Promise<string> {
  const { api, camera } = await ClipWorld.open();
  const body = bodyOf(await camera.film());
  await camera.put(body);
  const stranger = await ClipCamera.claimed(api);
  const reader = who === 'its owner' ? camera : stranger;
  const token = who === 'nobody' ? '' : (await api.session(reader.camera.world.owner)).token;
  const { status } = await api.get(bodyUrl(camera.key(body)), token);
  return status === 200 ? 'the body' : String(status);
}

/** A segment whose object in the media store is that of another camera. */
export async function readCrossed(isCrossed: boolean): Promise<string> {
  let crossed: Uint8Array | null = null;
  const { api, camera } = await ClipWorld.open({}, ({ staging, store }) => ({
    staging,
    store: {
      put: (key, body) => store.put(key, body),
      get: (key) => (crossed === null ? store.get(key) : Promise.resolve(crossed)),
      remove: (key) => store.remove(key),
      close: () => store.close(),
    },
  }));
  const body = bodyOf(await camera.film());
  await camera.put(body);
  const { token } = await api.session(camera.camera.world.owner);
  if (isCrossed) crossed = strangeBody(body.length);
  const { status } = await api.get(bodyUrl(camera.key(body)), token);
  return `${status === 200 ? 'shown' : 'not shown'}, ${String(api.counters.get('alarms'))} alarms`;
}

/** A camera that fills its quota; then who uploads next. */
export async function afterFlood(next: 'the flooding camera' | 'a neighbour'): Promise<string> {
  const world = await ClipWorld.open({ quota: { cameraBytes: 9000, accountBytes: 9000 } });
  const { api, camera } = world;
  for (let i = 0; i < 2; i++) await camera.put(bodyOf(await camera.film()));
  const uploader = next === 'a neighbour' ? await ClipCamera.claimed(api) : camera;
  return (await uploader.put(bodyOf(await uploader.film()))).result ?? 'no receipt';
}

/** Where answers of a server send the one who uploads: requests that some servers redirect, and one that does so. */
export async function redirects(server: 'the cloud' | 'a lying one'): Promise<string> {
  const { api, camera } = await ClipWorld.open();
  const body = bodyOf(await camera.film());
  const url = bodyUrl(camera.key(body));
  const lying = createServer((_, response) => response.writeHead(307, { location: 'http://192.168.1.1/' }).end());
  await new Promise<void>((resolve) => lying.listen(0, '127.0.0.1', resolve));
  afterThisTest(() => {
    lying.closeAllConnections();
    lying.close();
  });
  const port = server === 'the cloud' ? await api.port() : (lying.address() as AddressInfo).port;
  const paths = [url, `${url}/`, `/${url}`, url.toUpperCase(), '/v1/media', `${url}?x=1`, `${url}/../..`];
  const statuses = await Promise.all(
    paths.map(async (path) => {
      const target = `http://127.0.0.1:${String(port)}${path}`;
      return (await fetch(target, { method: 'PUT', body: Buffer.from(body), redirect: 'manual' })).status;
    }),
  );
  return statuses.some((status) => status >= 300 && status < 400) ? 'redirected' : 'never redirected';
}
