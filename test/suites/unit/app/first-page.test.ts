import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { CloudClient } from '../../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { ownerKeys, recipientOf } from '../../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../../app/core/owner-session.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import { ApiWorld, CLOUD, PAGE } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { HEALTH } from '../../../support/worlds/cloud-world.js';
import { stored } from '../../../support/worlds/stored-event.js';
import { until } from '../../../support/runner/wait.js';

const FIRST_RECORDS = 24;

interface Opened {
  readonly session: OwnerSession;
  /** Method, path and type of the body of each request, in order. */
  readonly requests: string[];
  readonly stop: () => Promise<void>;
}

interface Circumstances {
  readonly isOld?: boolean;
  readonly beforeStream?: () => Promise<unknown>;
}

/** An owner's page over real sockets. */
async function open(
  api: ApiWorld,
  master: Uint8Array,
  { isOld = false, beforeStream = () => Promise.resolve() }: Circumstances = {},
): Promise<Opened> {
  const port = await api.port();
  const keys = ownerKeys(tweetnaclSuite, master);
  const history = new HistoryKeeper(tweetnaclSuite, new MemoryStorage(), recipientOf(keys));
  await history.load();
  const requests: string[] = [];
  const client = new CloudClient({
    suite: tweetnaclSuite,
    clock: api.clock,
    keys,
    cloudOrigin: CLOUD,
    pageOrigin: PAGE,
    firstRecords: FIRST_RECORDS,
    fetch: async (url, init) => {
      const { pathname, search } = new URL(url);
      const type = new Headers(init.headers).get('content-type') ?? '';
      requests.push(`${String(init.method)} ${pathname} ${type}`.trim());
      // A cloud of version 0.1 knows neither JSON as text nor the question for the first page.
      const isUnknown = type === 'text/plain';
      if (isOld && isUnknown) {
        const error = { code: 'request-invalid', message: 'body', hint: '' };
        return Response.json({ error }, { status: 400 });
      }
      if (pathname === '/v1/stream') await beforeStream();
      return fetch(`http://127.0.0.1:${String(port)}${pathname}${search}`, init);
    },
  });
  const session = new OwnerSession({ client, history, clock: api.clock, random: realRandom });
  const stopping = new AbortController();
  const running = session.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return { session, requests, stop };
}

/** An owner with one camera, whose event is stored. */
function owned(api: ApiWorld): { readonly master: Uint8Array; readonly world: CameraWorld } {
  const master = realRandom.bytes(32);
  const keys = ownerKeys(tweetnaclSuite, master);
  const world = new CameraWorld({ owner: keys.signer, ownerSecret: keys.recipient.secret, cloud: api.receiptSigner });
  return { master, world };
}

const isLive = ({ session }: Opened): boolean => session.view().connection === 'live';

describe('the first page', () => {
  it('shows cameras and events after two requests, which need no leave of the cloud', async () => {
    const api = await ApiWorld.open();
    const { master, world } = owned(api);
    await stored(api, world);
    const page = await open(api, master);
    await until('the page is live', () => isLive(page));
    expect(page.requests).toEqual(['POST /v1/session/challenge', 'POST /v1/session text/plain', 'GET /v1/stream']);
    expect(page.session.view()).toMatchObject({ isLoaded: true, alarms: [], events: [{ verdict: 'intact' }] });
    await page.stop();
  });

  it('misses nothing that was stored between it and the stream', async () => {
    const api = await ApiWorld.open();
    const { master, world } = owned(api);
    const { claim, last } = await stored(api, world);
    const record = world.record(claim, 2, last.hash, { kind: 'health', health: HEALTH });
    const page = await open(api, master, {
      beforeStream: () => api.store.records.put(record, [], api.clock.wallMs()),
    });
    await until('the health record', () => page.session.view().cameras[0]?.health?.seq === 2);
    expect(page.session.view()).toMatchObject({ alarms: [], marks: [] });
    await page.stop();
  });

  it('is followed by older records of the camera that is looked at, and of no other', async () => {
    const api = await ApiWorld.open();
    const { master, world } = owned(api);
    const other = new CameraWorld({ owner: world.owner, ownerSecret: world.ownerSecret, cloud: api.receiptSigner });
    for (const camera of [world, other]) {
      const claim = camera.claim();
      const [accept, ...records] = camera.chain(claim, 2 * FIRST_RECORDS);
      if (accept !== undefined) await api.store.claims.accept(claim, accept, api.clock.wallMs());
      for (const record of records) await api.store.records.put(record, [], api.clock.wallMs());
    }
    const page = await open(api, master);
    await until('the page is live', () => isLive(page));
    const older = async (device: string | null): Promise<string[]> => {
      page.requests.length = 0;
      await page.session.loadOlder(device);
      return page.requests.map((request) => request.split('/')[3] ?? '');
    };
    expect(await older(toHex(other.deviceId))).toEqual([toHex(other.deviceId)]);
    // The control: of all cameras, where none is chosen. The other one has no older records any more.
    expect(await older(null)).toEqual([toHex(world.deviceId)]);
    await page.stop();
  });

  it('is left out by a cloud that does not know the question, and where reading is paused', async () => {
    const api = await ApiWorld.open();
    const { master, world } = owned(api);
    await stored(api, world);
    const old = await open(api, master, { isOld: true });
    await until('the page is live', () => isLive(old));
    expect(old.requests.slice(0, 4)).toEqual([
      'POST /v1/session/challenge',
      'POST /v1/session text/plain',
      'POST /v1/session/challenge',
      'POST /v1/session application/json',
    ]);
    expect(old.session.view().events).toHaveLength(1);
    await old.stop();

    await api.store.reads.pause({ account: null, sentence: 'Paused for a check.', sinceMs: 0 });
    const paused = await open(api, master);
    await until('the pause', () => paused.session.view().connection === 'paused');
    expect(paused.session.view()).toMatchObject({
      isLoaded: false,
      events: [],
      problem: { message: 'Paused for a check.' },
    });
    await paused.stop();
  });
});
