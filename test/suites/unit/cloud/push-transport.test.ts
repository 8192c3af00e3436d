import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { PushServices } from '../../../../cloud/push/endpoint.js';
import { loadPushKey } from '../../../../cloud/push/push-key.js';
import { PushTransport, type PushAnswer } from '../../../../cloud/push/transport.js';
import { pushRequest } from '../../../../cloud/push/web-push.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { NAMED_SERVICE, TestPushService } from '../../../support/engines/push-service.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';

const SHORT_MS = 400;
const LONG_MS = 20_000;
const NOW_MS = Date.UTC(2026, 10, 30, 12);
/** Of the public internet; no test connects to it. */
const PUBLIC = '8.8.8.8';

type Addresses = readonly string[];

describe('the transport of messages', () => {
  let service: TestPushService;
  let sender: Parameters<typeof pushRequest>[2];

  beforeEach(async () => {
    const folder = tempFolder();
    service = await TestPushService.start(folder);
    sender = { key: loadPushKey(folder, realRandom), contact: 'mailto:operator@cloud.example' };
  });

  const listed = (...more: string[]): string[] => [`${NAMED_SERVICE}:${new URL(service.origin).port}`, ...more];
  const named = (): string => `https://${NAMED_SERVICE}:${new URL(service.origin).port}/wpush/x`;

  /** Services whose names stand for what is given, one answer for each question. */
  const resolving = (allowed: readonly string[], ...answers: readonly Addresses[]): PushServices => {
    let asked = 0;
    return new PushServices(allowed, (_name, callback) => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    });
  };

  const transportOf = (services: PushServices, timeoutMs = LONG_MS): PushTransport => {
    const transport = new PushTransport({ services, ca: readFileSync(service.caFile, 'utf8'), timeoutMs });
    afterThisTest(() => {
      transport.close();
    });
    return transport;
  };

  const send = (transport: PushTransport, endpoint: string): Promise<PushAnswer> => {
    const { keys } = service.subscribe();
    const [p256dh, auth] = [keys.p256dh, keys.auth].map((text) => new Uint8Array(Buffer.from(text, 'base64url')));
    if (p256dh === undefined || auth === undefined) throw new Error('no keys');
    const options = { ttlS: 60, urgency: 'normal', topic: 'abc' } as const;
    return transport.send(
      endpoint,
      pushRequest({ endpoint, p256dh, auth }, new Uint8Array(10), sender, options),
      NOW_MS,
    );
  };

  it.each<[string, Addresses]>([
    ['of this machine', ['127.0.0.1']],
    ['of this machine, IPv6', ['::1']],
    ['of this machine, IPv4 inside IPv6', ['::ffff:127.0.0.1']],
    ['of this machine, in hex inside IPv6', ['::ffff:7f00:1']],
    ['of an inner network', ['192.168.1.1']],
    ['of an inner network, IPv6', ['fd00::1']],
    ['of a link', ['169.254.169.254']],
    ['of a link, IPv6', ['fe80::1']],
    ['of any', ['0.0.0.0']],
    ['behind a public one', [PUBLIC, '127.0.0.1']],
    ['before a public one', ['127.0.0.1', PUBLIC]],
    ['nowhere', []],
  ])('does not connect to a listed name at an address %s', async (_, addresses) => {
    const transport = transportOf(resolving(listed(), addresses));
    expect(await asyncCodeOf(() => send(transport, named()))).toBe('request-invalid');
    expect(service.messages).toEqual([]);
  });

  it('connects to a listed name whose address is listed too', async () => {
    const transport = transportOf(resolving(listed('127.0.0.1'), ['127.0.0.1']));
    expect(await send(transport, named())).toEqual({ status: 201, retryAfterMs: null });
    expect(service.messages).toHaveLength(1);
  });

  it('asks of each connection where a name is, also where it was public before', async () => {
    const services = resolving(listed(), [PUBLIC], ['127.0.0.1']);
    const first = await new Promise((resolve, reject) => {
      services.lookup(NAMED_SERVICE, {}, (error, address) => {
        if (error === null) resolve(address);
        else reject(error);
      });
    });
    expect(first).toBe(PUBLIC);
    expect(await asyncCodeOf(() => send(transportOf(services), named()))).toBe('request-invalid');
    expect(service.messages).toEqual([]);

    // The same over one transport: the first address is a listed one here, as no test connects to a public one.
    service.answer = () => ({ status: 201, headers: { connection: 'close' } });
    const moving = transportOf(resolving(listed('127.0.0.1'), ['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2']));
    expect((await send(moving, named())).status).toBe(201);
    expect((await send(moving, named())).status).toBe(201);
    expect(await asyncCodeOf(() => send(moving, named()))).toBe('request-invalid');
    expect(service.messages).toHaveLength(2);
  });

  it('sends nothing to an endpoint that is not listed any more', async () => {
    const endpoint = `${service.origin}/wpush/x`;
    expect((await send(transportOf(resolving([service.host])), endpoint)).status).toBe(201);
    expect(await asyncCodeOf(() => send(transportOf(resolving(listed())), endpoint))).toBe('request-invalid');
    expect(service.messages).toHaveLength(1);
  });

  it('follows no redirect', async () => {
    const transport = transportOf(resolving([service.host]));
    const inner = `${service.origin}/inner`;
    for (const status of [301, 302, 303, 307, 308]) {
      service.answer = (path) => (path === '/inner' ? { status: 201 } : { status, headers: { location: inner } });
      expect((await send(transport, `${service.origin}/wpush/x`)).status).toBe(status);
    }
    expect(service.messages.map(({ path }) => path)).not.toContain('/inner');
    expect((await send(transport, inner)).status).toBe(201);
    expect(service.messages.map(({ path }) => path)).toContain('/inner');
  });

  it('reads no more of an answer than its status needs', async () => {
    const transport = transportOf(resolving([service.host]));
    service.answer = () => 'endless';
    expect((await send(transport, `${service.origin}/wpush/x`)).status).toBe(201);
    expect(service.poured).toBeGreaterThan(0);
    // The connection is gone, and the next message is not behind it.
    service.answer = () => ({ status: 202, body: 'x'.repeat(4096) });
    expect((await send(transport, `${service.origin}/wpush/x`)).status).toBe(202);
  });

  it.each(['stall', 'half'] as const)('waits for the whole answer no longer than it may: %s', async (answer) => {
    const endpoint = `${service.origin}/wpush/x`;
    service.answer = () => answer;
    await expect(send(transportOf(resolving([service.host]), SHORT_MS), endpoint)).rejects.toThrow(/abort|timeout/i);
    service.answer = () => ({ status: 201 });
    expect((await send(transportOf(resolving([service.host])), endpoint)).status).toBe(201);
  });

  it('speaks to no service whose certificate another authority signed, or that is of another name', async () => {
    const strangers = new PushTransport({ services: resolving([service.host]), timeoutMs: LONG_MS });
    afterThisTest(() => {
      strangers.close();
    });
    await expect(send(strangers, `${service.origin}/wpush/x`)).rejects.toThrow(/certificate/);
    const other = `other.example:${new URL(service.origin).port}`;
    const transport = transportOf(resolving([other, '127.0.0.1'], ['127.0.0.1']));
    await expect(send(transport, `https://${other}/wpush/x`)).rejects.toThrow(/altnames/);
    expect(service.messages).toEqual([]);
  });

  it.each([
    ['120', 120_000],
    ['999999999', 3_600_000],
    [new Date(NOW_MS + 90_000).toUTCString(), 90_000],
    [new Date(NOW_MS - 90_000).toUTCString(), 0],
    ['soon', null],
  ])('reads how long a service asks to be left alone: %s', async (text, expected) => {
    service.answer = () => ({ status: 429, headers: { 'retry-after': text } });
    const answer = await send(transportOf(resolving([service.host])), `${service.origin}/wpush/x`);
    expect(answer).toEqual({ status: 429, retryAfterMs: expected });
  });
});
