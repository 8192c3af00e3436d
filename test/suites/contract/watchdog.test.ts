import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { silentLog, type Log } from '../../../common/log.js';
import { parseThrottled, readThrottled } from '../../../hal/linux/throttled.js';
import { BothWatchdogs, DeviceWatchdog, NoWatchdog, SystemdWatchdog } from '../../../hal/linux/watchdogs.js';
import { MockWatchdog } from '../../../hal/mock/peripherals.js';
import { WATCHDOG_DRIVERS, type Watchdog, type WatchdogDriver } from '../../../hal/peripherals.js';
import { StandIns } from '../../support/engines/stand-ins.js';
import { watchdogOf } from '../../../agent/main/drivers.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith, program } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';

function systemd(environment: Record<string, string>, log: Log = silentLog): SystemdWatchdog {
  return new SystemdWatchdog({ environment, pid: process.pid, clock: realClock, log });
}

function warnings(): { log: Log; messages: string[] } {
  const messages: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => messages.push(message), child: () => log };
  return { log, messages };
}

function device(): { watchdog: DeviceWatchdog; path: string } {
  const folder = tempFolder();
  const path = join(folder, 'watchdog');
  writeFileSync(path, '');
  writeFileSync(join(folder, 'timeout'), '16\n');
  return { path, watchdog: new DeviceWatchdog({ path, timeoutPath: join(folder, 'timeout'), log: silentLog }) };
}

const all: readonly (readonly [string, () => Watchdog])[] = [
  ['mock', () => new MockWatchdog()],
  ['none', () => new NoWatchdog()],
  ['device', () => device().watchdog],
  ['two at a time', () => new BothWatchdogs(new MockWatchdog(), device().watchdog)],
  [
    'systemd',
    () => {
      new StandIns().add('systemd-notify', '');
      return systemd({ NOTIFY_SOCKET: '/run/none', WATCHDOG_USEC: '20000000' });
    },
  ],
];

describe.each(all)('watchdog: %s', (_, make) => {
  it('accepts calls in any order, and may be closed twice', async () => {
    const watchdog = make();
    expect(watchdog.intervalMs === null || watchdog.intervalMs > 0).toBe(true);
    watchdog.alive();
    watchdog.ready();
    watchdog.alive();
    watchdog.alive();
    await watchdog.close();
    await watchdog.close();
    watchdog.alive();
  });
});

describe('watchdog of the board', () => {
  it('is opened once, fed, and closed with a V', async () => {
    const { watchdog, path } = device();
    expect(watchdog.intervalMs).toBe(8000);
    watchdog.alive();
    expect(readFileSync(path, 'latin1')).toBe('');
    watchdog.ready();
    watchdog.ready();
    watchdog.alive();
    watchdog.alive();
    await watchdog.close();
    watchdog.alive();
    expect(readFileSync(path, 'latin1')).toBe('\0\0V');
  });

  it('is not created where the device is missing, and a warning is logged', () => {
    const { log, messages } = warnings();
    const path = join(tempFolder(), 'none');
    const watchdog = new DeviceWatchdog({ path, timeoutPath: path, log });
    watchdog.ready();
    watchdog.alive();
    expect(existsSync(path)).toBe(false);
    expect(messages).toEqual([`${path} cannot be opened: ENOENT`]);
  });
});

describe('the watchdog of a unit', () => {
  const make = (driver: WatchdogDriver, environment: Record<string, string>): Watchdog =>
    watchdogOf(driver, { environment, clock: realClock, log: silentLog });

  it.each(WATCHDOG_DRIVERS)('is fed whatever is configured: %s', async (driver) => {
    const stand = new StandIns();
    stand.add('systemd-notify', '');
    const watchdog = make(driver, { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '4000000' });
    expect(watchdog.intervalMs).toBeLessThanOrEqual(2000);
    watchdog.ready();
    await until('ready', () => stand.argv('systemd-notify').includes('READY=1'));
    await until('alive', () => {
      watchdog.alive();
      return stand.argv('systemd-notify').includes('WATCHDOG=1');
    });
    await watchdog.close();
    expect(stand.argv('systemd-notify').at(-1)).toBe('STOPPING=1');
  });

  it('is nothing where no unit waits for it', () => {
    expect(make('none', {}).intervalMs).toBeNull();
    expect(make('none', { NOTIFY_SOCKET: '' }).intervalMs).toBeNull();
  });

  it('starts a process in every second half of its time, not at every call', async () => {
    const stand = new StandIns();
    stand.add('systemd-notify', '');
    const clock = new VirtualClock();
    // The child process needs real time; what is due is judged by this clock.
    const both = { ...realClock, monotonicMs: () => clock.monotonicMs() };
    const environment = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '120000000' };
    const watchdog = new SystemdWatchdog({ environment, pid: process.pid, clock: both, log: silentLog });
    const sent = (): number => stand.argv('systemd-notify').filter((what) => what === 'WATCHDOG=1').length;
    watchdog.alive();
    await until('the first', () => sent() === 1 && !watchdog.isNotifying);
    for (let s = 0; s < 20; s += 10) {
      clock.advance(10_000);
      watchdog.alive();
      expect(watchdog.isNotifying).toBe(false);
    }
    clock.advance(10_000);
    watchdog.alive();
    await until('the second, after half of 60 s', () => sent() === 2);
    await watchdog.close();
  });
});

describe('watchdog of systemd', () => {
  it('asks for calls twice as often as systemd demands, and only where systemd watches this process', () => {
    const variables = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '30000000' };
    expect(systemd(variables).intervalMs).toBe(15_000);
    expect(systemd({ ...variables, WATCHDOG_PID: String(process.pid) }).intervalMs).toBe(15_000);
    expect(systemd({ ...variables, WATCHDOG_PID: '1' }).intervalMs).toBeNull();
    expect(systemd({ NOTIFY_SOCKET: '/run/x' }).intervalMs).toBeNull();
    expect(systemd({ WATCHDOG_USEC: '30000000' }).intervalMs).toBeNull();
  });

  it('warns once about a missing socket or program', async () => {
    const { log, messages } = warnings();
    systemd({}, log).ready();
    expect(messages).toEqual(['systemd did not start this process with Type=notify']);
    new StandIns().alone();
    const missing = systemd({ NOTIFY_SOCKET: '/run/x' }, log);
    missing.ready();
    await missing.close();
    expect(messages).toContain('systemd-notify is not installed');
  });

  it('does not pile up calls behind one that hangs', async () => {
    const stand = new StandIns();
    stand.add('systemd-notify', 'exec sleep 1');
    const watchdog = systemd({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '2000000' });
    for (let i = 0; i < 20; i++) watchdog.alive();
    await watchdog.close();
    expect(stand.argv('systemd-notify')).toEqual(['WATCHDOG=1', 'STOPPING=1']);
  });
});

/** Receives every message as systemd does: closing the descriptor that comes with the last one releases the sender. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True: print(s.recv(4096).decode(), flush=True)
`;

/** Receivers of the running test. */
const pids: number[] = [];
const socketBefore = process.env['NOTIFY_SOCKET'];

afterEach(() => {
  for (const pid of pids.splice(0)) process.kill(pid, 'SIGKILL');
  if (socketBefore === undefined) delete process.env['NOTIFY_SOCKET'];
  else process.env['NOTIFY_SOCKET'] = socketBefore;
});

describeWith('systemd-notify', 'the real systemd-notify', () => {
  describeWith('python', 'on a socket in the place of systemd', () => {
    it('delivers READY, WATCHDOG and STOPPING', async () => {
      const path = join(tempFolder(), 'notify');
      const receiver = spawn(program('python'), ['-c', RECEIVER, path]);
      pids.push(receiver.pid ?? 0);
      let heard = '';
      receiver.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      await until('the socket', () => existsSync(path));
      process.env['NOTIFY_SOCKET'] = path;
      const { log, messages } = warnings();
      const watchdog = systemd({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '30000000' }, log);
      watchdog.ready();
      await until('ready', () => heard.includes('READY=1'));
      // A notification is left out while the one before still runs; the agent repeats it regularly.
      await until('alive', () => {
        watchdog.alive();
        return heard.includes('WATCHDOG=1');
      });
      await watchdog.close();
      await until('stopping', () => heard.includes('STOPPING=1'));
      expect(messages).toEqual([]);
    });
  });
});

describe('throttling', () => {
  it('is parsed in every form', async () => {
    for (const text of ['50005\n', '0x50005', 'throttled=0x50005']) {
      expect(parseThrottled(text)).toEqual([
        'the supply voltage is too low',
        'the processor is throttled',
        'the supply voltage was too low since the boot',
        'the processor was throttled since the boot',
      ]);
    }
    for (const text of ['0', 'throttled=0x0', '', 'error', '123456789']) expect(parseThrottled(text)).toEqual([]);
    new StandIns().add('vcgencmd', 'echo throttled=0x1');
    expect(await readThrottled(realClock)).toEqual(['the supply voltage is too low']);
  });
});
