import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { STORE_KINDS, type StoreKind } from '../../../cloud/store/kinds.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Notice } from '../../../protocol/transport/notice.js';
import { freePort } from '../../../scripts/free-port.js';
import { BothStores } from '../../support/engines/both-stores.js';
import { embedded, mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { PushSite, type ALL_KINDS } from '../../support/worlds/push-site.js';

const MINUTE_MS = 60_000;
const kindsOf = (notices: readonly Notice[]): string[] => notices.map(({ type }) => type);

function pushTests(make: (folder: string, port: number) => TestBroker, kind: StoreKind): void {
  const stores = new BothStores();
  let broker: TestBroker;

  beforeAll(async () => {
    if (kind !== 'sqlite') await stores.start();
    broker = make(keptFolder(), await freePort());
    await broker.start();
  });

  afterAll(async () => {
    await broker.stop();
    await stores.stop();
  });

  const opened = async (): Promise<PushSite> => PushSite.open(broker, await stores.open(kind));

  it('brings the start of motion, with its small picture, to each browser of the household and to nobody else', async () => {
    const site = await opened();
    const [camera, other] = [await site.camera(), await site.camera()];
    const [owner, further, member] = camera.camera.signers;
    const browsers = [await site.subscribe(owner), await site.subscribe(owner), await site.subscribe(member)];
    const stranger = await site.subscribe(other.camera.signers[0]);
    expect([...browsers, stranger].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const start = await camera.motion();
    await until('all heard', () => browsers.every((browser) => site.told(browser).length === 1));
    for (const browser of browsers) {
      const [notice] = site.told(browser);
      if (notice?.type !== 'record') throw new Error('no record');
      expect(toHex(notice.record)).toBe(toHex(start.bytes));
      const named = start.value.media?.find(({ role }) => role === 'mini');
      expect(toHex(nodeSuite.sha256(notice.mini?.body ?? new Uint8Array(0)))).toBe(
        toHex(named?.bodyHash ?? new Uint8Array(0)),
      );
    }
    const [message] = site.service.messages;
    expect(message?.headers).toMatchObject({ ttl: '3600', urgency: 'high', 'content-encoding': 'aes128gcm' });
    expect(message?.vapid).toMatchObject({ audience: site.service.origin, subject: 'mailto:operator@cloud.example' });
    // Each is a read, which says whether a picture went with it.
    const lines = await site.store.access.ofReadable(owner.publicKey, 10);
    const mini = start.value.media?.find(({ role }) => role === 'mini')?.id ?? new Uint8Array(0);
    expect(lines.filter(({ what }) => what === 'push')).toHaveLength(3);
    expect(lines.map(({ reader, mediaId }) => [toHex(reader), toHex(mediaId ?? new Uint8Array(0))])).toEqual(
      expect.arrayContaining([owner, member].map(({ publicKey }) => [toHex(publicKey), toHex(mini)])),
    );

    const event = start.value.event;
    if (event === undefined) throw new Error('no event');
    await camera.send({ kind: 'motion', event: { ...event, phase: 'update', revision: 1 } });
    await camera.send({ kind: 'motion', event: { ...event, phase: 'end', revision: 2 } });
    const late = await site.subscribe(further);
    const plain = await camera.motion(0, false);
    await until('all heard again', () => [...browsers, late].every((b) => site.told(b).length > 0));
    await until('of the last', () => site.service.messages.length === 7);
    expect(site.told(late)).toEqual([{ type: 'record', record: plain.bytes, mini: null }]);
    expect(browsers.map((browser) => site.told(browser).length)).toEqual([2, 2, 2]);
    expect(site.told(stranger)).toEqual([]);
    // The same topic replaces what waits at the service; that of another browser is another.
    const topics = site.service.messages.map(({ headers }) => headers['topic']);
    expect(new Set(topics).size).toBe(4);
  });

  it('tells what each browser chose, by kind, camera and hour', async () => {
    const site = await opened();
    const [camera, other] = [await site.camera(), await site.camera()];
    const [owner] = camera.camera.signers;
    const all = await site.subscribe(owner);
    const few = await site.subscribe(owner, { kinds: ['loss'] });
    const here = await site.subscribe(owner, { kinds: [], cameras: { [toHex(camera.device)]: ['tamper'] } });
    const elsewhere = await site.subscribe(owner, { cameras: { [toHex(camera.device)]: [] } });
    const asleep = await site.subscribe(owner, { quiet: [{ fromMinute: 0, toMinute: 0 }] });
    await camera.send({ kind: 'scene', scene: { class: 'tamper' }, event: single() });
    await camera.send({ kind: 'scene', scene: { class: 'tamper', durationMs: 5 }, event: single() });
    await camera.send({ kind: 'scene', scene: { class: 'illumination' }, event: single() });
    await camera.send({ kind: 'gap', loss: [{ reason: 'full', count: 3 }] });
    await camera.send({ kind: 'gap', loss: [{ reason: 'rate-limit', count: 3 }] });
    const viewer = { source: 'member', action: 'look', result: 'done' } as const;
    const look = { order: realRandom.bytes(500), expiresMs: 1000 };
    await camera.send({
      kind: 'command',
      command: { ...viewer, look: { ...look, ciphertext: realRandom.bytes(1120) } },
    });
    await camera.send({ kind: 'command', command: { ...viewer, look: { ...look, ciphertext: null } } });
    await site.sendLast(camera, all);
    await until('each has its own', () => site.told(few).length === 1 && site.told(here).length === 1);
    expect(site.told(all)).toHaveLength(4);
    expect([elsewhere, asleep].map((browser) => site.told(browser))).toEqual([[], []]);
    await until('it was counted', () => site.counters['push.withheld.quiet'] === 4);
    expect(site.service.messages.map(({ headers }) => headers['urgency'])).toContain('normal');
    // The control: the choice for one camera is not one for another, whose household hears.
    const control = await site.subscribe(other.camera.signers[0]);
    await site.sendLast(other, control);
  });

  it('tells the others of a new member, and a member who was removed nothing more', async () => {
    const site = await opened();
    const camera = await site.camera();
    const [owner, further, member] = camera.camera.signers;
    const browsers = [await site.subscribe(owner), await site.subscribe(member)] as const;
    await camera.motion();
    await until('both heard', () => browsers.every((browser) => site.told(browser).length === 1));
    const { recipients } = camera.claim.value;
    const guest = nodeSuite.ed25519Signer(realRandom.bytes(32));
    const [first, second] = recipients;
    if (first === undefined || second === undefined) throw new Error('no recipients');
    const added = { ed25519: guest.publicKey, kem: realRandom.bytes(32), role: 'member' } as const;
    await camera.claimAgain({ recipients: [first, second, added] });
    await until('the owner heard', () => site.told(browsers[0]).length === 2);
    const told = await site.subscribe(guest);
    const late = await site.subscribe(further);
    await site.sendLast(camera, browsers[0], told, late);
    expect(site.told(browsers[0])).toHaveLength(3);
    expect(site.told(told)).toHaveLength(1);
    expect(site.told(browsers[1])).toHaveLength(1);
    // The member may still read what was theirs.
    const { device } = camera;
    const read = await site.request(member, 'GET', `/v1/cameras/${toHex(device)}/1/records`);
    expect(read.status).toBe(200);
  });

  it('wakes nobody for what happened before: an hour of events is one summary, and what follows comes at once', async () => {
    const site = await opened();
    const camera = await site.camera();
    const [owner] = camera.camera.signers;
    const all = await site.subscribe(owner);
    const few = await site.subscribe(owner, { kinds: ['tamper'] });
    const none = await site.subscribe(owner, { kinds: ['look'] });
    for (let minute = 60; minute > 5; minute--) {
      await camera.motion(minute * MINUTE_MS, false);
      // As a camera waits for receipts: of one that sends without end, ingest drops what is too much.
      await until('it is stored', () => site.counters['push.withheld.late'] === 61 - minute);
    }
    await camera.send({ kind: 'scene', scene: { class: 'tamper' }, event: single() }, 6 * MINUTE_MS);
    await site.sendLast(camera, all);
    await until('all of it came', () => site.counters['push.withheld.late'] === 56);
    expect(kindsOf(site.told(all))).toEqual(['record']);
    site.clock.forward(31_000);
    // The window of the test's fleet of one.
    await until('the summaries wait', () => site.cloud.cloud.gauges().pushes === 2);
    site.clock.forward(5000);
    await until('both heard', () => site.told(all).length === 2 && site.told(few).length === 1);
    const { device } = camera;
    expect(site.told(all)[1]).toEqual({ type: 'summary', device, count: 56 });
    expect(site.told(few)).toEqual([{ type: 'summary', device, count: 1 }]);
    expect(site.told(none)).toEqual([]);
  });

  it('tells once of a camera that is silent for two cadences', async () => {
    const site = await opened();
    const [silent, talking] = [await site.camera(), await site.camera()];
    const [first, second] = [silent.camera.signers[0], talking.camera.signers[0]];
    const browser = await site.subscribe(first);
    const other = await site.subscribe(second, { kinds: ['silent'] });
    await site.sendLast(silent, browser);
    await talking.motion();
    await until('both are known', () => site.counters['records.stored'] === 2);
    site.clock.forward(29 * MINUTE_MS);
    await talking.motion();
    await until('it was heard', () => site.counters['records.stored'] === 3);
    site.clock.forward(2 * MINUTE_MS);
    await until('it waits', () => site.cloud.cloud.gauges().pushes === 1);
    site.clock.forward(5000);
    await until('it was sent', () => site.told(browser).length === 2);
    expect(site.told(browser)[1]).toMatchObject({ type: 'silent', device: silent.device });
    site.clock.forward(10 * MINUTE_MS);
    site.clock.forward(10 * MINUTE_MS);
    await site.sendLast(silent, browser);
    expect(kindsOf(site.told(browser))).toEqual(['record', 'silent', 'record']);
    expect(site.told(other)).toEqual([]);
  });

  it('removes a browser that is gone, leaves alone a service that asks for it, and never holds up ingest', async () => {
    const site = await opened();
    const camera = await site.camera();
    const [owner, , member] = camera.camera.signers;
    const [gone, busy, good] = [await site.subscribe(owner), await site.subscribe(owner), await site.subscribe(member)];
    const pathOf = ({ endpoint }: { readonly endpoint: string }): string => new URL(endpoint).pathname;
    site.service.answer = (path) => {
      if (path === pathOf(gone)) return { status: 410 };
      return path === pathOf(busy) ? { status: 429, headers: { 'retry-after': '60' } } : { status: 201 };
    };
    await site.sendLast(camera, good);
    await until('one is gone', async () => (await site.store.push.ofKeys([owner.publicKey])).length === 1);
    const before = site.service.messages.length;
    await site.sendLast(camera, good);
    expect(site.service.messages.slice(before).map(({ path }) => path)).toEqual([pathOf(good)]);
    site.service.answer = () => ({ status: 201 });
    site.clock.forward(MINUTE_MS);
    await until('the other heard of the last', () => site.told(busy).length === 1);
    const listed = (await (await site.request(owner, 'GET', '/v1/push')).json()) as { subscriptions: { id: string }[] };
    expect(listed.subscriptions.map(({ id }) => id)).toEqual([busy.id]);

    site.service.answer = () => 'stall';
    const { receipts } = camera;
    for (let i = 0; i < 5; i++) await camera.motion();
    await until('all are receipted', () => camera.receipts > receipts && site.counters['records.stored'] === 7);
    expect(site.told(good)).toHaveLength(2);
  });

  it('lists, replaces and removes the browsers of a key, eight at most, and gives no other key a right to them', async () => {
    const site = await opened();
    const [camera, other] = [await site.camera(), await site.camera()];
    const [owner] = camera.camera.signers;
    const browser = site.service.subscribe();
    const first = await site.subscribe(owner, {}, browser);
    const again = await site.subscribe(owner, { kinds: ['look'] }, browser);
    expect([first.status, again.status, again.id]).toEqual([200, 200, first.id]);
    const listed = async (signer: typeof owner) =>
      (await (await site.request(signer, 'GET', '/v1/push')).json()) as {
        readonly key: string;
        readonly subscriptions: readonly object[];
      };
    const { key, subscriptions } = await listed(owner);
    expect(Buffer.from(key, 'base64url')).toHaveLength(65);
    expect(subscriptions).toMatchObject([
      { id: first.id, endpointHost: site.service.host, lastOkMs: null, choices: { kinds: ['look'] } },
    ]);
    for (let i = 0; i < 7; i++) expect((await site.subscribe(owner)).status).toBe(200);
    expect((await site.subscribe(owner)).status).toBe(429);
    const [neighbour] = other.camera.signers;
    expect((await listed(neighbour)).subscriptions).toEqual([]);
    expect((await site.request(neighbour, 'DELETE', `/v1/push/${first.id}`)).status).toBe(204);
    expect((await listed(owner)).subscriptions).toHaveLength(8);
    for (const id of [first.id, first.id]) {
      expect((await site.request(owner, 'DELETE', `/v1/push/${id}`)).status).toBe(204);
    }
    expect((await listed(owner)).subscriptions).toHaveLength(7);
    const stranger = nodeSuite.ed25519Signer(realRandom.bytes(32));
    expect((await site.subscribe(stranger)).status).toBe(403);
    const bad = [
      { timeZone: 'Mars/Olympus' },
      { quiet: [{ fromMinute: 0, toMinute: 1440 }] },
      { kinds: ['everything'] as unknown as typeof ALL_KINDS },
      { cameras: { nothing: [] } },
    ];
    for (const choices of bad) expect((await site.subscribe(owner, choices)).status).toBe(400);
    const keys = { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: browser.keys.auth };
    expect((await site.subscribe(owner, {}, { ...browser, keys })).status).toBe(400);
  });
}

function single(): { readonly id: Uint8Array; readonly phase: 'single'; readonly revision: 0 } {
  return { id: realRandom.bytes(16), phase: 'single', revision: 0 };
}

describe.each(STORE_KINDS)('notifications with %s', (kind) => {
  describeWith(kind === 'sqlite' ? 'mosquitto' : 'postgres', 'and a real broker', () => {
    pushTests(kind === 'sqlite' ? (folder, port) => mosquitto(folder, port) : embedded, kind);
  });
});
