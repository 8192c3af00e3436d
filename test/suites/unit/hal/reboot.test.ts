import { describe, expect, it } from 'vitest';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { isSealcamError } from '../../../../common/errors.js';
import { rebootDevice } from '../../../../hal/linux/reboot.js';
import { StandIns } from '../../../support/engines/stand-ins.js';

async function refusal(): Promise<string> {
  try {
    await rebootDevice(realClock);
    return 'accepted';
  } catch (error) {
    return isSealcamError(error) ? `${error.message} [${error.code}]` : String(error);
  }
}

// The stand-in comes first on the path: no test may restart the machine that it runs on.
describe('restarting the device', () => {
  it('asks systemd, which must not ask for a password', async () => {
    const stand = new StandIns();
    stand.add('systemctl', 'exit 0');
    expect(await refusal()).toBe('accepted');
    expect(stand.argv('systemctl').join(' ')).toBe('--no-ask-password reboot');
  });

  it('repeats why it is refused', async () => {
    const stand = new StandIns();
    stand.add('systemctl', 'echo "Call to Reboot failed: Interactive authentication required." >&2; exit 1');
    expect(await refusal()).toContain('Interactive authentication required. [reboot-refused]');
    stand.add('systemctl', 'exit 3');
    expect(await refusal()).toContain('systemctl ended with 3 [reboot-refused]');
    new StandIns().alone();
    expect(await refusal()).toContain('there is no systemctl here [reboot-refused]');
  });
});
