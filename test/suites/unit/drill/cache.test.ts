import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../common/seeded-random.js';
import { cacheSettings, CrossingCache } from '../../../campaigns/drill/cache.js';
import { judgeControl } from '../../../campaigns/drill/oracle.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const SETTINGS = { hitMs: 2, missMs: 20, crowded: 6, givenUp: 0.2, heldUntil: 0 };

function cacheOf(seed: number, change: Partial<typeof SETTINGS> = {}) {
  const clock = new VirtualClock();
  const load = (key: string): Promise<string> => Promise.resolve(`row of ${key}`);
  const settings = { ...SETTINGS, ...change };
  const cache = new CrossingCache({ clock, random: seededRandom(seed), settings, load });
  const ask = async (count: number): Promise<string[]> => {
    const keys = Array.from({ length: count }, (_, i) => `camera ${String(i)}`);
    const answers = Promise.all(keys.map((key) => cache.get(key)));
    await clock.run(500, 1);
    return (await answers).filter((answer, i) => answer !== `row of ${keys[i] ?? ''}`).map(String);
  };
  return { cache, clock, ask };
}

describe('the caching client of the drill', () => {
  it('answers correctly with few concurrent requests, however many follow each other', async () => {
    const { cache, ask } = cacheOf(1);
    for (let i = 0; i < 50; i++) expect(await ask(SETTINGS.crowded)).toEqual([]);
    expect(cache.crossed).toBe(0);
  });

  it('answers correctly on an ordinary day, however many ask at once on a slow machine', async () => {
    expect(await cacheOf(1, cacheSettings(12, false)).ask(60)).toEqual([]);
    // The control.
    expect(await cacheOf(1, { ...cacheSettings(12, true), missMs: 20 }).ask(60)).not.toEqual([]);
  });

  it('gives answers to the wrong waiters after requests time out, and recovers once no request is under way', async () => {
    const { cache, ask } = cacheOf(1);
    const wrong = await ask(60);
    expect(wrong.length).toBeGreaterThan(10);
    expect(cache.crossed).toBe(wrong.length);
    expect(wrong.every((answer) => answer.startsWith('row of camera'))).toBe(true);
    expect(await ask(SETTINGS.crowded)).toEqual([]);
  });

  it('crosses nothing when no request times out: pipelining alone is correct', async () => {
    expect(await cacheOf(1, { givenUp: 0 }).ask(60)).toEqual([]);
  });

  it('crosses answers for requests that come one by one too, where a cold one answers nothing before a crowd waits', async () => {
    const comeSlowly = async (heldUntil: number): Promise<number> => {
      const { cache, clock } = cacheOf(1, { heldUntil });
      for (let camera = 0; camera < 24; camera++) {
        void cache.get(`camera ${String(camera)}`);
        await clock.run(100, 1);
      }
      await clock.run(500, 1);
      expect(cache.pending).toBe(0);
      return cache.crossed;
    };
    expect(await comeSlowly(24)).toBeGreaterThan(0);
    // The control.
    expect(await comeSlowly(0)).toBe(0);
  });

  it('makes the same mistakes with the same seed', async () => {
    expect(await cacheOf(7).ask(60)).toEqual(await cacheOf(7).ask(60));
    expect(await cacheOf(7).ask(60)).not.toEqual(await cacheOf(8).ask(60));
  });
});

describe("the control's leak", () => {
  it('counts each event once that was filed under an account that did not claim the camera', () => {
    const truth = new Map([
      ['a', 'anna'],
      ['b', 'ben'],
    ]);
    const event = { epoch: 1, seq: 1, pictures: ['p'], segments: ['s'] };
    const filed = [
      { ...event, device: 'a', account: 'anna' },
      { ...event, device: 'b', account: 'anna' },
      { ...event, device: 'b', account: 'anna' },
      { ...event, device: 'b', account: 'ben' },
    ];
    const uploads = [
      { device: 'b', instead: 'a', bodyHash: 's' },
      { device: 'b', instead: 'a', bodyHash: 't' },
      { device: 'a', instead: 'a', bodyHash: 'u' },
    ];
    const real = { pictures: new Set(['p']), segments: new Set(['s', 't', 'u']) };
    expect(judgeControl(filed, uploads, truth, real)).toEqual({
      events: 2,
      misbound: 1,
      decryptable: 1,
      segments: 2,
      accounts_affected: 1,
      accounts_exposed: 1,
    });
    const none = { pictures: new Set<string>(), segments: new Set<string>() };
    expect(judgeControl(filed, uploads, truth, none)).toMatchObject({ misbound: 1, decryptable: 0, segments: 0 });
  });
});
