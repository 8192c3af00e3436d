import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';
import { run, start } from '../../support/engines/command.js';
import { HELLO_LIST, StandIns } from '../../support/engines/stand-ins.js';
import { tempFolder } from '../../support/runner/temp.js';
import { makeFrames } from '../../support/engines/video.js';
import { until } from '../../support/runner/wait.js';

/** Makes a board for the whole program: stand-ins for every tool, with the output of the real one. */
async function board(): Promise<{ stand: StandIns; environment: Record<string, string>; pids: () => number[] }> {
  const stand = new StandIns();
  await makeFrames(stand.folder, 5);
  const note = 'echo $$ >> "$here/pids"';
  stand.add('rpicam-hello', `cat <<'END'\n${HELLO_LIST}END`);
  stand.add(
    'rpicam-vid',
    `${note}; while :; do for f in "$here"/frames/*.jpg; do cat "$f" || exit 0; sleep 0.1; done; done`,
  );
  stand.add(
    'gpiomon',
    `case "$*" in *--version*) echo 'gpiomon (libgpiod) v2.2.1'; exit;; esac; ${note}; exec sleep 600`,
  );
  stand.add('gpioget', 'echo 0');
  stand.add('gpioset', `${note}; exec sleep 600`);
  stand.add('systemd-notify', '');
  stand.add('vcgencmd', 'echo throttled=0x50000');
  return {
    stand,
    environment: {
      PATH: process.env['PATH'] ?? '',
      NOTIFY_SOCKET: '/run/none',
      WATCHDOG_USEC: '2000000',
      SEALCAM_DATA_FOLDER: join(tempFolder(), 'data'),
      SEALCAM_UPLINK_URL: 'mqtt://127.0.0.1:9',
      SEALCAM_CAMERA_DRIVER: 'libcamera',
      SEALCAM_CAMERA_WIDTH: String(SCENE_WIDTH),
      SEALCAM_CAMERA_HEIGHT: String(SCENE_HEIGHT),
      SEALCAM_GPIO_BUTTON_LINE: '17',
      SEALCAM_GPIO_MOTION_LINE: '27',
      SEALCAM_GPIO_IR_CUT_LINE: '22',
      SEALCAM_GPIO_LED_LINE: '24',
      SEALCAM_WATCHDOG_DRIVER: 'systemd',
    },
    pids: () => {
      const path = stand.path('pids');
      return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [];
    },
  };
}

describe('sealcam on a board', () => {
  it('runs on its drivers, notifies systemd, survives the end of its camera, and leaves no process behind', async () => {
    const { stand, environment, pids } = await board();
    const camera = start('sealcam', ['run'], environment);
    const countOf = (text: string): number => camera.lines.filter(({ msg }) => String(msg).includes(text)).length;
    await until('the camera', () => countOf('the camera is open') === 1);
    await until(
      'WATCHDOG=1 at systemd',
      () => stand.argv('systemd-notify').filter((arg) => arg === 'WATCHDOG=1').length > 1,
    );
    expect(stand.argv('systemd-notify')[0]).toBe('READY=1');
    await until('a claim window on the LED', () => stand.argv('gpioset').length > 6);
    expect(stand.argv('gpiomon')).toEqual(expect.arrayContaining(['17', '27', '22']));
    const streams = (): number[] => pids().filter((pid) => commandOf(pid).includes('rpicam-vid'));
    await until('the stream', () => streams().length === 1);
    process.kill(streams()[0] ?? 0, 'SIGKILL');
    await until('the camera again', () => countOf('the camera is open') === 2);
    camera.signal('SIGTERM');
    expect(await camera.ended).toBe(0);
    expect(stand.argv('systemd-notify').at(-1)).toBe('STOPPING=1');
    await until('no process left', () => !pids().some((pid) => existsSync(`/proc/${String(pid)}`)));
    expect(camera.lines.filter(({ stderr }) => stderr !== undefined)).toEqual([]);
  });

  it('is checked by the doctor', async () => {
    const { environment } = await board();
    const { stdout } = run('sealcam', ['doctor'], environment);
    expect(stdout).toMatch(/ok {4}camera +imx708, 640x360 at 10 frames per second/);
    expect(stdout).toMatch(/ok {4}board .*warning: the supply voltage was too low since the boot/);
    expect(stdout).toMatch(/FAIL {2}gpio +\/dev\/gpiochip0 does not exist|ok {4}gpio/);
    expect(stdout).toMatch(/ok {4}watchdog +systemd listens/);
  });

  it('keeps its camera while the doctor looks at the video, and would give it otherwise', async () => {
    const { environment } = await board();
    const filming = { ...environment, SEALCAM_CLIP_CODEC: 'jpeg', SEALCAM_CLIP_PREROLL_SECONDS: '1' };
    const camera = start('sealcam', ['run'], filming);
    await until('the camera', () => camera.lines.some(({ msg }) => String(msg).includes('the camera is open')));
    const { stdout } = run('sealcam', ['doctor'], filming);
    expect(stdout).toMatch(/ok {4}video +the running agent has the camera/);
    expect(stdout).toMatch(
      /FAIL {2}clip server +clip\.uploadUrl \(empty: the host of uplink\.url\): 127\.0\.0\.1:8080: /,
    );
    camera.signal('SIGTERM');
    expect(await camera.ended).toBe(0);
    expect(run('sealcam', ['doctor'], filming).stdout).toMatch(/ok {4}video +jpeg 640x360/);
  });

  it('refuses a device that a program could take for an option', () => {
    for (const device of ['-i', '--help', '/dev/video0; reboot', '$(id)', '/dev/video0\n']) {
      const { status, stderr } = run('sealcam', ['doctor'], { SEALCAM_CAMERA_DEVICE: device });
      expect(status).toBe(2);
      expect(stderr).toContain('camera.device');
    }
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
