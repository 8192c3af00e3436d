import { describe, expect, it } from 'vitest';
import { Opener, OPENER_MAX_MS, serveOpener, type OpenAnswer, type OpenRequest } from '../../../../app/core/opener.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { CryptoSuite } from '../../../../protocol/crypto/suite.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { badOpenings, goodOpenings, type Opening } from '../../../support/seal-vectors.js';

/** What a thread is asked, and how it answers. */
class Thread {
  readonly asked: OpenRequest[] = [];
  private readonly serve: (send: (answer: OpenAnswer) => void) => (request: OpenRequest) => void;
  private answer: (request: OpenRequest) => void = () => undefined;

  constructor(serve: (send: (answer: OpenAnswer) => void) => (request: OpenRequest) => void) {
    this.serve = serve;
  }

  /** One that opens what it is asked with these keys. */
  static honest({ keys }: Opening, suite: CryptoSuite = nodeSuite): Thread {
    return new Thread((send) => {
      let listener: (request: OpenRequest) => void = () => undefined;
      const listen = (to: (request: OpenRequest) => void): void => {
        listener = to;
      };
      serveOpener(suite, keys, { send, listen });
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
const bad = badOpenings().find(({ name }) => name === 'another-event');
if (good === undefined || bad === undefined) throw new Error('no vectors');

/** A suite with which nothing opens, because of a fault of this program. */
const broken: CryptoSuite = {
  ...nodeSuite,
  x25519: () => {
    throw new Error('a fault');
  },
};

function openerOf({ keys }: Opening, suite: CryptoSuite = nodeSuite): { opener: Opener; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { opener: new Opener({ suite, keys, clock }), clock };
}

describe('opening what is sealed', () => {
  it('is done here until another thread is ready, and there from then on', async () => {
    const { opener } = openerOf(good);
    const thread = Thread.honest(good);
    expect((await opener.open(good.context, good.sealed)).jpeg).not.toBeNull();
    thread.start(opener);
    expect((await opener.open(good.context, good.sealed)).jpeg).not.toBeNull();
    expect(thread.asked).toHaveLength(1);
    // The control: this thread alone opens nothing.
    const { opener: unable } = openerOf(good, broken);
    await expect(unable.open(good.context, good.sealed)).rejects.toThrow('a fault');
    Thread.honest(good).start(unable);
    expect((await unable.open(good.context, good.sealed)).jpeg).not.toBeNull();
  });

  it('is refused there with the same code and words as here', async () => {
    const refusal = { code: 'seal-refused', message: 'sealed for another event' };
    const { opener } = openerOf(bad, broken);
    Thread.honest(bad).start(opener);
    await expect(opener.open(bad.context, bad.sealed)).rejects.toMatchObject(refusal);
    await expect(openerOf(bad).opener.open(bad.context, bad.sealed)).rejects.toMatchObject(refusal);
  });

  it('is done here after a fault there', async () => {
    const { opener } = openerOf(good);
    const thread = Thread.honest(good, broken);
    thread.start(opener);
    expect((await opener.open(good.context, good.sealed)).jpeg).not.toBeNull();
    expect(thread.asked).toHaveLength(1);
  });

  it('is done here where the other thread never becomes ready', async () => {
    const { opener } = openerOf(good);
    const thread = new Thread(() => () => undefined);
    thread.start(opener);
    expect((await opener.open(good.context, good.sealed)).jpeg).not.toBeNull();
    expect(thread.asked).toEqual([]);
  });

  it('is done here once the other thread is silent for too long, or ends', async () => {
    for (const end of ['silence', 'error']) {
      const { opener, clock } = openerOf(good);
      const thread = new Thread((send) => {
        send({ type: 'ready' });
        return () => undefined;
      });
      thread.start(opener);
      const opening = [0, 1].map(() => opener.open(good.context, good.sealed));
      expect(thread.asked).toHaveLength(2);
      if (end === 'silence') clock.advance(OPENER_MAX_MS);
      else opener.abandon();
      for (const content of await Promise.all(opening)) expect(content.jpeg).not.toBeNull();
      await opener.open(good.context, good.sealed);
      expect(thread.asked).toHaveLength(2);
      expect(clock.pending).toBe(0);
    }
  });
});
