import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../common/seeded-random.js';
import { CrossingCache } from '../../../campaigns/drill/cache.js';
import { judgeControl } from '../../../campaigns/drill/oracle.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const SETTINGS = { hitMs: 2, missMs: 20, crowded: 6, givenUp: 0.2 };

function cacheOf(seed: number, givenUp = SETTINGS.givenUp) {
  const clock = new VirtualClock();
  const load = (key: string): Promise<string> => Promise.resolve(`row of ${key}`);
  const settings = { ...SETTINGS, givenUp };
  const cache = new CrossingCache({ clock, random: seededRandom(seed), settings, load });
  const ask = async (count: number): Promise<string[]> => {
    const keys = Array.from({ length: count }, (_, i) => `camera ${String(i)}`);
    const answers = Promise.all(keys.map((key) => cache.get(key)));
    await clock.run(500, 1);
    return (await answers).filter((answer, i) => answer !== `row of ${keys[i] ?? ''}`).map(String);
  };
  return { cache, ask };
}

describe('the caching client of the drill', () => {
  it('is right with few requests at once, however many there are', async () => {
    const { cache, ask } = cacheOf(1);
    for (let i = 0; i < 50; i++) expect(await ask(SETTINGS.crowded)).toEqual([]);
    expect(cache.crossed).toBe(0);
  });

  it('hands answers to the next in the row when requests are given up, and is right again once nothing is under way', async () => {
    const { cache, ask } = cacheOf(1);
    const wrong = await ask(60);
    expect(wrong.length).toBeGreaterThan(10);
    expect(cache.crossed).toBe(wrong.length);
    expect(wrong.every((answer) => answer.startsWith('row of camera'))).toBe(true);
    expect(await ask(SETTINGS.crowded)).toEqual([]);
  });

  it('crosses nothing when no request is given up: pipelining alone is no fault', async () => {
    expect(await cacheOf(1, 0).ask(60)).toEqual([]);
  });

  it('makes the same mistakes with the same seed', async () => {
    expect(await cacheOf(7).ask(60)).toEqual(await cacheOf(7).ask(60));
    expect(await cacheOf(7).ask(60)).not.toEqual(await cacheOf(8).ask(60));
  });
});

describe("the control's leak", () => {
  it('is what was filed under an account that did not claim the camera, each event once', () => {
    const truth = new Map([
      ['a', 'anna'],
      ['b', 'ben'],
    ]);
    const event = { epoch: 1, seq: 1, pictures: ['p'] };
    const filed = [
      { ...event, device: 'a', account: 'anna' },
      { ...event, device: 'b', account: 'anna' },
      { ...event, device: 'b', account: 'anna' },
      { ...event, device: 'b', account: 'ben' },
    ];
    expect(judgeControl(filed, truth, new Set(['p']))).toEqual({
      events: 2,
      misbound: 1,
      decryptable: 1,
      accounts_affected: 1,
      accounts_exposed: 1,
    });
    expect(judgeControl(filed, truth, new Set())).toMatchObject({ misbound: 1, decryptable: 0 });
  });
});
