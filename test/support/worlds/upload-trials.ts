/** Attacks on the camera's side of a clip's way, as functions that say what came of it. The control differs in the argument. */
import { realRandom } from '../../../common/adapters/real-random.js';
import { HttpPut } from '../../../agent/upload/http-put.js';
import type { UploadAnswer } from '../../../agent/upload/put.js';
import { ClipServer, reading, type Answer } from '../engines/clip-server.js';
import { until } from '../runner/wait.js';
import { CameraWorld } from './camera-world.js';
import { UploadWorld } from './upload-world.js';

/** A camera with one body to bring, and the server that it brings it to. */
class Bringing {
  readonly world: UploadWorld;
  readonly server: ClipServer;

  private constructor(world: UploadWorld, server: ClipServer) {
    this.world = world;
    this.server = server;
  }

  static async start(answer: (world: UploadWorld) => Answer): Promise<Bringing> {
    const server = await ClipServer.start(() => undefined);
    const world = new UploadWorld();
    const put = new HttpPut(
      {
        url: server.url,
        ca: undefined,
        cert: undefined,
        key: undefined,
        connectTimeoutMs: 20_000,
        answerTimeoutMs: 20_000,
      },
      world.clock,
    );
    world.uplink = { ...world.uplink, windowMs: 5000 };
    world.restarted({ put });
    server.answer = answer(world);
    world.add();
    world.loop.connected();
    return new Bringing(world, server);
  }

  /** Lets time pass until the body left, or this many requests have come. */
  async until(requests: number): Promise<string> {
    const { world, server } = this;
    await until('the camera has tried', () => {
      world.clock.advance(500);
      return world.waiting === 0 || server.requests.length >= requests;
    });
    if (world.waiting > 0) return 'the body waits';
    return world.refused > 0 ? 'a signed loss' : 'delivered';
  }
}

function signed(answerOf: (world: UploadWorld, body: Uint8Array) => UploadAnswer): (world: UploadWorld) => Answer {
  return (world) =>
    reading((body) => ({
      status: 200,
      headers: { 'content-type': 'application/cose' },
      bytes: answerOf(world, new Uint8Array(body)).receipt ?? new Uint8Array(0),
    }));
}

const honest = signed((world, body) => world.stored(body));

/** A server that answers with a receipt: its own, or another one. */
export async function receiptedWith(
  receipt: 'its own' | 'another key' | 'another camera' | 'another epoch' | 'another body' | 'a word',
): Promise<string> {
  const stranger = new CameraWorld();
  const answers = {
    'its own': honest,
    'another key': signed((world, body) => world.receipt(body, 'stored', {}, stranger.cloud)),
    'another camera': signed((world, body) => world.receipt(body, 'stored', { device: stranger.deviceId })),
    'another epoch': signed((world, body) => world.receipt(body, 'stored', { epoch: 2 })),
    'another body': signed((world) => world.receipt(realRandom.bytes(64))),
    'a word': () => reading(() => ({ status: 200, bytes: Buffer.from('{"stored":true}') })),
  };
  return (await Bringing.start(answers[receipt])).until(3);
}

/** A server that says that a body will never be wanted: by a status, or signed. */
export async function refusedWith(refusal: 'a status' | 'a signature'): Promise<string> {
  const answer = refusal === 'a signature' ? signed((world, body) => world.receipt(body, 'deleted')) : gone;
  return (await Bringing.start(answer)).until(3);
}

function gone(): Answer {
  return (_, response) => response.writeHead(410).end('{"error":{"code":"deleted"}}');
}

/** Where a server sends the camera on to, and who was asked there. */
export async function sentOn(to: "the owner's network" | 'nowhere'): Promise<string> {
  const inside = await ClipServer.start((_, response) => response.writeHead(200).end());
  const redirect: Answer = (_, response) => response.writeHead(307, { location: `${inside.url}/apply.cgi` }).end();
  const outcome = await (await Bringing.start(to === 'nowhere' ? honest : () => redirect)).until(3);
  return `${outcome}, ${inside.connections === 0 ? 'nobody else was asked' : 'another one was asked'}`;
}

/** More than all buffers between a server and a camera hold. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;

/** A server whose answer has an end, or none. */
export async function answeredAt(length: 'its length' | 'no end'): Promise<string> {
  let readMax = 0;
  const endless: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/cose' });
    let written = 0;
    const more = (): void => {
      readMax = Math.max(readMax, written);
      if (response.destroyed || written > BUFFERED_BYTES_MAX) return;
      written += 4096;
      if (response.write(Buffer.alloc(4096))) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  };
  const outcome = await (await Bringing.start(length === 'no end' ? () => endless : honest)).until(3);
  return `${outcome}, ${readMax > BUFFERED_BYTES_MAX ? 'read on and on' : 'nothing read without a bound'}`;
}

/** A server that takes a body and then answers, or never does. */
export async function heldUp(forever: boolean): Promise<string> {
  const silent: Answer = (_, response, seen) => {
    seen.isContinued = true;
    response.writeContinue();
  };
  return (await Bringing.start(forever ? () => silent : honest)).until(3);
}

/** A server that asks the camera to wait, and when it is asked again. */
export async function toldToWait(seconds: number): Promise<string> {
  const bringing = await Bringing.start(
    () => (_, response) => response.writeHead(503, { 'retry-after': String(seconds) }).end(),
  );
  const { world } = bringing;
  await bringing.until(1);
  await until('the answer is there', () => {
    world.clock.advance(10);
    return world.loop.status().nextAttemptMs !== null;
  });
  return `asked again after ${String(Math.ceil((world.loop.status().nextAttemptMs ?? 0) / 60_000))} minutes`;
}
