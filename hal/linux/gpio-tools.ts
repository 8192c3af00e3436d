import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { runTool, type Command } from './child.js';

/** The command line of gpiod's tools: Debian 12 has version 1, trixie version 2, and no option is alike. */
export type GpiodVersion = 1 | 2;

export interface GpioLine {
  /** `gpiochip0`, or its path. */
  readonly chip: string;
  readonly line: number;
  /** A button that pulls the line to ground is active when the line is low. */
  readonly activeLow: boolean;
  readonly pull: 'pull-up' | 'pull-down' | 'as-is';
}

export interface GpioEdge {
  readonly active: boolean;
  /** The kernel's timestamp; only differences mean something. */
  readonly timeMs: number;
}

const INSTALL_HINT = 'Install gpiod (Debian: apt install gpiod), and let this user into the group gpio.';

/** @throws SealcamError `gpio-unavailable` */
export async function gpiodVersion(clock: Clock, signal: AbortSignal): Promise<GpiodVersion> {
  const { found, stdout } = await runTool({ program: 'gpiomon', args: ['--version'] }, clock, signal);
  if (!found) throw new SealcamError('gpio-unavailable', 'there is no gpiomon', { hint: INSTALL_HINT });
  const major = /\bv?(\d+)\.\d+/.exec(stdout)?.[1];
  if (major === '1' || major === '2') return Number(major) as GpiodVersion;
  throw new SealcamError('gpio-unavailable', `gpiomon of an unknown version: ${stdout.split('\n')[0] ?? ''}`);
}

function lowFlag({ activeLow }: GpioLine): string[] {
  return activeLow ? ['--active-low'] : [];
}

function biasFlag({ pull }: GpioLine, version: GpiodVersion): string[] {
  // Version 2 has no word for leaving it as it is.
  return pull === 'as-is' && version === 2 ? [] : [`--bias=${pull}`];
}

export function monitorCommand(line: GpioLine, version: GpiodVersion): Command {
  const flags = [...lowFlag(line), ...biasFlag(line, version)];
  const offset = String(line.line);
  return version === 1
    ? { program: 'gpiomon', args: ['--line-buffered', '--format=%e %s %n', ...flags, line.chip, offset] }
    : { program: 'gpiomon', args: ['--format=%e %S', ...flags, '--chip', line.chip, offset] };
}

export function getCommand(line: GpioLine, version: GpiodVersion): Command {
  const flags = [...lowFlag(line), ...biasFlag(line, version)];
  return version === 1
    ? { program: 'gpioget', args: [...flags, line.chip, String(line.line)] }
    : { program: 'gpioget', args: ['--numeric', ...flags, '--chip', line.chip, String(line.line)] };
}

/** Runs until it is ended: the line falls back to the kernel's default with its last holder. */
export function setCommand(line: GpioLine, version: GpiodVersion, isOn: boolean): Command {
  const value = `${String(line.line)}=${isOn ? '1' : '0'}`;
  return version === 1
    ? { program: 'gpioset', args: ['--mode=signal', ...lowFlag(line), line.chip, value] }
    : { program: 'gpioset', args: [...lowFlag(line), '--chip', line.chip, value] };
}

/** One line of gpiomon; null for anything else. Falling is 0 in version 1 and 2 in version 2. */
export function parseEdge(text: string): GpioEdge | null {
  const match = /^([012]) (\d+)(?:\.(\d{9})| (\d{1,9}))$/.exec(text.trim());
  if (match === null) return null;
  const nanoseconds = Number(match[3] ?? match[4]);
  return { active: match[1] === '1', timeMs: Number(match[2]) * 1000 + nanoseconds / 1e6 };
}
