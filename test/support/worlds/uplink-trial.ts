import { expect } from 'vitest';
import type { StubAnswers, StubBroker } from '../engines/stub-broker.js';
import type { UplinkWorld } from './uplink-world.js';
import { until } from '../runner/wait.js';

/** Bounds of a wait with this base: the jitter is a quarter either way. */
export const withJitter = (ms: number): readonly [number, number] => [0.75 * ms, 1.25 * ms];

/** Expects the next attempt within these bounds, from now. */
export function expectNext(camera: UplinkWorld, [leastMs, mostMs]: readonly [number, number]): void {
  const nextMs = camera.uplink.status().nextAttemptMs;
  expect(nextMs).toBeGreaterThanOrEqual(leastMs);
  expect(nextMs).toBeLessThanOrEqual(mostMs);
}

/** Makes one attempt against a broker with these answers, and waits until it has succeeded. */
export async function connect(broker: StubBroker, camera: UplinkWorld, answers: StubAnswers): Promise<void> {
  broker.answers = answers;
  camera.passWait();
  await until('it is connected', () => camera.uplink.isConnected);
}

/** Waits until the connection has ended on both sides, with the machine in this phase. */
export async function expectEnded(
  broker: StubBroker,
  camera: UplinkWorld,
  phase: string,
  withinMs?: number,
): Promise<void> {
  await until(`the machine is in ${phase}`, () => camera.phase === phase, withinMs);
  await until('the broker has no connection left', () => broker.open === 0);
}

/** Expects that the next attempt, at a good broker, delivers everything, once, over one connection. */
export async function expectRecovery(broker: StubBroker, camera: UplinkWorld): Promise<void> {
  await connect(broker, camera, camera.receipting());
  await camera.drain();
  const { produced, receipted, lost, quarantined, queued } = camera.queue.outbox.totals();
  expect({ receipted, lost, quarantined, queued }).toEqual({ receipted: produced, lost: 0, quarantined: 0, queued: 0 });
  expect(broker.peersMax).toBe(1);
}
