import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { openStream, type Handshake, type TlsSession } from '../../../agent/uplink/stream.js';
import { freePort } from '../../../scripts/free-port.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { mosquittoTls } from '../../support/engines/brokers.js';
import { certificates, type Certificates, type IssuedFiles } from '../../support/engines/certificates.js';
import { keptFolder, tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';

describeWith('mosquitto', 'a resumed TLS session, over Mosquitto', () => {
  const folder = keptFolder();
  let ours: Certificates;
  let server: IssuedFiles;
  let camera: IssuedFiles;

  beforeAll(() => {
    ours = certificates(folder);
    server = ours.issue('broker');
    camera = ours.issue('camera');
  });

  const read = (path: string): string => readFileSync(path, 'utf8');

  /** Connects once, and disconnects when the ticket for the next connection has come. */
  function connect(port: number, session: TlsSession): Promise<Handshake> {
    return new Promise<Handshake>((resolve, reject) => {
      const settings = { url: `mqtts://127.0.0.1:${String(port)}`, ca: read(ours.ca) };
      const socket = openStream({ ...settings, cert: read(camera.cert), key: read(camera.key) }, session, {
        ready: (handshake) => {
          void until('a ticket for the next connection', () => session.ticket !== undefined)
            .then(() => {
              socket.destroy();
              resolve(handshake);
            })
            .catch(reject);
        },
        failed: reject,
      });
    });
  }

  it.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: the second connection and the third resume the first', async (tls) => {
    const tlsPort = await freePort();
    const broker = mosquittoTls(tempFolder(), await freePort(), tlsPort, { ca: ours.ca, newest: tls, ...server });
    afterThisTest(() => broker.stop());
    await broker.start();
    const session: TlsSession = { ticket: undefined };
    const handshakes = [];
    for (let i = 0; i < 3; i++) handshakes.push(await connect(tlsPort, session));
    expect(handshakes).toEqual([
      { tls, isResumed: false },
      { tls, isResumed: true },
      { tls, isResumed: true },
    ]);
    // The control: without a ticket nothing is resumed.
    expect(await connect(tlsPort, { ticket: undefined })).toEqual({ tls, isResumed: false });

    // A restarted broker does not know the session: the attempt becomes a full handshake, not a failure.
    await broker.stop();
    await broker.start();
    expect(await connect(tlsPort, session)).toEqual({ tls, isResumed: false });
  });
});
