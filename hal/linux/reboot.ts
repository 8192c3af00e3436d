import { spawn } from 'node:child_process';
import { SealcamError } from '../../common/errors.js';

/** Asks systemd to restart the device; systemd stops this program in order first. @throws SealcamError `reboot-refused` */
export function rebootDevice(): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => {
      reject(new SealcamError('reboot-refused', `the device cannot be restarted: ${why}`));
    };
    const child = spawn('systemctl', ['reboot'], { stdio: 'ignore' });
    child.once('error', (error) => {
      refuse(error.message);
    });
    child.once('close', (status) => {
      if (status === 0) resolve();
      else refuse(`systemctl ended with ${String(status)}`);
    });
  });
}
