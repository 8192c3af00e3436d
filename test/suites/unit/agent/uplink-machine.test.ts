import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  initialState,
  persistedOf,
  probationMs,
  restoredState,
  step,
  WINDOW_MAX_MS,
  WINDOW_MIN_MS,
  type UplinkInput,
  type UplinkState,
} from '../../../../agent/uplink/machine.js';

const settings = { initialWindowMs: 300_000, connectTimeoutMs: 20_000 };
const fresh = initialState(settings);

function run(state: UplinkState, nowMs: number, input: UplinkInput, uniform = 0.5): ReturnType<typeof step> {
  return step(state, input, { settings, nowMs, uniform });
}

/** A machine whose first attempt started at 0. */
function connecting(): UplinkState {
  const started = run(fresh, 0, { type: 'start' }, 0).state;
  return run(started, 0, { type: 'timer' }).state;
}

function connected(state = connecting(), nowMs = 0): UplinkState {
  return run(state, nowMs, { type: 'opened', hints: {} }).state;
}

const hints = fc.record(
  { windowMs: fc.integer({ min: 0, max: 2_000_000 }), retryAfterMs: fc.integer({ min: 0, max: 2_000_000 }) },
  { requiredKeys: [] },
);
const anyInput: fc.Arbitrary<UplinkInput> = fc.oneof(
  fc.constant<UplinkInput>({ type: 'start' }),
  fc.constant<UplinkInput>({ type: 'timer' }),
  hints.map((sent): UplinkInput => ({ type: 'opened', hints: sent })),
  fc
    .record({ kind: fc.constantFrom('credentials', 'protocol', 'busy', 'other'), sent: hints })
    .map(({ kind, sent }): UplinkInput => ({ type: 'refused', kind, hints: sent })),
  fc
    .constantFrom('lost', 'taken-over', 'failed', 'dropped', 'busy', 'credentials')
    .map((cause): UplinkInput => ({ type: 'closed', cause })),
  hints.map((sent): UplinkInput => ({ type: 'receipt', hints: sent })),
  fc.boolean().map((open): UplinkInput => ({ type: 'claim-window', open })),
);

describe('uplink machine', () => {
  it('waits for a random point of the window after a boot and after a loss', () => {
    expect(run(fresh, 1000, { type: 'start' }, 0.25).state).toMatchObject({ phase: 'spread', dueMs: 76_000 });
    expect(run(connected(), 1000, { type: 'closed', cause: 'lost' }, 0.5).state).toMatchObject({
      phase: 'spread',
      dueMs: 151_000,
    });
  });

  it('connects immediately when the claim window opens', () => {
    const waiting = run(fresh, 0, { type: 'start' }).state;
    const { state, effects } = run(waiting, 5, { type: 'claim-window', open: true });
    expect(state.phase).toBe('connecting');
    expect(effects).toEqual([{ type: 'connect', protocol: 5 }]);
  });

  it('tries MQTT 3.1.1 immediately, once, and remembers it; this is not an auth-hold', () => {
    const { state, effects } = run(connecting(), 10, { type: 'refused', kind: 'protocol', hints: {} });
    expect(state).toMatchObject({ phase: 'connecting', protocol: 4 });
    expect(effects.map(({ type }) => type)).toEqual(['disconnect', 'report', 'connect']);
    const lost = run(connected(state, 20), 30, { type: 'closed', cause: 'lost' }).state;
    expect(restoredState(settings, persistedOf(lost, 'b'), 'b').protocol).toBe(4);
    const again = run(state, 20, { type: 'refused', kind: 'protocol', hints: {} });
    expect(again.state.phase).toBe('wait');
    // Both were refused: the camera returns to MQTT 5, in case the broker has dropped 3.1.1.
    expect(again.state.protocol).toBe(5);
  });

  it('follows the reason that a broker gives when it ends a connection: busy waits, refused credentials hold', () => {
    const busy = run(connected(), 0, { type: 'closed', cause: 'busy', hints: { retryAfterMs: 30_000 } }).state;
    expect(busy).toMatchObject({ phase: 'wait', effectiveWindowMs: 30_000, dueMs: 30_000 });
    expect(run(connected(), 0, { type: 'closed', cause: 'busy' }).state.effectiveWindowMs).toBe(600_000);
    expect(run(connected(), 0, { type: 'closed', cause: 'credentials' }).state.phase).toBe('auth-hold');
  });

  it('does not double a window that the busy broker has just set', () => {
    const hinted = run(connecting(), 0, { type: 'refused', kind: 'busy', hints: { windowMs: 60_000 } }).state;
    expect(hinted).toMatchObject({ windowMs: 60_000, effectiveWindowMs: 60_000 });
  });

  it('keeps the drain interval over a restart', () => {
    const paced = run(connected(), 0, { type: 'receipt', hints: { drainIntervalMs: 7000 } }).state;
    expect(restoredState(settings, persistedOf(paced, 'b'), 'other').drainIntervalMs).toBe(7000);
  });

  it('brings a stored state that no machine could have left within its bounds', () => {
    const kept = { ...persistedOf(fresh, 'b'), windowMs: 1e12, effectiveWindowMs: -5, authHoldMs: 1e15, dueMs: 1e300 };
    const restored = restoredState(settings, kept, 'b');
    expect(restored).toMatchObject({ windowMs: WINDOW_MAX_MS, effectiveWindowMs: WINDOW_MIN_MS });
    expect(run(restored, 0, { type: 'start' }, 0.5).state).toMatchObject({ phase: 'spread', dueMs: WINDOW_MAX_MS / 2 });
    const held = run(run(restored, 0, { type: 'start' }, 0).state, 0, { type: 'timer' }).state;
    const refused = run(held, 0, { type: 'refused', kind: 'credentials', hints: {} }, 0.999).state;
    expect(refused.dueMs).toBeLessThanOrEqual(6 * 3_600_000);
  });

  it('holds after refused credentials for 15 min, doubling to 6 h, and never gives up', () => {
    let state = connecting();
    const holds: number[] = [];
    for (let i = 0; i < 8; i++) {
      const held = run(state, 0, { type: 'refused', kind: 'credentials', hints: {} }, 0.5).state;
      expect(held.phase).toBe('auth-hold');
      holds.push((held.dueMs ?? 0) / 60_000);
      state = run(held, held.dueMs ?? 0, { type: 'timer' }).state;
      expect(state.phase).toBe('connecting');
    }
    expect(holds.slice(0, 5)).toEqual([15, 30, 60, 120, 240]);
    expect(Math.max(...holds) * 1.25).toBeLessThanOrEqual(360);
  });

  it('holds when its session is taken over: two cameras with one key would otherwise take turns forever', () => {
    expect(run(connected(), 0, { type: 'closed', cause: 'taken-over' }).state.phase).toBe('auth-hold');
  });

  it('doubles the window of a busy broker, unless the broker sends a hint', () => {
    const busy = run(connecting(), 0, { type: 'refused', kind: 'busy', hints: {} }).state;
    expect(busy.effectiveWindowMs).toBe(600_000);
    const hinted = run(connecting(), 0, { type: 'refused', kind: 'busy', hints: { retryAfterMs: 30_000 } }).state;
    expect(hinted.effectiveWindowMs).toBe(30_000);
    const windowed = run(connecting(), 0, { type: 'opened', hints: { windowMs: 60_000 } }).state;
    expect(windowed).toMatchObject({ windowMs: 60_000, effectiveWindowMs: 60_000 });
  });

  it('forgets earlier failures only after the probation time and a receipt', () => {
    const busy = run(connecting(), 0, { type: 'refused', kind: 'busy', hints: {} }).state;
    const retried = run(busy, busy.dueMs ?? 0, { type: 'timer' }).state;
    const open = run(retried, 1_000_000, { type: 'opened', hints: {} }).state;
    const early = run(open, 1_000_500, { type: 'receipt', hints: {} }).state;
    expect(early.phase).toBe('probation');
    expect(early.effectiveWindowMs).toBe(600_000);
    const late = run(early, 1_000_000 + probationMs(300_000), { type: 'timer' }).state;
    expect(late).toMatchObject({ phase: 'stable', effectiveWindowMs: 300_000 });
    const silent = run(open, 1_000_000 + probationMs(300_000), { type: 'timer' }).state;
    expect(silent.phase).toBe('probation');
    expect(run(silent, 2_000_000, { type: 'receipt', hints: {} }).state.phase).toBe('stable');
  });

  it('keeps its wait over a restart of the process, so that a crash loop does not hammer the broker', () => {
    const waiting = run(fresh, 0, { type: 'start' }, 0.9).state;
    const kept = persistedOf(waiting, 'boot');
    const same = restoredState(settings, kept, 'boot');
    expect(run(same, 1000, { type: 'start' }, 0).state).toMatchObject({ phase: 'wait', dueMs: waiting.dueMs });
    const rebooted = restoredState(settings, kept, 'another boot');
    expect(run(rebooted, 1000, { type: 'start' }, 0.5).state).toMatchObject({ phase: 'spread', dueMs: 151_000 });
  });

  it('leaves every state, makes one attempt at a time, and keeps every wait within its bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyInput, fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(400_000)), {
          maxLength: 60,
        }),
        (steps) => {
          let state = fresh;
          let nowMs = 0;
          let open = 0;
          for (const [input, uniform, elapsed] of steps) {
            nowMs += elapsed;
            const before = state;
            const { state: next, effects } = run(state, nowMs, input, uniform);
            state = next;
            for (const { type } of effects) {
              if (type === 'disconnect') open = 0;
              if (type === 'connect') expect(++open).toBe(1);
            }
            if (input.type === 'closed' && before.phase !== 'stopped') open = 0;
            expect(state.windowMs).toBeLessThanOrEqual(WINDOW_MAX_MS);
            expect(state.effectiveWindowMs).toBeLessThanOrEqual(WINDOW_MAX_MS);
            expect(state.effectiveWindowMs).toBeGreaterThanOrEqual(WINDOW_MIN_MS);
            const isWaiting = ['spread', 'wait', 'auth-hold', 'connecting'].includes(state.phase);
            if (isWaiting && state !== before) {
              expect(state.dueMs).not.toBeNull();
              const waitMs = (state.dueMs ?? 0) - nowMs;
              expect(waitMs).toBeLessThanOrEqual(state.phase === 'auth-hold' ? 6 * 3_600_000 : WINDOW_MAX_MS);
            }
          }
          // From any state, time alone leads to another attempt.
          for (let i = 0; i < 4 && state.phase !== 'connecting'; i++) {
            if (state.phase === 'boot') state = run(state, nowMs, { type: 'start' }).state;
            if (state.phase === 'probation' || state.phase === 'stable') {
              state = run(state, nowMs, { type: 'closed', cause: 'lost' }).state;
            }
            nowMs = Math.max(nowMs, state.dueMs ?? nowMs);
            state = run(state, nowMs, { type: 'timer' }).state;
          }
          expect(state.phase).toBe('connecting');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('jitters every wait: different random numbers give different times', () => {
    const cases: [UplinkState, UplinkInput][] = [
      [fresh, { type: 'start' }],
      [connecting(), { type: 'refused', kind: 'busy', hints: {} }],
      [connecting(), { type: 'refused', kind: 'credentials', hints: {} }],
      [connecting(), { type: 'closed', cause: 'failed' }],
      [connected(), { type: 'closed', cause: 'lost' }],
    ];
    for (const [state, input] of cases) {
      const times = [0.1, 0.5, 0.9].map((uniform) => run(state, 0, input, uniform).state.dueMs);
      expect(new Set(times).size).toBe(3);
    }
  });

  it('stops for good', () => {
    const { state, effects } = run(connected(), 0, { type: 'stop' });
    expect(effects).toEqual([{ type: 'disconnect' }]);
    expect(run(state, 9e9, { type: 'timer' }).effects).toEqual([]);
  });
});
