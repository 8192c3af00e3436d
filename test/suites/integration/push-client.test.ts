import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstChoices, PUSH_KINDS, type PushChoices } from '../../../app/core/push-choices.js';
import { PushClient } from '../../../app/core/push-client.js';
import { ownerKeys } from '../../../app/core/owner-keys.js';
import {
  loadPush,
  renewPush,
  subscribePush,
  unsubscribePush,
  type SubscribingDependencies,
} from '../../../app/core/push-subscription.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { PUSH_SUBSCRIPTIONS_PER_KEY_MAX } from '../../../cloud/store/bounds.js';
import type { StoreKind } from '../../../cloud/store/kinds.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { LIMITS } from '../../../common/limits.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { freePort } from '../../../scripts/free-port.js';
import { asyncCodeOf } from '../../support/codes.js';
import { BothStores } from '../../support/engines/both-stores.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { keptFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { PushSite } from '../../support/worlds/push-site.js';
import { PAGE_ORIGIN } from '../../support/worlds/test-cloud.js';

const first = firstChoices('Europe/Berlin');

/** The page's client, in a session of this key. */
function clientOf({ cloud: { origin }, clock }: PushSite, signer: Signer): PushClient {
  return new PushClient({
    suite: tweetnaclSuite,
    clock,
    keys: { ...ownerKeys(tweetnaclSuite, realRandom.bytes(32)), signer },
    cloudOrigin: origin,
    pageOrigin: PAGE_ORIGIN,
    fetch: (url, init) => fetch(url, init),
  });
}

/** A browser's own part of a subscription, as the push service of the test makes it. */
function browserOf(site: PushSite, client: PushClient) {
  const state = { made: null as ReturnType<PushSite['service']['subscribe']> | null, keys: [] as string[] };
  const subscription = () => {
    const { made } = state;
    if (made === null) return null;
    const unsubscribe = (): Promise<boolean> => {
      state.made = null;
      return Promise.resolve(true);
    };
    return { endpoint: made.endpoint, toJSON: () => ({ keys: made.keys }), unsubscribe };
  };
  const deps: SubscribingDependencies = {
    storage: new MemoryStorage(),
    client,
    manager: {
      getSubscription: () => Promise.resolve(subscription()),
      subscribe: ({ applicationServerKey }) => {
        state.keys.push(Buffer.from(applicationServerKey).toString('base64url'));
        state.made = site.service.subscribe();
        return Promise.resolve(subscription() ?? expect.fail('no subscription'));
      },
    },
  };
  return { state, deps };
}

function clientTests(kind: StoreKind): void {
  const stores = new BothStores();
  let broker: TestBroker;

  beforeAll(async () => {
    if (kind !== 'sqlite') await stores.start();
    broker = embedded(keptFolder(), await freePort());
    await broker.start();
  });

  afterAll(async () => {
    await broker.stop();
    await stores.stop();
  });

  const opened = async (): Promise<PushSite> => PushSite.open(broker, await stores.open(kind));

  it('subscribes a browser with all that it may choose, reads it back, changes it in its place, and ends it', async () => {
    const site = await opened();
    const camera = await site.camera();
    const [owner] = camera.camera.signers;
    const client = clientOf(site, owner);
    const { state, deps } = browserOf(site, client);
    const cameras = Array.from({ length: LIMITS.pushCamerasMax }, () => [toHex(realRandom.bytes(32)), [...PUSH_KINDS]]);
    const whole: PushChoices = {
      ...first,
      quiet: Array.from({ length: LIMITS.pushQuietMax }, (_, i) => ({ fromMinute: 1439 - i, toMinute: i })),
      cameras: Object.fromEntries(cameras) as PushChoices['cameras'],
    };
    const kept = await subscribePush(deps, whole);
    const [key] = state.keys;
    const listed = await client.push();
    expect(listed.key).toBe(key);
    const { id } = kept;
    expect(listed.subscriptions).toMatchObject([
      { id, endpointHost: site.service.host, lastOkMs: null, choices: whole },
    ]);
    expect((await subscribePush(deps, first)).id).toBe(id);
    await camera.motion();
    await until('it was notified', () => site.told(kept).length === 1);
    // Who sends is who the browser subscribed for.
    expect(site.service.messages[0]?.vapid.key).toBe(key);
    await until('it was noted', async () => (await client.push()).subscriptions[0]?.lastOkMs !== null);
    expect((await client.push()).subscriptions.map(({ choices }) => choices)).toEqual([first]);
    // The control of what renews: nothing is wrong.
    expect(await renewPush(deps)).toBe(false);
    await unsubscribePush(deps);
    expect((await client.push()).subscriptions).toEqual([]);
    await client.unsubscribe(id);
  });

  it('is refused by the code that the page explains: a stranger, another push service, one browser too many', async () => {
    const site = await opened();
    const camera = await site.camera();
    const client = clientOf(site, camera.camera.signers[0]);
    const stranger = clientOf(site, nodeSuite.ed25519Signer(realRandom.bytes(32)));
    const one = site.service.subscribe();
    expect(await asyncCodeOf(() => stranger.subscribe(one, first))).toBe('foreign');
    const elsewhere = { ...one, endpoint: 'https://127.0.0.1:1/x' };
    expect(await asyncCodeOf(() => client.subscribe(elsewhere, first))).toBe('request-invalid');
    const { deps, state } = browserOf(site, client);
    await subscribePush(deps, first);
    for (let i = 1; i < PUSH_SUBSCRIPTIONS_PER_KEY_MAX; i++) await client.subscribe(site.service.subscribe(), first);
    expect(await asyncCodeOf(() => client.subscribe(one, first))).toBe('rate-limited');
    // One of them whose push service gave it another endpoint is the same browser.
    state.made = site.service.subscribe();
    const { endpoint } = state.made;
    expect(await renewPush(deps)).toBe(true);
    expect((await loadPush(deps.storage))?.endpoint).toBe(endpoint);
    expect((await client.push()).subscriptions).toHaveLength(PUSH_SUBSCRIPTIONS_PER_KEY_MAX);
  });
}

describe('the page’s client of notifications, SQLite', () => {
  clientTests('sqlite');
});

describeWith('postgres', 'the page’s client of notifications, PostgreSQL', () => {
  clientTests('postgres');
});

describe('a browser that speaks with the cloud', () => {
  it('is let send what the client sends, from the page alone', async () => {
    const broker = embedded(keptFolder(), await freePort());
    await broker.start();
    const site = await PushSite.open(broker);
    const asked = async (origin: string, method: string, path: string): Promise<boolean> => {
      const { headers } = await fetch(`${site.cloud.origin}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
      const list = (name: string): string[] => (headers.get(name) ?? '').split(/, */u);
      const isNamed = ['authorization', 'content-type'].every((name) =>
        list('access-control-allow-headers').includes(name),
      );
      const isOrigin = headers.get('access-control-allow-origin') === origin;
      return isOrigin && isNamed && list('access-control-allow-methods').includes(method);
    };
    const requests = [
      ['GET', '/v1/push'],
      ['PUT', '/v1/push'],
      ['DELETE', `/v1/push/${'0'.repeat(32)}`],
    ] as const;
    for (const [method, path] of requests) {
      expect(await asked(PAGE_ORIGIN, method, path), method).toBe(true);
      expect(await asked('https://elsewhere.example', method, path), method).toBe(false);
    }
    await site.cloud.stop();
    await broker.stop();
  });
});
