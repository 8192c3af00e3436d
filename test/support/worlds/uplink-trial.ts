import { expect } from 'vitest';
import type { StubAnswers, StubBroker } from '../engines/stub-broker.js';
import type { UplinkWorld } from './uplink-world.js';
import { until } from '../runner/wait.js';

/** Jitter is a quarter either way. */
export const around = (ms: number): readonly [number, number] => [0.75 * ms, 1.25 * ms];

export function expectNext(camera: UplinkWorld, [leastMs, mostMs]: readonly [number, number]): void {
  const nextMs = camera.uplink.status().nextAttemptMs;
  expect(nextMs).toBeGreaterThanOrEqual(leastMs);
  expect(nextMs).toBeLessThanOrEqual(mostMs);
}

/** One attempt against a broker with these answers, which succeeds. */
export async function connects(broker: StubBroker, camera: UplinkWorld, answers: StubAnswers): Promise<void> {
  broker.answers = answers;
  camera.attempt();
  await until('it is connected', () => camera.uplink.isConnected);
}

/** The connection is over on both sides. */
export async function ends(broker: StubBroker, camera: UplinkWorld, phase: string, withinMs?: number): Promise<void> {
  await until(`the machine is in ${phase}`, () => camera.phase === phase, withinMs);
  await until('the broker sees nobody any more', () => broker.open === 0);
}

/** Whatever was: the next attempt at a good broker brings everything home, once. */
export async function heals(broker: StubBroker, camera: UplinkWorld): Promise<void> {
  await connects(broker, camera, camera.receipting());
  await camera.drained();
  const { produced, receipted, lost, quarantined, queued } = camera.queue.outbox.totals();
  expect({ receipted, lost, quarantined, queued }).toEqual({ receipted: produced, lost: 0, quarantined: 0, queued: 0 });
  expect(broker.mostAtOnce).toBe(1);
}
