import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { start, type Running } from '../../support/engines/command.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { tempFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';

/** Nothing answers here: a listener that accepts and stays silent. */
async function mutePort(): Promise<number> {
  const server = createServer();
  afterThisTest(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function serve(environment: Readonly<Record<string, string>>): Running {
  const running = start('sealcam-cloud', ['serve'], {
    SEALCLOUD_DATA_FOLDER: join(tempFolder(), 'cloud'),
    SEALCLOUD_HTTP_PORT: '0',
    ...environment,
  });
  afterThisTest(async () => {
    running.signal('SIGKILL');
    await running.ended;
  });
  return running;
}

function line({ lines }: Running, text: string): Record<string, unknown> | undefined {
  return lines.find(({ msg }) => String(msg).includes(text));
}

describe('serve', () => {
  it('has health, readiness and metrics while it waits for its broker, and ends at SIGTERM at once', async () => {
    const operatorPort = await freePort();
    const cloud = serve({
      SEALCLOUD_MQTT_URL: `mqtt://127.0.0.1:${String(await mutePort())}`,
      SEALCLOUD_OPERATOR_PORT: String(operatorPort),
    });
    await until('the status page listens', () => line(cloud, 'metrics and status page') !== undefined);
    const api = `http://127.0.0.1:${String(line(cloud, 'the API is listening')?.['port'])}`;
    const operator = `http://127.0.0.1:${String(operatorPort)}`;
    expect((await fetch(`${api}/healthz`)).status).toBe(200);
    expect((await fetch(`${api}/readyz`)).status).toBe(503);
    expect((await fetch(`${operator}/healthz`)).status).toBe(200);
    const ready = await fetch(`${operator}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('the broker')]);
    expect(await (await fetch(`${operator}/metrics`)).text()).toContain('\nsealcam_broker_up 0\n');
    cloud.signal('SIGTERM');
    expect(await cloud.ended).toBe(0);
    expect(line(cloud, 'the cloud stopped before it was ready')).toBeDefined();
  });

  it('is ready once its broker answers, on IPv6 literals throughout, beside an orchestrator’s variables', async () => {
    const port = await freePort();
    const operatorPort = await freePort();
    const cloud = serve({
      SEALCLOUD_HTTP_HOST: '::1',
      SEALCLOUD_OPERATOR_HOST: '::1',
      SEALCLOUD_OPERATOR_PORT: String(operatorPort),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_HOST: '::1',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(port),
      SEALCLOUD_SERVICE_HOST: '192.0.2.5',
      SEALCLOUD_PORT: 'tcp://192.0.2.5:8080',
    });
    await until('it receives records', () => line(cloud, 'receiving records') !== undefined);
    expect(line(cloud, 'there is no setting SEALCLOUD_PORT')).toMatchObject({ level: 'warn' });
    const apiPort = String(line(cloud, 'the API is listening')?.['port']);
    const info: unknown = await (await fetch(`http://[::1]:${apiPort}/v1/info`)).json();
    expect(info).toMatchObject({ origin: `http://[::1]:${apiPort}` });
    expect((await fetch(`http://[::1]:${apiPort}/readyz`)).status).toBe(200);
    expect((await fetch(`http://[::1]:${String(operatorPort)}/readyz`)).status).toBe(200);
    cloud.signal('SIGTERM');
    expect(await cloud.ended).toBe(0);
  });

  it('refuses a password in a URL without printing it', async () => {
    const cloud = serve({ SEALCLOUD_MQTT_URL: 'mqtt://cloud:s3cret@127.0.0.1:1883' });
    expect(await cloud.ended).toBe(2);
    const output = JSON.stringify(cloud.lines);
    expect(output).toContain('mqtt.passwordFile');
    expect(output).not.toContain('s3cret');
  });
});
