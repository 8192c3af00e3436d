import { readFile } from 'node:fs/promises';
import type { Clock } from '../../common/clock.js';
import { isInstalled } from '../adapters/is-installed.js';
import { runTool } from './child.js';

const THROTTLED = '/sys/devices/platform/soc/soc:firmware/get_throttled';

/** Bits of the firmware of a Raspberry Pi: 0 to 3 for now, 16 to 19 for since the boot. */
const THROTTLED_BITS: readonly (readonly [bit: number, what: string])[] = [
  [0, 'the supply voltage is too low'],
  [1, 'the processor is slowed down'],
  [2, 'the processor is throttled'],
  [3, 'the temperature limit is reached'],
  [16, 'the supply voltage was too low since the boot'],
  [17, 'the processor was slowed down since the boot'],
  [18, 'the processor was throttled since the boot'],
  [19, 'the temperature limit was reached since the boot'],
];

/** Parses `50005`, `0x50005` or `throttled=0x50005`; other text gives no warnings. */
export function parseThrottled(text: string): readonly string[] {
  const match = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim());
  const value = Number.parseInt(match?.[1] ?? '0', 16);
  return THROTTLED_BITS.filter(([bit]) => (value >>> bit) % 2 === 1).map(([, what]) => what);
}

/** Reads the bits from the kernel, else from `vcgencmd`; boards with neither give no warnings. */
export async function readThrottled(clock: Clock): Promise<readonly string[]> {
  const text = await readFile(THROTTLED, 'utf8').catch(() => null);
  if (text !== null) return parseThrottled(text);
  if (!isInstalled('vcgencmd')) return [];
  const command = { program: 'vcgencmd', args: ['get_throttled'] };
  const { code, stdout } = await runTool(command, clock, new AbortController().signal);
  return code === 0 ? parseThrottled(stdout) : [];
}
