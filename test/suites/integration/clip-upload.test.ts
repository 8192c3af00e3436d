import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { Clock } from '../../../common/clock.js';
import { isSealcamError } from '../../../common/errors.js';
import { HttpPut, type PutSettings } from '../../../agent/upload/http-put.js';
import type { Upload, UploadAnswer } from '../../../agent/upload/put.js';
import { certificates, type Certificates } from '../../support/engines/certificates.js';
import { ClipServer, reading, type Answer } from '../../support/engines/clip-server.js';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { until } from '../../support/runner/wait.js';

const CONNECT_TIMEOUT_MS = 20_000;
const ANSWER_TIMEOUT_MS = 20_000;
const BODY = Buffer.from(realRandom.bytes(300_000));
const OK: Answer = reading(() => ({
  status: 200,
  headers: { 'content-type': 'application/cose' },
  bytes: new Uint8Array([1, 2]),
}));

function putTo(url: string, clock: Clock = realClock, change: Partial<PutSettings> = {}): HttpPut {
  const put = new HttpPut(
    {
      url,
      ca: undefined,
      cert: undefined,
      key: undefined,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      ...change,
    },
    clock,
  );
  afterThisTest(() => {
    put.close();
  });
  return put;
}

function upload(read: Upload['read'] = () => BODY): Upload {
  return { path: '/v1/media/00/1/11', length: BODY.length, read, giveWay: () => Promise.resolve() };
}

/** What came of an upload; null while nothing did. */
interface Watched {
  outcome: UploadAnswer | string | null;
}

function watch(put: HttpPut, what = upload()): Watched {
  const watched: Watched = { outcome: null };
  put.put(what).then(
    (answer) => (watched.outcome = answer ?? 'damaged'),
    (error: unknown) => (watched.outcome = isSealcamError(error) ? error.code : String(error)),
  );
  return watched;
}

/** Waits for the outcome while the camera's clock runs on. */
async function outcomeOf(watched: Watched, clock?: VirtualClock, stepMs = 4000): Promise<Watched['outcome']> {
  await until('the upload ended', () => {
    clock?.advance(stepMs);
    return watched.outcome !== null;
  });
  return watched.outcome;
}

describe('a body on its way to the server of the clips', () => {
  it('is announced with its length, sent once it is wanted, and keeps the connection for the next one', async () => {
    const server = await ClipServer.start(OK);
    const put = putTo(`${server.url}/base/`);
    for (let i = 0; i < 3; i++) {
      expect(await outcomeOf(watch(put))).toEqual({
        status: 200,
        receipt: new Uint8Array([1, 2]),
        retryAfterMs: undefined,
      });
    }
    const [seen] = server.requests;
    expect([seen?.method, seen?.path, seen?.headers.expect]).toEqual(['PUT', '/base/v1/media/00/1/11', '100-continue']);
    expect(seen?.headers['content-length']).toBe(String(BODY.length));
    expect(seen?.headers['transfer-encoding']).toBeUndefined();
    expect(seen?.headers.host).toBe(new URL(server.url).host);
    expect(server.requests.map(({ body }) => body.equals(BODY))).toEqual([true, true, true]);
    expect(server.connections).toBe(1);
  });

  it('is not even read where it is not wanted', async () => {
    const server = await ClipServer.start((_, response) => response.writeHead(404).end('{}'));
    let reads = 0;
    const answer = await outcomeOf(
      watch(
        putTo(server.url),
        upload(() => {
          reads++;
          return BODY;
        }),
      ),
    );
    expect([answer, reads, server.requests[0]?.body.length]).toEqual([
      { status: 404, receipt: null, retryAfterMs: undefined },
      0,
      0,
    ]);
  });

  it('reaches a server that does not know the question', async () => {
    const clock = new VirtualClock();
    const server = await ClipServer.start((request, response) => {
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/cose' }).end('r'));
    });
    const watched = watch(putTo(server.url, clock));
    expect(await outcomeOf(watched, clock, 500)).toMatchObject({ status: 200 });
    expect(server.requests[0]?.body.equals(BODY)).toBe(true);
  });

  it('does not leave when it is damaged', async () => {
    const server = await ClipServer.start(OK);
    expect(
      await outcomeOf(
        watch(
          putTo(server.url),
          upload(() => null),
        ),
      ),
    ).toBe('damaged');
    expect(server.requests[0]?.body.length).toBe(0);
  });

  it('follows no redirect: the place it is sent on to hears nothing', async () => {
    const inside = await ClipServer.start(OK);
    for (const status of [301, 302, 303, 307, 308]) {
      const lying = await ClipServer.start((_, response) => {
        response.writeHead(status, { location: `${inside.url}/admin`, 'alt-svc': 'h2="camera.example:80"' }).end();
      });
      expect(await outcomeOf(watch(putTo(lying.url)))).toMatchObject({ status, receipt: null });
      // After the body too.
      lying.answer = reading(() => ({ status, headers: { location: inside.url } }));
      expect(await outcomeOf(watch(putTo(lying.url)))).toMatchObject({ status, receipt: null });
    }
    expect([inside.requests.length, inside.connections]).toEqual([0, 0]);
    await outcomeOf(watch(putTo(inside.url)));
    expect(inside.requests.length).toBe(1);
  });

  it('ends at an answer without an end', async () => {
    let written = 0;
    let isCut = false;
    const server = await ClipServer.start((_, response) => {
      response.writeHead(200, { 'content-type': 'application/cose' });
      response.on('close', () => (isCut = true));
      const more = (): void => {
        if (isCut) return;
        written += 4096;
        if (response.write(Buffer.alloc(4096))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    expect(await outcomeOf(watch(putTo(server.url)))).toBe('too-large');
    await until('the connection is cut', () => isCut);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it.each([
    ['never answers', (): void => undefined],
    [
      'stops in the middle of its answer',
      (_: unknown, response: Parameters<Answer>[1]): void => {
        response.writeHead(200, { 'content-length': '2', 'content-type': 'application/cose' });
        response.write('r');
      },
    ],
    [
      'takes the body and never answers',
      (_: unknown, response: Parameters<Answer>[1]): void => {
        response.writeContinue();
      },
    ],
    [
      'asks for the body and does not read it',
      (request: Parameters<Answer>[0], response: Parameters<Answer>[1]): void => {
        response.writeContinue();
        request.removeAllListeners('data');
        request.pause();
      },
    ],
  ] satisfies readonly (readonly [string, Answer])[])('is given up where a server %s', async (_, answer) => {
    const clock = new VirtualClock();
    const server = await ClipServer.start(answer);
    const watched = watch(putTo(server.url, clock));
    await until('the server has the request', () => server.requests.length === 1);
    expect(watched.outcome).toBeNull();
    expect(await outcomeOf(watched, clock)).toBe('cloud-unreachable');
    const limitMs = 2 * ANSWER_TIMEOUT_MS + BODY.length / 4 + 60_000;
    expect(clock.monotonicMs()).toBeLessThan(limitMs);
    // The control: the same server once it answers.
    server.answer = OK;
    expect(await outcomeOf(watch(putTo(server.url)))).toMatchObject({ status: 200 });
  });

  it('is given up where the connection is cut in its middle, and where nobody listens', async () => {
    const server = await ClipServer.start((request, response) => {
      response.writeContinue();
      request.once('data', () => request.socket.destroy());
    });
    expect(await outcomeOf(watch(putTo(server.url)))).toBe('cloud-unreachable');
    expect(await outcomeOf(watch(putTo('http://127.0.0.1:1')))).toBe('cloud-unreachable');
  });

  it('is sent again when the server had ended the kept connection meanwhile', async () => {
    const server = await ClipServer.start(OK);
    const put = putTo(server.url);
    await outcomeOf(watch(put));
    // Ends the connection when the next request arrives on it, as a server does whose time for it is over.
    server.answer = (request) => {
      server.answer = OK;
      request.socket.destroy();
    };
    expect(await outcomeOf(watch(put))).toMatchObject({ status: 200 });
    expect([server.requests.length, server.connections]).toEqual([3, 2]);
    // Once only, and not on a new connection: there it is a failure.
    server.answer = (request) => request.socket.destroy();
    expect(await outcomeOf(watch(putTo(server.url)))).toBe('cloud-unreachable');
    expect(server.requests.length).toBe(4);
  });

  it('is cut when the program ends', async () => {
    const server = await ClipServer.start(() => undefined);
    const put = putTo(server.url);
    const watched = watch(put);
    await until('the server has the request', () => server.requests.length === 1);
    put.close();
    expect(await outcomeOf(watched)).toBe('cloud-unreachable');
  });

  it('reads how long it shall wait, as seconds only', async () => {
    const asked = async (value: string): Promise<number | undefined> => {
      const server = await ClipServer.start((_, response) => response.writeHead(503, { 'retry-after': value }).end());
      const answer = await outcomeOf(watch(putTo(server.url)));
      return typeof answer === 'object' ? answer?.retryAfterMs : -1;
    };
    expect(await asked('7')).toBe(7000);
    expect(await asked('Wed, 21 Oct 2026 07:28:00 GMT')).toBeUndefined();
    expect(await asked('-1')).toBeUndefined();
  });
});

describeWith('openssl', 'TLS to the server of the clips', () => {
  const folder = keptFolder();
  let ours: Certificates;
  let ca: string;
  const tls = (of: Certificates, name: string, names?: string): { cert: Buffer; key: Buffer } => {
    const { cert, key } = of.issue(name, names === undefined ? {} : { names });
    return { cert: readFileSync(cert), key: readFileSync(key) };
  };

  beforeAll(() => {
    ours = certificates(folder);
    ca = readFileSync(ours.ca, 'utf8');
  });

  it('trusts the authorities of the uplink, and shows its certificate', async () => {
    const camera = ours.issue('camera');
    let shown = '';
    const server = await ClipServer.start(
      (request, response, seen) => {
        const { socket } = request as unknown as { socket: { getPeerCertificate(): { subject?: { CN?: string } } } };
        shown = socket.getPeerCertificate().subject?.CN ?? '';
        OK(request, response, seen);
      },
      { ...tls(ours, 'clips'), ca, requestCert: true, rejectUnauthorized: true },
    );
    const identity = { cert: readFileSync(camera.cert, 'utf8'), key: readFileSync(camera.key, 'utf8') };
    expect(await outcomeOf(watch(putTo(server.url, realClock, { ca, ...identity })))).toMatchObject({ status: 200 });
    expect(shown).toBe('camera');
    // Without a clock, the last known time judges.
    const floor = { ca, ...identity, timeFloorMs: () => Date.now() };
    expect(await outcomeOf(watch(putTo(server.url, realClock, floor)))).toMatchObject({ status: 200 });
    const later = { ...floor, timeFloorMs: () => Date.now() + 10 * 86_400_000 };
    expect(await outcomeOf(watch(putTo(server.url, realClock, later)))).toBe('cloud-untrusted');
  });

  it('sends nothing to a server that it has not verified', async () => {
    const other = certificates(tempFolder(), 'other');
    const stranger = await ClipServer.start(OK, tls(other, 'stranger'));
    const elsewhere = await ClipServer.start(OK, tls(ours, 'elsewhere', 'DNS:clips.example'));
    expect(await outcomeOf(watch(putTo(stranger.url, realClock, { ca })))).toBe('cloud-untrusted');
    expect(await outcomeOf(watch(putTo(stranger.url)))).toBe('cloud-untrusted');
    const error = await putTo(elsewhere.url, realClock, { ca })
      .put(upload())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'cloud-untrusted',
      message: expect.stringMatching(/^clip\.uploadUrl: /) as string,
    });
    expect([stranger.requests.length, elsewhere.requests.length]).toEqual([0, 0]);
    const trusted = readFileSync(other.ca, 'utf8');
    expect(await outcomeOf(watch(putTo(stranger.url, realClock, { ca: trusted })))).toMatchObject({ status: 200 });
  });
});
