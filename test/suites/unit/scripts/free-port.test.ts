import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../../../../scripts/free-port.js';
import { isAnswering } from '../../../support/engines/brokers.js';
import { afterThisTest } from '../../../support/runner/after-test.js';

const NONE = 'no free port';

it('gives a port once, also before anything listens there', async () => {
  const port = await freePort();
  // The control: nothing but that it was given keeps it from being given again.
  expect(await isAnswering(port)).toBe(false);
  await expect(freePort(() => port)).rejects.toThrow(NONE);
});

it('gives no port that another process was given', async () => {
  const theirs = createSocket('udp4');
  afterThisTest(() => void theirs.close());
  await new Promise<void>((resolve) => {
    theirs.bind({ port: 0, address: '127.0.0.1' }, resolve);
  });
  await expect(freePort(() => theirs.address().port)).rejects.toThrow(NONE);
});

it('gives no port on which something listens', async () => {
  const server = createServer();
  afterThisTest(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(port).toBeGreaterThan(0);
  await expect(freePort(() => port)).rejects.toThrow(NONE);
});
