import { describe, expect, it } from 'vitest';
import { firstChoices, type PushChoices } from '../../../../app/core/push-choices.js';
import type { SubscriptionJson } from '../../../../app/core/push-client.js';
import {
  loadPush,
  renewPush,
  subscribePush,
  unsubscribePush,
  type SubscribingDependencies,
} from '../../../../app/core/push-subscription.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { SealcamError } from '../../../../common/errors.js';
import { asyncCodeOf } from '../../../support/codes.js';

const choices = firstChoices('Europe/Berlin');

/** A cloud and a browser, each with its own idea of the subscription. */
function world() {
  const storage = new MemoryStorage();
  const cloud = new Map<string, { readonly endpoint: string; readonly choices: PushChoices }>();
  const state = { key: 'AQID' as string | null, endpoint: null as string | null, made: 0, keys: [] as string[] };
  const subscriptionOf = (endpoint: string) => ({
    endpoint,
    toJSON: () => ({ keys: { p256dh: 'p', auth: 'a' } }),
    unsubscribe: () => {
      state.endpoint = null;
      return Promise.resolve(true);
    },
  });
  const deps: SubscribingDependencies = {
    storage,
    client: {
      cloudOrigin: 'https://cloud.example',
      push: () => {
        const rest = { endpointHost: 'push.example', createdAtMs: 0, lastOkMs: null };
        const subscriptions = [...cloud].map(([id, one]) => ({ ...rest, id, choices: one.choices }));
        return Promise.resolve({ key: state.key, subscriptions });
      },
      subscribe: ({ endpoint }: SubscriptionJson, chosen) => {
        const id = `id of ${endpoint}`;
        cloud.set(id, { endpoint, choices: chosen });
        return Promise.resolve(id);
      },
      unsubscribe: (id) =>
        cloud.delete(id) ? Promise.resolve() : Promise.reject(new SealcamError('not-found', 'no such subscription')),
    },
    manager: {
      getSubscription: () => Promise.resolve(state.endpoint === null ? null : subscriptionOf(state.endpoint)),
      subscribe: ({ applicationServerKey, userVisibleOnly }) => {
        expect(userVisibleOnly).toBe(true);
        state.keys.push([...applicationServerKey].join());
        state.endpoint = `https://push.example/${String(++state.made)}`;
        return Promise.resolve(subscriptionOf(state.endpoint));
      },
    },
  };
  return { storage, cloud, state, deps };
}

describe('the subscription of a browser', () => {
  it('is made with the key of the cloud, kept, changed in its place, and ended', async () => {
    const { storage, cloud, state, deps } = world();
    expect(await loadPush(storage)).toBeNull();
    const kept = await subscribePush(deps, choices);
    expect(await loadPush(storage)).toEqual(kept);
    expect(state.keys).toEqual(['1,2,3']);
    await subscribePush(deps, { ...choices, kinds: ['tamper'] });
    expect([...cloud.values()].map((one) => one.choices.kinds)).toEqual([['tamper']]);
    expect(state.made).toBe(1);
    await unsubscribePush(deps);
    expect([cloud.size, state.endpoint, await loadPush(storage)]).toEqual([0, null, null]);
    // Off is off, also where the cloud has forgotten it before.
    await subscribePush(deps, choices);
    cloud.clear();
    await unsubscribePush(deps);
    expect(await loadPush(storage)).toBeNull();
  });

  it('is not made where the cloud sends none', async () => {
    const { state, deps, storage } = world();
    state.key = null;
    expect(await asyncCodeOf(() => subscribePush(deps, choices))).toBe('unsupported');
    expect([state.made, await loadPush(storage)]).toEqual([0, null]);
  });

  it.each([
    [
      'the browser dropped it',
      ({ state }: ReturnType<typeof world>): void => {
        state.endpoint = null;
      },
    ],
    [
      'the push service gave another',
      ({ state }: ReturnType<typeof world>): void => {
        state.endpoint = 'https://push.example/x';
      },
    ],
    [
      'the cloud has it no longer',
      ({ cloud }: ReturnType<typeof world>): void => {
        cloud.clear();
      },
    ],
    [
      'the cloud has another key',
      ({ state }: ReturnType<typeof world>): void => {
        state.key = 'BAUG';
      },
    ],
  ])('is renewed with the same choices where %s', async (_why, happens) => {
    const made = world();
    const { deps, cloud, state, storage } = made;
    expect(await renewPush(deps)).toBe(false);
    await subscribePush(deps, { ...choices, kinds: ['look'] });
    // The control.
    expect(await renewPush(deps)).toBe(false);
    happens(made);
    expect(await renewPush(deps)).toBe(true);
    expect([...cloud.values()]).toEqual([{ endpoint: state.endpoint, choices: { ...choices, kinds: ['look'] } }]);
    expect((await loadPush(storage))?.endpoint).toBe(state.endpoint);
    expect(await renewPush(deps)).toBe(false);
  });

  it('is left alone while the cloud sends none for a while', async () => {
    const { deps, state } = world();
    await subscribePush(deps, choices);
    state.key = null;
    expect(await renewPush(deps)).toBe(false);
    expect(state.endpoint).not.toBeNull();
  });
});
