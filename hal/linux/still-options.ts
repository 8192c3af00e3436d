import { SealcamError } from '../../common/errors.js';

/** The options that may reach `libcamera-still`. */
export interface StillOptions {
  readonly width: number;
  readonly height: number;
  /** Milliseconds for exposure to settle before the picture. */
  readonly timeout?: number;
  readonly quality?: number;
  readonly rotation?: 0 | 180;
  readonly hflip?: boolean;
  readonly vflip?: boolean;
  readonly exposure?: 'normal' | 'sport';
  readonly awb?: 'auto' | 'incandescent' | 'tungsten' | 'fluorescent' | 'indoor' | 'daylight' | 'cloudy';
  readonly metering?: 'centre' | 'spot' | 'average';
  /** Exposure time in microseconds. */
  readonly shutter?: number;
}

export type CheckedOptions = Readonly<Record<string, string | true>>;

/** Returns the text for the command line, true for a flag, null to leave it out, undefined to refuse. */
type Check = (value: unknown) => string | true | null | undefined;

function integer(min: number, max: number): Check {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? String(value) : undefined;
}

function oneOf(...values: readonly (string | number)[]): Check {
  return (value) => (values.some((each) => each === value) ? String(value) : undefined);
}

/** A flag that is off is left out: the package would write `--hflip false`. */
const flag: Check = (value) => (typeof value === 'boolean' ? value || null : undefined);

const OPTION_CHECKS: Readonly<Record<keyof StillOptions, Check>> = {
  width: integer(16, 16_384),
  height: integer(16, 16_384),
  timeout: integer(1, 10_000),
  quality: integer(1, 100),
  rotation: oneOf(0, 180),
  hflip: flag,
  vflip: flag,
  exposure: oneOf('normal', 'sport'),
  awb: oneOf('auto', 'incandescent', 'tungsten', 'fluorescent', 'indoor', 'daylight', 'cloudy'),
  metering: oneOf('centre', 'spot', 'average'),
  shutter: integer(1, 200_000_000),
};

/** Values of characters that mean nothing to a shell, and that do not start like an option. */
const SAFE_VALUE = /^[A-Za-z0-9/_][A-Za-z0-9/_.-]*$/;

/**
 * Checks options against the allow-list and their ranges, and returns them as texts; `output` is a path made by the caller.
 * @throws SealcamError `config-invalid-value`
 */
export function checkStillOptions(options: Readonly<Record<string, unknown>>, output: string): CheckedOptions {
  const checked: Record<string, string | true> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const text = Object.hasOwn(OPTION_CHECKS, name) ? OPTION_CHECKS[name as keyof StillOptions](value) : undefined;
    if (text === undefined)
      throw refused(`${JSON.stringify(name)} as ${typeof value === 'string' ? JSON.stringify(value) : typeof value}`);
    if (text !== null) checked[name] = text;
  }
  const all = { nopreview: true, encoding: 'jpg', ...checked, output } as const;
  for (const value of Object.values(all)) {
    if (value !== true && !SAFE_VALUE.test(value)) throw refused(JSON.stringify(value));
  }
  return all;
}

/** Returns checked options as arguments of a program. */
export function optionArgs(options: CheckedOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]));
}

function refused(what: string): SealcamError {
  return new SealcamError('config-invalid-value', `not allowed as an option of a still: ${what}`);
}
