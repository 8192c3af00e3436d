import { toHex } from '../../../../common/bytes.js';
import { describe, expect, it } from 'vitest';
import { Opener, OPENER_MAX_MS, serveOpener, type OpenAnswer, type OpenRequest } from '../../../../app/core/opener.js';
import { PeriodOpener } from '../../../../app/core/period-opener.js';
import { isSealcamError } from '../../../../common/errors.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { badOpenings, goodOpenings, periodOpenings, type Trial } from '../../../support/seal-vectors.js';

/** What a thread is asked, and how it answers. */
class Thread {
  readonly asked: OpenRequest[] = [];
  private readonly serve: (send: (answer: OpenAnswer) => void) => (request: OpenRequest) => void;
  private answer: (request: OpenRequest) => void = () => undefined;

  constructor(serve: (send: (answer: OpenAnswer) => void) => (request: OpenRequest) => void) {
    this.serve = serve;
  }

  /** One that opens what it is asked with these keys. */
  static honest({ keys }: Trial, suite: CryptoSuite = nodeSuite): Thread {
    return new Thread((send) => {
      let listener: (request: OpenRequest) => void = () => undefined;
      const listen = (to: (request: OpenRequest) => void): void => {
        listener = to;
      };
      serveOpener(suite, keys, new PeriodOpener(suite, keys.kemSeed, undefined), { send, listen });
      return (request) => {
        listener(request);
      };
    });
  }

  /** Connects an opener, and starts. */
  start(opener: Opener): void {
    opener.use({
      send: (request) => {
        this.asked.push(request);
        this.answer(request);
      },
      listen: (listener) => {
        this.answer = this.serve(listener);
      },
    });
  }
}

const [good] = goodOpenings();
const [period] = periodOpenings();
const bad = badOpenings().find(({ name }) => name === 'another-event');
if (good === undefined || bad === undefined || period === undefined) throw new Error('no vectors');

/** A suite with which nothing opens, because of a fault of this program. */
const broken: CryptoSuite = {
  ...nodeSuite,
  x25519: () => {
    throw new Error('a fault');
  },
};

function openerOf({ keys }: Trial, suite: CryptoSuite = nodeSuite): { opener: Opener; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { opener: new Opener({ suite, keys, clock }), clock };
}

function refusalOf(error: unknown): string {
  return isSealcamError(error) ? `${error.code}: ${error.message}` : String(error);
}

describe('opening what is sealed', () => {
  it('is done here until another thread is ready, and there from then on', async () => {
    const { opener } = openerOf(good);
    const thread = Thread.honest(good);
    expect((await opener.open(good)).jpeg).not.toBeNull();
    thread.start(opener);
    expect((await opener.open(good)).jpeg).not.toBeNull();
    expect(thread.asked).toHaveLength(1);
    // The control: this thread alone opens nothing.
    const { opener: unable } = openerOf(good, broken);
    await expect(unable.open(good)).rejects.toThrow('a fault');
    Thread.honest(good).start(unable);
    expect((await unable.open(good)).jpeg).not.toBeNull();
  });

  it('is refused there with the same code and words as here', async () => {
    const refusal = { code: 'seal-refused', message: 'sealed for another event' };
    const { opener } = openerOf(bad, broken);
    Thread.honest(bad).start(opener);
    await expect(opener.open(bad)).rejects.toMatchObject(refusal);
    await expect(openerOf(bad).opener.open(bad)).rejects.toMatchObject(refusal);
  });

  it('is done here after a fault there', async () => {
    const { opener } = openerOf(good);
    const thread = Thread.honest(good, broken);
    thread.start(opener);
    expect((await opener.open(good)).jpeg).not.toBeNull();
    expect(thread.asked).toHaveLength(1);
  });

  it('is done here where the other thread never becomes ready', async () => {
    const { opener } = openerOf(good);
    const thread = new Thread(() => () => undefined);
    thread.start(opener);
    expect((await opener.open(good)).jpeg).not.toBeNull();
    expect(thread.asked).toEqual([]);
  });

  it.each(periodOpenings())('opens or refuses $name of suite 2, here and there with the same words', async (trial) => {
    const outcomes = [];
    for (const isThere of [false, true]) {
      const { opener } = openerOf(trial, isThere ? broken : nodeSuite);
      if (isThere) Thread.honest(trial).start(opener);
      outcomes.push(await opener.open(trial).then(JSON.stringify, refusalOf));
    }
    const [here = '', there] = outcomes;
    expect(there).toBe(here);
    expect(trial.refusal === null ? here.startsWith('{"detail"') : here.split(':')[0]).toBe(trial.refusal ?? true);
  });

  it('opens the bytes of a segment, here and there the same, or refuses with the same words', async () => {
    const trials = periodOpenings().filter(({ context }) => context.role === 'segment');
    expect(trials.length).toBeGreaterThan(1);
    for (const trial of trials) {
      const outcomes = [];
      for (const isThere of [false, true]) {
        const { opener } = openerOf(trial, isThere ? broken : nodeSuite);
        if (isThere) Thread.honest(trial).start(opener);
        outcomes.push(await opener.openSegment(trial).then(toHex, refusalOf));
      }
      expect(outcomes[1]).toBe(outcomes[0]);
      expect(outcomes[0]).toMatch(/^(?:[0-9a-f]*|[a-z-]+: .*)$/);
    }
    const { opener } = openerOf(good);
    expect(await opener.openSegment({ ...good, period: null }).catch(refusalOf)).toMatch(/^malformed/);
  });

  it('opens nothing of an epoch of version 1 with suite 2, nor the other way round', async () => {
    const { opener } = openerOf(period);
    expect(await opener.open({ ...period, period: null }).catch(refusalOf)).toMatch(/^malformed: seal suite 2 in/);
    const other = openerOf({ ...good, keys: { ...good.keys, kemSeed: period.keys.kemSeed } });
    expect(await other.opener.open({ ...good, period: period.period }).catch(refusalOf)).toMatch(/^malformed/);
  });

  it('opens a period once, however many objects of it there are', async () => {
    let hashes = 0;
    const counting: CryptoSuite = {
      ...nodeSuite,
      x25519: (...args) => {
        hashes++;
        return nodeSuite.x25519(...args);
      },
    };
    const { opener } = openerOf(period, counting);
    await opener.open(period);
    const once = hashes;
    expect(once).toBeGreaterThan(0);
    await opener.open(period);
    expect(hashes).toBe(once);
    // The control: a key record of another hash.
    await opener.open({ ...period, period: period.period && { ...period.period, record: new Uint8Array(32) } });
    expect(hashes).toBeGreaterThan(once);
  });

  it('is done here once the other thread is silent for too long, or ends', async () => {
    for (const end of ['silence', 'error']) {
      const { opener, clock } = openerOf(good);
      const thread = new Thread((send) => {
        send({ type: 'ready' });
        return () => undefined;
      });
      thread.start(opener);
      const opening = [0, 1].map(() => opener.open(good));
      expect(thread.asked).toHaveLength(2);
      if (end === 'silence') clock.advance(OPENER_MAX_MS);
      else opener.abandon();
      for (const content of await Promise.all(opening)) expect(content.jpeg).not.toBeNull();
      await opener.open(good);
      expect(thread.asked).toHaveLength(2);
      expect(clock.pending).toBe(0);
    }
  });
});
