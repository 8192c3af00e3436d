import { WINDOW_MAX_MS, WINDOW_MIN_MS } from '../../../agent/uplink/machine.js';
import type { Scenario } from './simulate.js';

export type ScenarioChange = Partial<Scenario> & { readonly toldPerS?: number };

/** Completes a scenario. The window is W = N / 0.7 C with the C that the cloud announced, within the agent's bounds. */
export function scenarioOf({ toldPerS, ...change }: ScenarioChange): Scenario {
  const devices = change.devices ?? 1_000_000;
  const capacityPerS = change.capacityPerS ?? 5000;
  const told = (devices / (0.7 * (toldPerS ?? capacityPerS))) * 1000;
  // 1,000,000 cameras and 5,000 a second give 286 s; published figures use 300 s, the window before the cloud announces
  // one.
  const windowMs = Math.min(WINDOW_MAX_MS, Math.max(WINDOW_MIN_MS, Math.abs(told - 300_000) < 20_000 ? 300_000 : told));
  return {
    devices,
    capacityPerS,
    windowMs,
    outageMs: 10_000,
    isBoot: false,
    hints: true,
    credentialsFailMs: 0,
    ...change,
  };
}

interface Named {
  readonly name: string;
  readonly change: ScenarioChange;
  /** Also simulates the other clients. In a long outage some of them make more attempts than can be simulated. */
  readonly withOthers?: true;
}

export const SCENARIOS: readonly Named[] = [
  { name: 'outage of 10 s', change: {}, withOthers: true },
  { name: 'outage of 2 min', change: { outageMs: 120_000 } },
  { name: 'outage of 30 min', change: { outageMs: 1_800_000 } },
  { name: "a city's power cut", change: { outageMs: 0, isBoot: true } },
  { name: 'credentials refused for 10 min', change: { credentialsFailMs: 600_000 } },
  { name: 'a fifth of the capacity, with hints', change: { capacityPerS: 1000, toldPerS: 5000 } },
  {
    name: 'a fifth of the capacity, without hints',
    change: { capacityPerS: 1000, toldPerS: 5000, hints: false },
  },
];
