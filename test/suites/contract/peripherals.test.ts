import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { silentLog } from '../../../common/log.js';
import { GpioIndicator } from '../../../hal/linux/gpio-indicator.js';
import { GpioButton, GpioLightSensor, GpioMotionSensor } from '../../../hal/linux/gpio-inputs.js';
import { gpiodVersion, monitorCommand, parseEdge, setCommand, type GpioLine } from '../../../hal/linux/gpio-tools.js';
import { MockButton, MockIndicator, MockLightSensor, MockMotionSensor } from '../../../hal/mock/peripherals.js';
import type { Button, Indicator, LightSensor, MotionSensor } from '../../../hal/peripherals.js';
import { asyncCodeOf } from '../../support/codes.js';
import { StandIns } from '../../support/engines/stand-ins.js';
import { until } from '../../support/runner/wait.js';
import { limitMs } from '../../support/runner/speed.js';

const line: GpioLine = { chip: 'gpiochip0', line: 17, activeLow: true, pull: 'pull-up' };
const never = new AbortController().signal;
/** For shell scripts that stand in for tools to do their part: longer where the machine is slow or shared. */
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, limitMs(ms)));

/** Stand-ins for the gpiod tools of either version. The level of the line is in the file `level`; each line appended to `edges` is an edge. */
class GpioBoard {
  readonly stand = new StandIns();
  private readonly version: 1 | 2;
  private timeMs = 5_000_000;

  constructor(version: 1 | 2) {
    this.version = version;
    const versionText = version === 1 ? 'gpiomon (libgpiod) v1.6.3' : 'gpiomon (libgpiod) v2.2.1';
    writeFileSync(this.stand.path('edges'), '');
    this.stand.add(
      'gpiomon',
      `case "$*" in *--version*) echo '${versionText}'; exit;; esac; echo $$ >> "$here/mons"; exec tail -n 0 -f "$here/edges"`,
    );
    this.stand.add('gpioget', 'cat "$here/level" 2>/dev/null || echo 0');
    this.stand.add(
      'gpioset',
      'eval "last=\\${$#}"; echo "$last" >> "$here/led"; echo $$ >> "$here/sets"; exec sleep 600',
    );
  }

  /** Waits until gpiomon runs, and a short time more, for its `tail` to open the file. */
  async listens(times = 1): Promise<void> {
    await until('gpiomon', () => this.monitors().length >= times);
    await wait(150);
  }

  edge(isActive: boolean, afterMs: number): void {
    this.timeMs += afterMs;
    const s = Math.floor(this.timeMs / 1000);
    const ns = (this.timeMs % 1000) * 1_000_000;
    const text =
      this.version === 1
        ? `${isActive ? '1' : '0'} ${String(s)} ${String(ns)}`
        : `${isActive ? '1' : '2'} ${String(s)}.${String(ns).padStart(9, '0')}`;
    writeFileSync(this.stand.path('edges'), `${text}\n`, { flag: 'a' });
  }

  monitors(): number[] {
    const path = this.stand.path('mons');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [];
  }

  led(): string[] {
    const path = this.stand.path('led');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }
}

/** Inputs that a test drives: the mock by its methods, the real driver through its tools. */
interface Rig {
  readonly button: Button;
  readonly motion: MotionSensor;
  readonly light: LightSensor;
  press(heldMs: number): Promise<void>;
  move(): Promise<void>;
  night(): Promise<void>;
  /** Resolves once the listeners really listen. */
  ready(): Promise<void>;
}

function mockRig(): Rig {
  const button = new MockButton();
  const motion = new MockMotionSensor();
  const light = new MockLightSensor();
  const now = (): Promise<void> => Promise.resolve();
  return {
    button,
    motion,
    light,
    press: (heldMs) => now().then(() => button.press(heldMs)),
    move: () => now().then(() => motion.trigger(realClock.monotonicMs())),
    night: () => now().then(() => light.switchTo('night', realClock.monotonicMs())),
    ready: now,
  };
}

function gpioRig(version: 1 | 2): Rig & { readonly board: GpioBoard } {
  const board = new GpioBoard(version);
  const options = { line, clock: realClock, log: silentLog };
  return {
    board,
    button: new GpioButton(options),
    motion: new GpioMotionSensor(options),
    light: new GpioLightSensor(options),
    press: async (heldMs) => {
      // Contacts bounce on the way in and out.
      board.edge(true, 100);
      board.edge(false, 2);
      board.edge(true, 3);
      await wait(80);
      board.edge(false, heldMs - 5);
      board.edge(true, 4);
      board.edge(false, 1);
      await wait(80);
    },
    move: async () => {
      board.edge(true, 50);
      await wait(80);
      board.edge(false, 900);
      await wait(80);
    },
    night: async () => {
      board.edge(true, 50);
      await wait(700);
    },
    ready: () => board.listens(),
  };
}

const rigs: readonly (readonly [string, () => Rig])[] = [
  ['mock', mockRig],
  ['gpiod 1', () => gpioRig(1)],
  ['gpiod 2', () => gpioRig(2)],
];

describe.each(rigs)('inputs: %s', (_, make) => {
  it('a button reports how long it was held, once per press, until unsubscribed', async () => {
    const rig = make();
    const heard: number[] = [];
    const leave = rig.button.onPress((heldMs) => heard.push(heldMs));
    await rig.ready();
    await rig.press(300);
    await rig.press(12_000);
    await until('both presses', () => heard.length === 2);
    expect(Math.abs((heard[0] ?? 0) - 300)).toBeLessThan(50);
    expect(Math.abs((heard[1] ?? 0) - 12_000)).toBeLessThan(50);
    leave();
    await rig.press(200);
    expect(heard).toHaveLength(2);
  });

  it('a motion sensor reports the time on the live clock', async () => {
    const rig = make();
    const heard: number[] = [];
    const leave = rig.motion.onMotion((atMs) => heard.push(atMs));
    await rig.ready();
    const before = realClock.monotonicMs();
    await rig.move();
    await until('motion', () => heard.length === 1);
    expect(heard[0]).toBeGreaterThanOrEqual(before - 1);
    leave();
    await rig.move();
    expect(heard).toHaveLength(1);
  });

  it('a light sensor knows its mode and reports when it switches', async () => {
    const rig = make();
    const heard: string[] = [];
    const leave = rig.light.onSwitch((mode) => heard.push(mode));
    await rig.ready();
    await until('a mode', () => rig.light.mode === 'day');
    await rig.night();
    await until('night', () => heard.length === 1);
    expect(heard).toEqual(['night']);
    expect(rig.light.mode).toBe('night');
    leave();
  });
});

interface IndicatorRig {
  readonly indicator: Indicator;
  /** The imitated board; null for the mock. */
  readonly board: GpioBoard | null;
}

function gpiodIndicator(version: 1 | 2): IndicatorRig {
  const board = new GpioBoard(version);
  return { board, indicator: new GpioIndicator({ line, clock: realClock, log: silentLog }) };
}

const indicators: readonly (readonly [string, () => IndicatorRig])[] = [
  ['mock', () => ({ indicator: new MockIndicator(), board: null })],
  ['gpiod 1', () => gpiodIndicator(1)],
  ['gpiod 2', () => gpiodIndicator(2)],
];

describe.each(indicators)('indicator: %s', (_, make) => {
  it('accepts any state at any time, and is off after it was closed', async () => {
    const { indicator, board } = make();
    // A health record of version 2 says so.
    expect(indicator.isPresent).toBe(board !== null);
    for (const state of ['off', 'recording', 'recording', 'claim-window', 'fault', 'privacy'] as const)
      indicator.show(state);
    indicator.show('recording');
    if (board === null) expect(await indicator.isShown()).toBe(true);
    if (board !== null) await until('light', () => board.led().at(-1) === '17=1');
    await indicator.close();
    await indicator.close();
    if (board === null) return;
    const pids = readFileSync(board.stand.path('sets'), 'utf8').trim().split('\n');
    await until('no gpioset left', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
  });
});

describe('gpiod', () => {
  it('says whether the light is on', async () => {
    const board = new GpioBoard(2);
    const indicator = new GpioIndicator({ line, clock: realClock, log: silentLog });
    indicator.show('looking');
    expect(await indicator.isShown()).toBe(true);
    await until('light', () => board.led().at(-1) === '17=1');
    await indicator.close();
    const broken = new GpioBoard(2);
    broken.stand.add('gpiomon', 'exit 1');
    const dark = new GpioIndicator({ line, clock: realClock, log: silentLog });
    dark.show('looking');
    expect(await dark.isShown()).toBe(false);
    await dark.close();
  });

  it('blinks a LED for a claim window', async () => {
    const board = new GpioBoard(2);
    const indicator = new GpioIndicator({ line, clock: realClock, log: silentLog });
    indicator.show('claim-window');
    await until('three changes', () => board.led().length >= 3);
    await indicator.close();
    expect(board.led().slice(0, 3)).toEqual(['17=1', '17=0', '17=1']);
  });

  it('restarts gpiomon when it dies, and reports no press whose start or end it did not see', async () => {
    const rig = gpioRig(1);
    const { board, button } = rig;
    const heard: number[] = [];
    const leave = button.onPress((heldMs) => heard.push(heldMs));
    await board.listens();
    writeFileSync(board.stand.path('level'), '1\n');
    process.kill(board.monitors()[0] ?? 0, 'SIGKILL');
    await board.listens(2);
    board.edge(false, 60_000);
    await wait(80);
    expect(heard).toEqual([]);
    await rig.press(250);
    await until('a press', () => heard.length === 1);
    expect(Math.abs((heard[0] ?? 0) - 250)).toBeLessThan(50);
    leave();
    const last = board.monitors().at(-1) ?? 0;
    await until('the end of gpiomon', () => !existsSync(`/proc/${String(last)}`));
  });

  it('gets the options of its version', async () => {
    new GpioBoard(1);
    expect(await gpiodVersion(realClock, never)).toBe(1);
    expect(monitorCommand(line, 1).args.join('|')).toBe(
      '--line-buffered|--format=%e %s %n|--active-low|--bias=pull-up|gpiochip0|17',
    );
    expect(setCommand({ ...line, activeLow: false }, 1, true).args.join(' ')).toBe('--mode=signal gpiochip0 17=1');
    new GpioBoard(2);
    expect(await gpiodVersion(realClock, never)).toBe(2);
    expect(monitorCommand({ ...line, pull: 'as-is' }, 2).args.join('|')).toBe(
      '--format=%e %S|--active-low|--chip|gpiochip0|17',
    );
    expect(setCommand(line, 2, false).args.join(' ')).toBe('--active-low --chip gpiochip0 17=0');
  });

  it('is reported where it is missing or of an unknown version', async () => {
    const stand = new StandIns();
    stand.add('gpiomon', "echo 'gpiomon (libgpiod) v9.0'");
    expect(await asyncCodeOf(() => gpiodVersion(realClock, never))).toBe('gpio-unavailable');
    new StandIns().alone();
    expect(await asyncCodeOf(() => gpiodVersion(realClock, never))).toBe('gpio-unavailable');
  });

  it.each(['', 'x', '1 2', '3 4 5', '1 12 1234567890', '1 1.5', '-1 2 3'])('parses %j as no edge', (text) => {
    expect(parseEdge(text)).toBeNull();
  });
});
