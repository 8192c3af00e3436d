import { addressShare } from '../../../../common/adapters/address-share.js';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Counters } from '../../../../common/counters.js';
import { HTTP_LIMITS, isNetwork, networks, Share, type HttpLimits } from '../../../../cloud/api/shares.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { limitMs } from '../../../support/runner/speed.js';
import { until } from '../../../support/runner/wait.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { HEALTH, scene } from '../../../support/worlds/cloud-world.js';
import { stored } from '../../../support/worlds/stored-event.js';

type Server = Parameters<typeof ApiWorld.open>[3];

const worldWith = (server: Server): Promise<ApiWorld> =>
  ApiWorld.open(undefined, {}, openSqliteStore(join(tempFolder(), 'cloud.db')), server);
const limited = (limits: Partial<HttpLimits>): Promise<ApiWorld> =>
  worldWith({ limits: { ...HTTP_LIMITS, ...limits } });

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['', 'unknown'],
    ['somebody', 'unknown'],
  ])('%s has the share %s', (address, share) => {
    expect(addressShare(address)).toBe(share);
  });

  it('lies in a named network or does not', () => {
    const isProxy = networks(['172.16.0.0/12', '192.0.2.1', '2001:db8::/32']);
    const inside = ['172.16.2.3', '::ffff:172.16.2.3', '192.0.2.1', '2001:db8:5::1'];
    expect(inside.map(isProxy)).toEqual(inside.map(() => true));
    const outside = ['11.1.2.3', '192.0.2.2', '2001:db9::1', 'somebody', ''];
    expect(outside.map(isProxy)).toEqual(outside.map(() => false));
    expect(
      ['172.16.0.0/33', '10.0.0', 'proxy.example', '::/129', '172.16.0.0/12/8', '172.16.0.0/'].map(isNetwork),
    ).toEqual(Array.from({ length: 6 }, () => false));
  });
});

describe('requests behind a balancer', () => {
  const codes = async (api: ApiWorld, forwardedFor: (i: number) => string): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < 12; i++) {
      const headers = { 'x-forwarded-for': forwardedFor(i) };
      found.push((await api.app.inject({ url: '/healthz', headers, remoteAddress: '172.16.0.1' })).statusCode);
    }
    return found;
  };
  const refused = (found: readonly number[]): number => found.filter((code) => code === 429).length;

  it('count by client where the balancer is named, and by the balancer where it is not', async () => {
    const named = await worldWith({ requestsPerMinute: 10, trustedProxies: ['172.16.0.0/12'] });
    expect(refused(await codes(named, (i) => `203.0.113.${String(i)}`))).toBe(0);
    const unnamed = await worldWith({ requestsPerMinute: 10 });
    expect(refused(await codes(unnamed, (i) => `203.0.113.${String(i)}`))).toBe(2);
    expect(unnamed.counters.get('shares.requests')).toBe(2);
    const other = await worldWith({ requestsPerMinute: 10, trustedProxies: ['192.0.2.1'] });
    expect(refused(await codes(other, (i) => `203.0.113.${String(i)}`))).toBe(2);
  });

  it('count by what the balancer saw, whatever the client wrote before it', async () => {
    const api = await worldWith({ requestsPerMinute: 10, trustedProxies: ['172.16.0.0/12'] });
    expect(refused(await codes(api, (i) => `198.51.100.${String(i)}, 203.0.113.9`))).toBe(2);
  });

  it('count an IPv6 client by its /64', async () => {
    const api = await worldWith({ requestsPerMinute: 10, trustedProxies: ['172.16.0.0/12'] });
    expect(refused(await codes(api, (i) => `2001:db8:1:2::${String(i)}`))).toBe(2);
    const many = await worldWith({ requestsPerMinute: 10, trustedProxies: ['172.16.0.0/12'] });
    expect(refused(await codes(many, (i) => `2001:db8:1:${String(i)}::1`))).toBe(0);
  });
});

describe('open streams', () => {
  it('have a share for each person, and for all whom no claim names', async () => {
    const api = await limited({ streamsPerKey: 2, strangerStreamsMax: 3 });
    const own = await stored(api);
    const [one, other] = [new CameraWorld(), new CameraWorld()];
    const tokens = [(await api.session(one.owner)).token, (await api.session(other.owner)).token];
    const statuses: number[] = [];
    for (const token of [...tokens, ...tokens, ...tokens]) statuses.push((await api.stream(token)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
    // Whatever strangers hold, an owner has a share of her own.
    expect((await api.stream(own.token)).status).toBe(200);
    expect(api.counters.get('shares.streams-per-key')).toBe(1);
    expect(api.counters.get('shares.streams-of-strangers')).toBe(2);
  });

  it('have a share for each address, which is free again when one ends', async () => {
    const api = await limited({ streamsPerAddress: 1 });
    const own = await stored(api);
    const port = await api.port();
    const over = new AbortController();
    const open = (signal?: AbortSignal): Promise<Response> =>
      fetch(`http://127.0.0.1:${String(port)}/v1/stream`, {
        headers: { authorization: `Bearer ${own.token}` },
        ...(signal === undefined ? {} : { signal }),
      });
    expect((await open(over.signal)).status).toBe(200);
    expect((await open()).status).toBe(429);
    expect(api.counters.get('shares.streams-per-address')).toBe(1);
    over.abort();
    await until('the first has ended', () => api.counters.get('streams.closed') === 1);
    const again = await open();
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('give their share back when they are refused after it was taken', () => {
    const counters = new Counters();
    const share = new Share('streams-per-key', 1, counters);
    const release = share.acquire('anna');
    expect(share.acquire('anna')).toBeNull();
    expect(share.acquire('ben')).not.toBeNull();
    release?.();
    release?.();
    expect(share.acquire('anna')).not.toBeNull();
    expect(share.acquire('anna')).toBeNull();
  });

  it('cost nothing for what they may not see: no call of the store, however many there are', async () => {
    const calls = new Map<string, number>();
    const count = <T extends object>(group: string, part: T): T =>
      new Proxy(part, {
        get: (target, name, receiver) => {
          calls.set(group, (calls.get(group) ?? 0) + 1);
          return Reflect.get(target, name, receiver) as unknown;
        },
      });
    const api = await ApiWorld.open((store) => ({
      ...store,
      claims: count('claims', store.claims),
      records: count('records', store.records),
      reads: count('reads', store.reads),
      accounts: count('accounts', store.accounts),
    }));
    const own = await stored(api);
    const mine = await api.stream(own.token);
    const sum = (): number => [...calls.values()].reduce((a, b) => a + b, 0);
    const publish = async (seq: number): Promise<number> => {
      await api.store.records.put(scene(own.world, own.claim, seq, new Uint8Array(32)), [], api.clock.wallMs());
      const before = sum();
      api.feed.publish({ type: 'record', device: own.world.deviceId, epoch: 1, seq });
      await until('it came', () => mine.summaries.includes(`record ${String(seq)}`));
      return sum() - before;
    };
    await until('it is ready', () => mine.summaries.length === 1);
    const alone = await publish(5);
    const strangers: { summaries: string[] }[] = [];
    for (let i = 0; i < 30; i++) strangers.push(await api.stream((await api.session(new CameraWorld().owner)).token));
    await until('all are ready', () => strangers.every(({ summaries }) => summaries.length === 1));
    expect(await publish(8)).toBe(alone);
    expect(strangers.flatMap(({ summaries }) => summaries).filter((name) => name !== 'ready')).toEqual([]);
  });

  it('end where their news were lost, so that their reader resumes', async () => {
    let isBroken = false;
    const api = await ApiWorld.open((store) => ({
      ...store,
      claims: {
        ...store.claims,
        row: (...args) => (isBroken ? Promise.reject(new Error('no answer')) : store.claims.row(...args)),
      },
    }));
    const own = await stored(api);
    const mine = await api.stream(own.token);
    await until('it is ready', () => mine.summaries.length === 1);
    isBroken = true;
    api.feed.publish({ type: 'record', device: own.world.deviceId, epoch: 1, seq: 1 });
    await mine.ended;
    expect(api.counters.get('streams.store-unavailable')).toBe(1);
  });
});

describe('connections', () => {
  async function dial(port: number): Promise<{ socket: Socket; isClosed: () => boolean; text: () => string }> {
    let isClosed = false;
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => (isClosed = true));
    socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
    afterThisTest(() => {
      socket.destroy();
    });
    await until('it is connected or refused', () => isClosed || socket.readyState === 'open');
    return { socket, isClosed: () => isClosed, text: () => text };
  }
  const HEAD = 'POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60\r\n';

  it('whose headers or body do not arrive in time are closed', async () => {
    // The whole request at the end has to arrive within them on a busy machine too.
    const headersWithinMs = limitMs(200);
    const api = await limited({ headersWithinMs, requestWithinMs: 2 * headersWithinMs, checkIntervalMs: 10 });
    const port = await api.port();
    for (const part of [HEAD, `${HEAD}\r\n{`]) {
      const slow = await dial(port);
      slow.socket.write(part);
      await until('it is closed', slow.isClosed);
      expect(slow.text()).toContain('408');
    }
    expect(api.counters.get('shares.slow-requests')).toBe(2);
    // The same request, whole, is answered: it is the waiting that ends the others.
    const whole = await dial(port);
    whole.socket.write(`${HEAD}\r\n{"session":"${'A'.repeat(46)}"}`);
    await until('it is answered', () => whole.text().includes('HTTP/1.1 4'));
    expect(whole.text()).not.toContain('408');
  });

  it('have a share for each address, and a balancer that is named has none', async () => {
    const api = await limited({ connectionsPerAddress: 2 });
    const port = await api.port();
    const open = [await dial(port), await dial(port)];
    const third = await dial(port);
    await until('the third is closed', third.isClosed);
    expect(open.map(({ isClosed }) => isClosed())).toEqual([false, false]);
    expect(api.counters.get('shares.connections-per-address')).toBe(1);
    const trusted = await worldWith({
      limits: { ...HTTP_LIMITS, connectionsPerAddress: 1 },
      trustedProxies: ['127.0.0.1'],
    });
    const other = await trusted.port();
    const all = [await dial(other), await dial(other), await dial(other)];
    for (const { socket } of all) socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('all are answered', () => all.every(({ text }) => text().includes('HTTP/1.1 200')));
  });
});

describe('cameras whose owners name a person without asking', () => {
  async function named(api: ApiWorld, victim: CameraWorld, epochs: number): Promise<CameraWorld> {
    const rogue = new CameraWorld({ cloud: api.receiptSigner });
    let previous: Uint8Array | null = null;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const claim = rogue.claim(epoch, previous, { recipients: [rogue.recipient, victim.recipient] });
      await api.store.claims.accept(claim, rogue.record(claim, 0, claim.hash, { kind: 'accept' }), api.clock.wallMs());
      previous = claim.hash;
    }
    return rogue;
  }
  const cameras = async (api: ApiWorld, token: string): Promise<number> =>
    ((await api.get('/v1/cameras', token)).body as { cameras: unknown[] }).cameras.length;

  it('add a few invitations to the lists of that person, whatever their number, and all once accepted', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    expect(await cameras(api, own.token)).toBe(1);
    const rogue = await named(api, own.world, 40);
    expect(await cameras(api, own.token)).toBe(3);
    for (let i = 0; i < 8; i++) await named(api, own.world, 3);
    expect(await cameras(api, own.token)).toBe(9);
    // The control: for someone who accepted that household, its epochs are all there.
    const { token } = await api.session(own.world.owner, {}, {}, [rogue.account]);
    expect(await cameras(api, token)).toBe(1 + 40 + 8);
  });

  it('do not push the lines of the household out of its access log', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token);
    const rogue = await named(api, own.world, 1);
    const { token } = await api.session(rogue.owner);
    for (let i = 0; i < 5; i++) await api.get(ApiWorld.recordsUrl(rogue.deviceId), token);
    const lines = async (of: string): Promise<number> =>
      ((await api.get('/v1/access', of)).body as { entries: unknown[] }).entries.length;
    expect(await lines(own.token)).toBe(1);
    expect(await lines((await api.session(own.world.owner, {}, {}, [rogue.account])).token)).toBe(6);
  });

  it('cost one write of the access log for a list of many cameras', async () => {
    let writes = 0;
    const lines: number[] = [];
    const api = await ApiWorld.open((store) => ({
      ...store,
      access: {
        ...store.access,
        append: (entries) => {
          writes++;
          lines.push(entries.length);
          return store.access.append(entries);
        },
      },
    }));
    const own = await stored(api);
    const world = new CameraWorld({ cloud: api.receiptSigner });
    let previous: Uint8Array | null = null;
    for (let epoch = 1; epoch <= 6; epoch++) {
      const claim = world.claim(epoch, previous, { recipients: [world.recipient, own.world.recipient] });
      const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
      await api.store.claims.accept(claim, accept, 1);
      const health = world.record(claim, 1, accept.hash, { kind: 'health', health: HEALTH });
      await api.store.records.put(health, [], api.clock.wallMs());
      previous = claim.hash;
    }
    const { token } = await api.session(world.owner);
    expect(await cameras(api, token)).toBe(6);
    expect([writes, lines]).toEqual([1, [6]]);
  });
});
