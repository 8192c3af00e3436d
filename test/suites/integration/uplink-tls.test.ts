import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, createServer, type TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SealcamError } from '../../../common/errors.js';
import { openStream, type StreamSettings, type TlsSession } from '../../../agent/uplink/stream.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { certificates, type Certificates, type IssuedFiles } from '../../support/engines/certificates.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';

/** A server on 127.0.0.1 that sends hello after a handshake. */
async function serve(files: IssuedFiles, options: TlsOptions = {}): Promise<{ port: number; heard: () => string }> {
  let heard = '';
  const server = createServer({ ...pem(files), ...options }, (socket) => {
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write('hello');
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterThisTest(() => void server.close());
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

const pem = ({ cert, key }: IssuedFiles): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
});

/**
 * Returns `connected` after the broker's first bytes, or the error. With TLS 1.3 a client learns of a refusal only
 * after its handshake.
 */
function outcome(
  port: number,
  change: Partial<StreamSettings>,
  host = '127.0.0.1',
): Promise<'connected' | SealcamError> {
  const settings = {
    url: `mqtts://${host}:${String(port)}`,
    ca: undefined,
    cert: undefined,
    key: undefined,
    ...change,
  };
  const session: TlsSession = { ticket: undefined };
  return new Promise((resolve) => {
    const socket = openStream(settings, session, {
      ready: () => {
        socket.write('I am a camera');
        socket.once('data', () => {
          socket.destroy();
          resolve('connected');
        });
      },
      failed: resolve,
    });
    afterThisTest(() => void socket.destroy());
  });
}

interface Refused {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}
const refused = (message: RegExp): unknown =>
  expect.objectContaining<Partial<Record<keyof Refused, unknown>>>({
    code: 'broker-untrusted',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/\w/),
  });

describeWith('openssl', 'TLS: a camera sends nothing to a broker that it has not verified', () => {
  const folder = keptFolder();
  const laterFolder = keptFolder();
  let ours: Certificates;
  let good: IssuedFiles;
  let ca: string;

  beforeAll(() => {
    ours = certificates(folder);
    good = ours.issue('broker');
    ca = readFileSync(ours.ca, 'utf8');
  });

  it('the right broker, with TLS 1.3 and 1.2: the control of all below', async () => {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const { port } = await serve(good, { maxVersion });
      expect(await outcome(port, { ca })).toBe('connected');
    }
  });

  it('an authority that is not pinned: names uplink.caFile, and the server receives nothing', async () => {
    const other = certificates(tempFolder(), 'other');
    const { port, heard } = await serve(other.issue('stranger'));
    expect(await outcome(port, { ca })).toEqual(refused(/^uplink\.caFile: /));
    // Without a pinned authority those of the system count, and ours is not one of them.
    const unpinned = await serve(good);
    expect(await outcome(unpinned.port, {})).toEqual(refused(/^uplink\.caFile: /));
    expect(heard() + unpinned.heard()).toBe('');
    expect(await outcome(port, { ca: readFileSync(other.ca, 'utf8') })).toBe('connected');
  });

  it('another host name: names uplink.url', async () => {
    const elsewhere = ours.issue('elsewhere', { names: 'DNS:broker.example' });
    const { port } = await serve(elsewhere);
    expect(await outcome(port, { ca })).toEqual(refused(/^uplink\.url: .*not for this host/));
    const local = ours.issue('local', { names: 'DNS:localhost' });
    expect(await outcome((await serve(local)).port, { ca }, 'localhost')).toBe('connected');
  });

  it('an expired certificate, and one not valid yet: both name the clock as well', async () => {
    const expired = await serve(ours.issue('expired', { valid: ['20200101000000Z', '20210101000000Z'] }));
    expect(await outcome(expired.port, { ca })).toEqual(refused(/^uplink\.url: .*expired.*clock/));
    const early = await serve(ours.issue('early', { valid: ['20450101000000Z', '20490101000000Z'] }));
    expect(await outcome(early.port, { ca })).toEqual(refused(/^uplink\.url: .*not valid yet.*clock/));
  });

  it('TLS 1.1 is refused, although the server accepts it from others', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const { port } = await serve(good, old);
    expect(await outcome(port, { ca })).toEqual(refused(/^uplink\.url: .*1\.2/));
    const version = await new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca, ...old }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(version).toBe('TLSv1.1');
  });

  it('a port without TLS: names uplink.url', async () => {
    const { createServer: createPlain } = await import('node:net');
    const plain = createPlain((socket) => void socket.on('error', () => undefined).end('220 mail.example ESMTP\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => void plain.close());
    expect(await outcome((plain.address() as AddressInfo).port, { ca })).toEqual(
      refused(/^uplink\.url: the broker does not speak TLS/),
    );
  });

  describe('a wall clock that was never set', () => {
    // All of these lie after the system's time, as they do for a camera whose clock is still at 1970.
    const FUTURE = ['20450101000000Z', '20490101000000Z'] as const;
    const floor = (year: number): { timeFloorMs: () => number } => ({ timeFloorMs: () => Date.UTC(year, 5) });
    let later: Certificates;
    let laterCa: string;

    beforeAll(() => {
      later = certificates(laterFolder, 'later', FUTURE);
      laterCa = readFileSync(later.ca, 'utf8');
    });

    it('accepts a pinned authority by the last known time', async () => {
      const { port } = await serve(later.issue('broker'));
      expect(await outcome(port, { ca: laterCa })).toEqual(refused(/not valid yet/));
      expect(await outcome(port, { ca: laterCa, ...floor(2046) })).toBe('connected');
      // Renewed since the last known time: it becomes valid after the floor, and so may the present day be.
      expect(await outcome(port, { ca: laterCa, ...floor(2030) })).toBe('connected');
      expect(await outcome(port, { ca: laterCa, ...floor(2050) })).toEqual(refused(/^uplink\.url: .*expired/));
    });

    it('follows an intermediate authority to the pinned one among several', async () => {
      const between = later.between('between');
      const { cert, key } = between.issue('behind');
      const chain = readFileSync(cert, 'utf8') + readFileSync(between.ca, 'utf8');
      const { port } = await serve({ cert, key }, { cert: chain });
      expect(await outcome(port, { ca: ca + laterCa, ...floor(2046) })).toBe('connected');
      expect(await outcome(port, { ca, ...floor(2046) })).toEqual(refused(/^uplink\.caFile: /));
      // The control: a certificate that is not an authority cannot sign another.
      const plain = later.issue('plain');
      const forged = later.with(plain).issue('forged');
      const { port: forgedPort } = await serve(forged, {
        cert: readFileSync(forged.cert, 'utf8') + readFileSync(plain.cert, 'utf8'),
      });
      expect(await outcome(forgedPort, { ca: laterCa, ...floor(2046) })).toEqual(refused(/^uplink\.caFile: /));
    });

    it('still refuses another authority, another host, a camera as broker, and the system’s authorities', async () => {
      const other = certificates(tempFolder(), 'later', FUTURE);
      // By its names it is issued by ours; only the signature shows that it is not.
      const stranger = await serve(other.issue('stranger', { hidesKey: true }));
      expect(await outcome(stranger.port, { ca: laterCa, ...floor(2046) })).toEqual(refused(/^uplink\.caFile: /));
      expect(stranger.heard()).toBe('');
      const elsewhere = await serve(later.issue('elsewhere', { names: 'DNS:broker.example' }));
      expect(await outcome(elsewhere.port, { ca: laterCa, ...floor(2046) })).toEqual(refused(/^uplink\.url: .*host/));
      const camera = await serve(later.issue('camera', { usage: 'clientAuth' }));
      expect(await outcome(camera.port, { ca: laterCa, ...floor(2046) })).toEqual(refused(/^uplink\.caFile: .*server/));
      const unpinned = await serve(later.issue('broker'));
      expect(await outcome(unpinned.port, floor(2046))).toEqual(refused(/^uplink\./));
    });
  });
});
