import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkUploads } from '../../../agent/main/check-uploads.js';
import { loadAgentConfig, type Config } from '../../../agent/config/keys.js';
import type { SealcamError } from '../../../common/errors.js';
import { embedded } from '../../support/engines/brokers.js';
import { certificates } from '../../support/engines/certificates.js';
import { ClipServer, type Answer } from '../../support/engines/clip-server.js';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

function configFor(url: string, more: Readonly<Record<string, string>> = {}): Config {
  const environment = { SEALCAM_DATA_FOLDER: tempFolder(), SEALCAM_CLIP_UPLOAD_URL: url, ...more };
  return loadAgentConfig({ file: null, environment });
}

/** What the check finds, as doctor prints it. */
async function found(config: Config, timeoutMs?: number): Promise<string> {
  try {
    return `ok ${await checkUploads(config, timeoutMs)}`;
  } catch (error) {
    const { code, message, hint } = error as SealcamError;
    return `${code} | ${message} | ${hint}`;
  }
}

const answering =
  (status: number, headers: Record<string, string> = {}, text = '{}'): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end(text);

describe('the doctor asks the server of the clips', () => {
  it('and knows a cloud, which is sent no body', async () => {
    const way = await WholeWay.prepare(embedded);
    afterThisTest(() => way.stopAll());
    await way.broker.start();
    const cloud = await way.startCloud();
    expect(await found(configFor(cloud.origin))).toBe(
      `ok ${cloud.origin} is a cloud that takes bodies of clips; without TLS, so only for development`,
    );
    // The control: the same cloud has no such route elsewhere.
    expect(await found(configFor(`${cloud.origin}/v1`))).toMatch(
      /^cloud-unreachable \| clip\.uploadUrl: .* answers 404/,
    );
  });

  it('with one request without a body, below the base address', async () => {
    const refusal = '{"error":{"code":"request-invalid","message":"no"}}';
    const server = await ClipServer.start(answering(400, {}, refusal));
    expect(await found(configFor(`${server.url}/base/`))).toMatch(/^ok /);
    expect(server.requests.map(({ method, path, body }) => [method, path, body.length])).toEqual([
      ['PUT', '/base/v1/media/none/none/none', 0],
    ]);
    expect(server.requests[0]?.headers['content-length']).toBe('0');
  });

  it('and names the setting and the remedy for each other answer', async () => {
    const inside = await ClipServer.start(answering(200));
    const cases: readonly (readonly [Answer, RegExp])[] = [
      [
        answering(301, { location: `${inside.url}/x` }),
        /answers 301, a redirect to http.*never follows \| .*clip\.uploadUrl/,
      ],
      [answering(404, {}, 'nothing here'), /answers 404, and not as a cloud that takes clips \| .*clip\.uploadUrl/],
      [answering(405), /answers 405, .* \| .*PUT \/v1\/media\//],
      [answering(200, {}, 'x'.repeat(100_000)), /answers 200, .* \| .*clip\.uploadUrl/],
      [
        answering(429, {}, '{"error":{"code":"rate-limited"}}'),
        /answers 429: it takes no bodies now \| .*clip\.uploadUrl/,
      ],
      [answering(502, {}, '<html>'), /answers 502: it takes no bodies now \| .*clip\.uploadUrl/],
      [(request) => request.socket.destroy(), /\| clip\.uploadUrl: 127\.0\.0\.1:\d+: .* \| Check clip\.uploadUrl/],
    ];
    for (const [answer, expected] of cases) {
      const server = await ClipServer.start(answer);
      const text = await found(configFor(server.url));
      expect(text).toMatch(/^cloud-unreachable \| clip\.uploadUrl: 127\.0\.0\.1:\d+/);
      expect(text).toMatch(expected);
    }
    expect(inside.connections).toBe(0);
  });

  it('and ends by its time limit', async () => {
    const server = await ClipServer.start(() => undefined);
    expect(await found(configFor(server.url), 200)).toMatch(/no answer within 200 ms \| Check clip\.uploadUrl/);
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const tls = configFor(`https://127.0.0.1:${String(port)}`);
    expect(await found(tls, 200)).toMatch(/not connected within 200 ms \| Check clip\.uploadUrl/);
  });

  it('and says where the address is from that nobody set', async () => {
    const text = await found(configFor('', { SEALCAM_UPLINK_URL: 'mqtts://127.0.0.1:1' }));
    expect(text).toMatch(
      /^cloud-unreachable \| clip\.uploadUrl \(empty: the host of uplink\.url\): 127\.0\.0\.1:443: /,
    );
  });
});

describeWith('openssl', 'the doctor verifies the server of the clips as the uplink verifies the broker', () => {
  const folder = keptFolder();

  it('with the authority and the certificate of uplink.*', async () => {
    const ours = certificates(folder);
    const { cert, key } = ours.issue('clips');
    const tls = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ours.ca) };
    const refusal = answering(400, {}, '{"error":{"code":"request-invalid"}}');
    const open = await ClipServer.start(refusal, tls);
    const trusting = { SEALCAM_UPLINK_CA_FILE: ours.ca };
    expect(await found(configFor(open.url, trusting))).toBe(`ok ${open.url} is a cloud that takes bodies of clips`);
    expect(await found(configFor(open.url))).toMatch(/^cloud-untrusted \| uplink\.caFile: .* \| .*uplink\.caFile/);
    const other = certificates(tempFolder(), 'other');
    expect(await found(configFor(open.url, { SEALCAM_UPLINK_CA_FILE: other.ca }))).toMatch(/^cloud-untrusted/);

    const closed = await ClipServer.start(refusal, { ...tls, requestCert: true, rejectUnauthorized: true });
    const camera = ours.issue('camera');
    const shown = { SEALCAM_UPLINK_CERT_FILE: camera.cert, SEALCAM_UPLINK_KEY_FILE: camera.key };
    expect(await found(configFor(closed.url, { ...trusting, ...shown }))).toMatch(/^ok /);
    expect(await found(configFor(closed.url, trusting))).toMatch(/^cloud-(untrusted|unreachable) \|/);
    expect(closed.requests.length).toBe(1);
    expect(await found(configFor(open.url.replace('https', 'http'), trusting))).toMatch(/^cloud-unreachable \|/);
    expect(await found(configFor((await ClipServer.start(refusal)).url.replace('http', 'https')))).toMatch(
      /does not speak TLS on this port \| Check the port in clip\.uploadUrl/,
    );
  });
});
