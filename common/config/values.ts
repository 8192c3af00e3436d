/**
 * Schemas of settings that camera and cloud share. Each error message states the expected form. Values that only a camera
 * has are in agent/config/values.ts.
 */
import * as v from '../schema.js';

const DURATION_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function quantity(units: Readonly<Record<string, number>>, example: string, min: string, max: string) {
  const read = (text: string): number | undefined => {
    const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
    const factor = units[match?.[2] ?? ''];
    return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
  };
  const from = read(min) ?? 0;
  const to = read(max) ?? Number.MAX_SAFE_INTEGER;
  const expected = `a text like "${example}" (${Object.keys(units).join(', ')}), from ${min} to ${max}`;
  const inBounds = (text: string): number | undefined => {
    const value = read(text);
    return value === undefined || value < from || value > to ? undefined : value;
  };
  return v.pipe(v.string(`expected ${expected}`), v.readAs(inBounds, `expected ${expected}`));
}

/** Returns the schema of a text with a unit of time, read as milliseconds. */
export function duration(min: string, max: string) {
  return quantity(DURATION_MS, '300 s', min, max);
}

/** Returns the schema of a text with a unit of size, read as bytes. */
export function size(min: string, max: string) {
  return quantity(SIZE_BYTES, '64 MiB', min, max);
}

/** Returns the schema of a whole number from `min` to `max`, both included. */
export function integer(min: number, max: number) {
  return v.int(min, max, `expected a whole number from ${String(min)} to ${String(max)}`);
}

/** Returns the schema of one of these texts. */
export function choice<const V extends readonly string[]>(...values: V) {
  return v.picklist(values, `expected one of ${values.join(', ')}`);
}

/** True or false. */
export const flag = v.boolean('expected true or false');

/** A path; empty for no file. */
export const path = v.pipe(v.string('expected a path'), v.maxLength(4096));

/** Parameters of a URL in which programs carry a secret. */
const SECRET_PARAMETER = /^(pass(word|wd|phrase)?|sslpassword|pwd|secret|token|api_?key)$/i;

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Returns whether a URL holds a password, or a parameter that looks like a secret. Such a URL would be logged with it. */
export function hasSecret(text: string): boolean {
  const url = parsedUrl(text);
  if (url === undefined) return false;
  return url.password !== '' || [...url.searchParams.keys()].some((name) => SECRET_PARAMETER.test(name));
}

/**
 * Returns the schema of an MQTT broker's address. User name and password in it are refused; no message repeats them.
 *
 * @param credentials where they belong, for the message
 */
export function brokerUrl(credentials: string) {
  return v.pipe(
    v.string('expected a URL'),
    v.check(
      (text) => ['mqtt:', 'mqtts:'].includes(parsedUrl(text)?.protocol ?? ''),
      'expected a URL like mqtt://broker.example:1883 or mqtts://broker.example:8883',
    ),
    v.check((text) => {
      const { username, search, hash } = parsedUrl(text) ?? {};
      return username === '' && search === '' && hash === '' && !hasSecret(text);
    }, `a URL must not hold a user name, password or parameters: ${credentials}`),
  );
}

/** The address of a page, of any scheme. */
export const pageUrl = v.pipe(
  v.string('expected a URL like https://app.example/'),
  v.check((text) => parsedUrl(text) !== undefined, 'expected a URL like https://app.example/'),
  v.check(
    (text) => parsedUrl(text)?.username === '' && !hasSecret(text),
    'expected a URL without user name and password',
  ),
);

/** A name of the IANA time zone database that this Node knows. */
export const timeZone = v.pipe(
  v.string(),
  v.check((name) => {
    // The default. To ask for it would load the tables of all zones at each start.
    if (name === 'UTC') return true;
    try {
      Intl.DateTimeFormat('en', { timeZone: name });
      return true;
    } catch {
      return false;
    }
  }, 'expected a time zone like Europe/Berlin'),
);

/** Raw 32-byte public keys, as hex. */
export const publicKeys = v.array(
  v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected public keys of 64 lower-case hex digits')),
);
