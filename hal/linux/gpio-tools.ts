import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { runTool, type Command } from './child.js';

/** Major version of the gpiod tools: Debian 12 has 1, Debian 13 has 2, and no option is the same in both. */
export type GpiodVersion = 1 | 2;

export interface GpioLine {
  /** Name or path, such as `gpiochip0`. */
  readonly chip: string;
  readonly line: number;
  /** A button that pulls the line to ground is active when the line is low. */
  readonly activeLow: boolean;
  readonly pull: 'pull-up' | 'pull-down' | 'as-is';
}

export interface GpioEdge {
  readonly active: boolean;
  /** The timestamp of the kernel; only differences have a meaning. */
  readonly timeMs: number;
}

/** Returns the device file of a GPIO chip, which a setting names by path or by name. */
export function gpioChipPath(chip: string): string {
  return chip.startsWith('/') ? chip : `/dev/${chip}`;
}

const INSTALL_HINT = 'Install gpiod (Debian: apt install gpiod), and add this user to the group gpio.';

/** Finds out which version of the tools is installed. @throws SealcamError `gpio-unavailable` */
export async function gpiodVersion(clock: Clock, signal: AbortSignal): Promise<GpiodVersion> {
  const { found, stdout } = await runTool({ program: 'gpiomon', args: ['--version'] }, clock, signal);
  if (!found) throw new SealcamError('gpio-unavailable', 'gpiomon is not installed', { hint: INSTALL_HINT });
  const major = /\bv?(\d+)\.\d+/.exec(stdout)?.[1];
  if (major === '1' || major === '2') return Number(major) as GpiodVersion;
  throw new SealcamError('gpio-unavailable', `gpiomon of an unknown version: ${stdout.split('\n')[0] ?? ''}`);
}

function lowFlag({ activeLow }: GpioLine): string[] {
  return activeLow ? ['--active-low'] : [];
}

function biasFlag({ pull }: GpioLine, version: GpiodVersion): string[] {
  // Version 2 has no option that leaves the bias unchanged.
  return pull === 'as-is' && version === 2 ? [] : [`--bias=${pull}`];
}

/** Returns the command that prints every edge of a line. */
export function monitorCommand(line: GpioLine, version: GpiodVersion): Command {
  const flags = [...lowFlag(line), ...biasFlag(line, version)];
  const offset = String(line.line);
  return version === 1
    ? { program: 'gpiomon', args: ['--line-buffered', '--format=%e %s %n', ...flags, line.chip, offset] }
    : { program: 'gpiomon', args: ['--format=%e %S', ...flags, '--chip', line.chip, offset] };
}

/** Returns the command that prints the level of a line. */
export function getCommand(line: GpioLine, version: GpiodVersion): Command {
  const flags = [...lowFlag(line), ...biasFlag(line, version)];
  return version === 1
    ? { program: 'gpioget', args: [...flags, line.chip, String(line.line)] }
    : { program: 'gpioget', args: ['--numeric', ...flags, '--chip', line.chip, String(line.line)] };
}

/** Returns the command that holds a line at a level until it is ended; the line then falls back to its default. */
export function setCommand(line: GpioLine, version: GpiodVersion, isOn: boolean): Command {
  const value = `${String(line.line)}=${isOn ? '1' : '0'}`;
  return version === 1
    ? { program: 'gpioset', args: ['--mode=signal', ...lowFlag(line), line.chip, value] }
    : { program: 'gpioset', args: [...lowFlag(line), '--chip', line.chip, value] };
}

/** Parses one line of gpiomon; null for anything else. A falling edge is 0 in version 1 and 2 in version 2. */
export function parseEdge(text: string): GpioEdge | null {
  const match = /^([012]) (\d+)(?:\.(\d{9})| (\d{1,9}))$/.exec(text.trim());
  if (match === null) return null;
  const nanoseconds = Number(match[3] ?? match[4]);
  return { active: match[1] === '1', timeMs: Number(match[2]) * 1000 + nanoseconds / 1e6 };
}
