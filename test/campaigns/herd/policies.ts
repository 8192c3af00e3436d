import { initialState, step, type UplinkInput, type UplinkState } from '../../../agent/uplink/machine.js';
import type { Answer } from './server.js';

/** Reconnect policy of a client; one object holds all devices of a run. Times are absolute, in milliseconds. */
export interface Policy {
  readonly name: string;
  /** The connection is lost, or the device boots. Returns the time of its first attempt. */
  begin(device: number, nowMs: number, uniform: number): number;
  /** Notes that an attempt is made now. */
  noteAttempt(device: number, nowMs: number, uniform: number): void;
  /** The attempt failed. Returns the time of the next one. */
  failed(device: number, nowMs: number, answer: Exclude<Answer, { type: 'accepted' }>, uniform: number): number;
}

export type MakePolicy = (devices: number, windowMs: number, isBoot: boolean) => Policy;

/** The agent's own state machine: the module that runs on the camera. */
export const sealcam: MakePolicy = (devices, windowMs, isBoot) => {
  const settings = { initialWindowMs: windowMs, connectTimeoutMs: 20_000 };
  const fresh = initialState(settings);
  const before: UplinkState = isBoot ? fresh : { ...fresh, phase: 'stable', connectedAtMs: 0 };
  const states: UplinkState[] = new Array<UplinkState>(devices).fill(before);
  const put = (device: number, nowMs: number, input: UplinkInput, uniform: number): number => {
    const { state } = step(states[device] ?? fresh, input, { settings, nowMs, uniform });
    states[device] = state;
    return state.dueMs ?? Infinity;
  };
  return {
    name: 'sealcam',
    begin: (device, nowMs, uniform) =>
      put(device, nowMs, isBoot ? { type: 'start' } : { type: 'closed', cause: 'lost' }, uniform),
    noteAttempt: (device, nowMs, uniform) => void put(device, nowMs, { type: 'timer' }, uniform),
    failed: (device, nowMs, answer, uniform) => {
      if (answer.type === 'unreachable') return put(device, nowMs, { type: 'closed', cause: 'failed' }, uniform);
      if (answer.type === 'credentials') {
        return put(device, nowMs, { type: 'refused', kind: 'credentials', hints: {} }, uniform);
      }
      const hints = answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs };
      return put(device, nowMs, { type: 'refused', kind: 'busy', hints }, uniform);
    },
  };
};

/** A delay that depends on the number of failures alone, as in most clients, which ignore hints. */
function byAttempts(name: string, delayMs: (failures: number, uniform: number) => number): MakePolicy {
  return (devices) => {
    const failures = new Uint16Array(devices);
    return {
      name,
      begin: (_device, nowMs, uniform) => nowMs + delayMs(0, uniform),
      noteAttempt: () => undefined,
      failed: (device, nowMs, _answer, uniform) => {
        failures[device] = (failures[device] ?? 0) + 1;
        return nowMs + delayMs(failures[device] ?? 1, uniform);
      },
    };
  };
}

const exponential = (baseMs: number, capMs: number, failures: number): number =>
  Math.min(capMs, baseMs * 2 ** Math.min(30, failures));

/** mqtt.js: `reconnectPeriod`, 1000 ms by default, without jitter. */
const fixedSecond = byAttempts('mqtt.js, fixed 1 s', () => 1000);
/** "Exponential Backoff And Jitter", AWS Architecture Blog 2015: uniform between 0 and the exponential bound. */
const fullJitter = byAttempts(
  'full jitter, 1 s to 120 s',
  (failures, uniform) => uniform * exponential(1000, 120_000, failures),
);
const halfJitter = byAttempts(
  '5 s to 10 min, ±50 %',
  (failures, uniform) => exponential(5000, 600_000, failures) * (0.5 + uniform),
);
const noJitter = byAttempts('15 s to 240 s, no jitter', (failures) => exponential(15_000, 240_000, failures));

export const POLICIES: readonly MakePolicy[] = [sealcam, halfJitter, fullJitter, noJitter, fixedSecond];
