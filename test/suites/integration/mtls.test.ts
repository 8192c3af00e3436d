import { chmodSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { fromHex } from '../../../common/bytes.js';
import { uplinkSecrets } from '../../../agent/main/adapters/uplink-secrets.js';
import { loadAgentConfig } from '../../../agent/config/keys.js';
import { freePort } from '../../../scripts/free-port.js';
import { mosquittoTls } from '../../support/engines/brokers.js';
import { certificates } from '../../support/engines/certificates.js';
import { codeOf } from '../../support/codes.js';
import { tempFolder } from '../../support/runner/temp.js';
import { BUSY, type TestAgent } from '../../support/worlds/test-agent.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

describeWith('openssl', 'TLS with client certificates, over Mosquitto', () => {
  let way: WholeWay;

  afterEach(() => way.stopAll());

  it('connects a camera with a certificate to the right broker, and no other camera', async () => {
    const tlsPort = await freePort();
    const ours = certificates(tempFolder());
    const other = certificates(tempFolder(), 'other');
    const server = ours.issue('broker');
    way = await WholeWay.prepare((folder, port) => mosquittoTls(folder, port, tlsPort, { ca: ours.ca, ...server }));
    await way.broker.start();
    const cloud = await way.startCloud();
    const camera = (
      name: string,
      ca: string,
      files: { readonly cert: string; readonly key: string } | null,
    ): TestAgent => {
      if (files !== null) chmodSync(files.key, 0o600);
      const environment = {
        SEALCAM_UPLINK_URL: `mqtts://127.0.0.1:${String(tlsPort)}`,
        SEALCAM_UPLINK_CA_FILE: ca,
        ...(files === null ? {} : { SEALCAM_UPLINK_CERT_FILE: files.cert, SEALCAM_UPLINK_KEY_FILE: files.key }),
      };
      return way.startAgent(name, BUSY, undefined, { environment });
    };
    const good = camera('good', ours.ca, ours.issue('camera'));
    const without = camera('without', ours.ca, null);
    const stranger = camera('stranger', ours.ca, other.issue('stranger'));
    // A broker with a certificate of another authority could be anyone's.
    const deceived = camera('deceived', other.ca, ours.issue('deceived'));
    const { watcher, opened } = way.watch(cloud);
    await watcher.claim(good.code);
    await until('an event is opened', () => opened.length > 0, 20_000);
    const offerOf = ({ device }: TestAgent): Promise<unknown> =>
      cloud.store.claims.offer(fromHex(device, 32) ?? new Uint8Array(32));
    for (const refused of [without, stranger, deceived]) {
      const { uplink } = refused.agent;
      await until('it has made two attempts', () => uplink.status().attempts >= 2, 20_000);
      expect(uplink.isConnected).toBe(false);
      expect(await offerOf(refused)).toBeUndefined();
    }
    // The control.
    expect(await offerOf(good)).toBeDefined();

    // The next connection of the same camera resumes the TLS session or makes a new one; either way it is back.
    const before = opened.length;
    expect(good.agent.uplink.drop()).toBe(true);
    await until('it is back', () => good.agent.uplink.isConnected, 20_000);
    await until('another event is opened', () => opened.length > before, 20_000);
  });
});

it('a certificate without its key, or a key that other users may read, is refused at the start', () => {
  const folder = tempFolder();
  const config = (environment: Record<string, string>) =>
    loadAgentConfig({ file: null, environment: { SEALCAM_DATA_FOLDER: folder, ...environment } });
  expect(codeOf(() => uplinkSecrets(config({ SEALCAM_UPLINK_CERT_FILE: '/x' })))).toBe('config-invalid-value');
  const { cert, key } = certificates(folder).issue('camera');
  const both = { SEALCAM_UPLINK_CERT_FILE: cert, SEALCAM_UPLINK_KEY_FILE: key };
  chmodSync(key, 0o644);
  expect(codeOf(() => uplinkSecrets(config(both)))).toBe('config-invalid-value');
  chmodSync(key, 0o600);
  expect(uplinkSecrets(config(both)).key).toContain('PRIVATE KEY');
});
