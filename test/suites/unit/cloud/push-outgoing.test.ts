import { expect, it } from 'vitest';
import { Outgoing, type Queued, type Sent } from '../../../../cloud/push/outgoing.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

interface Message extends Queued {
  readonly text: string;
}

const HOST = 'push.example';
const NO: Sent = { again: 'no' };

/** A queue whose messages a test answers, or that answers `sent` to each. */
class QueueWorld {
  readonly clock = new VirtualClock();
  readonly sent: string[] = [];
  readonly dropped: Record<string, number> = {};
  answer: (message: Message) => Sent | Promise<Sent> = () => NO;
  readonly queue: Outgoing<Message>;

  constructor(perSecond = 1000) {
    this.queue = new Outgoing<Message>({
      clock: this.clock,
      perSecond,
      send: async (message) => {
        this.sent.push(message.text);
        return this.answer(message);
      },
      onDropped: (reason) => {
        this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
      },
    });
  }

  add(text: string, { name = text, topic = 'motion', host = HOST, lastsMs = 300_000, delayMs = 0 } = {}): void {
    this.queue.add({ text, name, topic, host, untilMs: this.clock.monotonicMs() + lastsMs }, delayMs);
  }
}

const forever = (): Promise<Sent> => new Promise(() => undefined);

it('sends at most its rate, and what waits afterwards', async () => {
  const world = new QueueWorld(10);
  for (let i = 0; i < 50; i++) world.add(String(i));
  await world.clock.run(100);
  expect(world.sent.length).toBeLessThanOrEqual(11);
  await world.clock.run(1000);
  expect(world.sent.length).toBeGreaterThanOrEqual(19);
  expect(world.sent.length).toBeLessThanOrEqual(22);
  await world.clock.run(4000);
  expect([world.sent.length, world.queue.size, world.dropped]).toEqual([50, 0, {}]);
});

it('holds 20,000 messages, and counts what is above', async () => {
  const world = new QueueWorld();
  world.answer = forever;
  for (let i = 0; i < 20_100; i++) world.add(String(i));
  // 48 are on their way to this service.
  expect(world.queue.size).toBe(20_000);
  expect(world.dropped).toEqual({ 'queue-full': 52 });
  await world.clock.run(10);
  expect(world.sent).toHaveLength(48);
});

it('also bounds what waits for a later time', () => {
  const world = new QueueWorld();
  for (let i = 0; i < 20_100; i++) world.add(String(i), { delayMs: 1000 });
  expect([world.queue.size, world.clock.pending, world.dropped]).toEqual([20_000, 20_000, { 'queue-full': 100 }]);
  world.queue.stop();
  expect([world.queue.size, world.clock.pending]).toEqual([0, 0]);
});

it('leaves other services room where one stalls', async () => {
  const world = new QueueWorld();
  world.answer = ({ host }) => (host === HOST ? forever() : NO);
  for (let i = 0; i < 100; i++) world.add(`stalling ${String(i)}`);
  for (let i = 0; i < 20; i++) world.add(`other ${String(i)}`, { host: 'other.example' });
  await world.clock.run(1000);
  expect(world.sent.filter((text) => text.startsWith('other'))).toHaveLength(20);
  expect(world.sent.filter((text) => text.startsWith('stalling'))).toHaveLength(48);
});

it('replaces what waits by what is newer about the same thing, of the same browser alone', async () => {
  const world = new QueueWorld(1);
  world.add('first');
  world.add('old', { name: 'a' });
  world.add('new', { name: 'a' });
  world.add('tamper', { name: 'a', topic: 'tamper' });
  world.add('neighbour', { name: 'b' });
  await world.clock.run(5000);
  expect(world.sent).toEqual(['first', 'new', 'tamper', 'neighbour']);
  expect(world.dropped).toEqual({ replaced: 1 });
});

it('sends twenty a minute to one browser, and counts the rest', async () => {
  const world = new QueueWorld();
  for (let i = 0; i < 30; i++) world.add(String(i), { name: 'a', topic: String(i) });
  world.add('neighbour', { name: 'b' });
  await world.clock.run(1000);
  expect([world.sent.length, world.dropped]).toEqual([21, { rate: 10 }]);
  await world.clock.run(60_000, 1000);
  world.add('later', { name: 'a' });
  await world.clock.run(10);
  expect(world.sent.at(-1)).toBe('later');
});

it('sends nothing that is late', async () => {
  const world = new QueueWorld(1);
  world.add('first');
  world.add('late', { lastsMs: 500 });
  world.add('in time', { lastsMs: 5000 });
  world.add('too far off', { lastsMs: 500, delayMs: 501 });
  await world.clock.run(5000);
  expect([world.sent, world.dropped, world.queue.size]).toEqual([['first', 'in time'], { late: 2 }, 0]);
});

it('leaves alone a browser, or a service, that asks for it, and then tries again', async () => {
  for (const again of ['subscription', 'host'] as const) {
    const world = new QueueWorld();
    world.answer = ({ name }) => (name === 'busy' && world.sent.length === 1 ? { again, afterMs: 60_000 } : NO);
    world.add('busy');
    await world.clock.run(10);
    world.add('neighbour');
    await world.clock.run(59_000, 1000);
    expect(world.sent).toEqual(again === 'host' ? ['busy'] : ['busy', 'neighbour']);
    await world.clock.run(2000, 100);
    expect([...world.sent].sort()).toEqual(['busy', 'busy', 'neighbour']);
  }
});

it('forgets a service that never answered once nothing waits for it: their names are not bounded', async () => {
  const world = new QueueWorld();
  world.answer = () => ({ again: 'host', afterMs: 30_000 });
  for (let i = 0; i < 50; i++) world.add(String(i), { host: `${String(i)}.notify.example`, lastsMs: 40_000 });
  await world.clock.run(1000);
  expect(world.queue.hostsKnown).toBe(50);
  await world.clock.run(120_000, 1000);
  world.answer = () => NO;
  world.add('good');
  await world.clock.run(10);
  expect([world.sent.at(-1), world.queue.size, world.queue.hostsKnown]).toEqual(['good', 0, 0]);
});
