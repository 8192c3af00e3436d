import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { runTool } from './child.js';

/** Asks systemd to restart the device; systemd stops this program in order first. @throws SealcamError `reboot-refused` */
export async function rebootDevice(clock: Clock): Promise<void> {
  // Nobody is there to type a password, so that systemctl must refuse at once instead of asking for one.
  const command = { program: 'systemctl', args: ['--no-ask-password', 'reboot'] };
  const { found, code, stderr, timedOut } = await runTool(command, clock, new AbortController().signal);
  if (code === 0) return;
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('; ');
  const ended = timedOut ? 'systemctl does not answer' : `systemctl ended with ${String(code)}`;
  const why = found ? (said === '' ? ended : said) : 'there is no systemctl here';
  throw new SealcamError('reboot-refused', `the device cannot be restarted: ${why}`);
}
