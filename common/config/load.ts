import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import type { z } from '../schema.js';
import { SealcamError, systemCode } from '../errors.js';
import { lineOfKey } from './lines.js';

/** One setting: type, default and help stand together, and documentation is generated from them. */
export interface ConfigKey<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** As it would stand in the file. */
  readonly default: z.input<S>;
  readonly help: string;
  /** Whether a running program takes a new value on SIGHUP; otherwise it asks for a restart. */
  readonly live: boolean;
}

export type ConfigTable = Readonly<Record<string, ConfigKey>>;
export type ConfigOf<T extends ConfigTable> = { readonly [K in keyof T]: z.output<T[K]['schema']> };

export function key<S extends z.ZodType>(schema: S, initial: z.input<S>, help: string, live = false): ConfigKey<S> {
  return { schema, default: initial, help, live };
}

export interface ConfigSource {
  /** Path of the TOML file; null for defaults and environment alone. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `motion.minDuration` is SEALCAM_MOTION_MIN_DURATION in the environment, if the prefix is SEALCAM_. */
export function environmentName(prefix: string, name: string): string {
  return prefix + name.replace(/[A-Z]/g, '_$&').replace('.', '_').toUpperCase();
}

/**
 * Defaults, then the file, then the environment. Everything is checked; nothing unknown passes.
 * @throws SealcamError `config-unreadable`, `config-syntax`, `config-unknown-key`, `config-invalid-value`
 */
export function loadConfig<T extends ConfigTable>(
  table: T,
  prefix: string,
  { file, environment }: ConfigSource,
): ConfigOf<T> {
  const text = file === null ? '' : readText(file);
  const values = new Map<string, Setting>();
  for (const [name, value] of flatten(parseToml(text, file ?? ''))) {
    values.set(name, { value, where: `${file ?? ''}:${String(lineOfKey(text, name))}` });
  }
  for (const [name, setting] of environmentSettings(table, prefix, environment)) values.set(name, setting);

  const out: Record<string, unknown> = {};
  for (const [name, { schema, default: initial }] of Object.entries(table)) {
    const setting = values.get(name);
    values.delete(name);
    const result = schema.safeParse(setting?.value ?? initial);
    if (!result.success) {
      const why = result.error.issues[0]?.message ?? 'invalid';
      throw new SealcamError('config-invalid-value', `${setting?.where ?? 'default'}: ${name}: ${why}`);
    }
    out[name] = result.data;
  }
  for (const [name, { where }] of values) {
    throw new SealcamError('config-unknown-key', `${where}: there is no setting ${name}${suggestion(table, name)}`);
  }
  return out as ConfigOf<T>;
}

/** Not settings: where the file is, and what scripts and tests read. */
const OTHER_VARIABLES = /_(CONFIG|VECTORS)$/;

interface Setting {
  readonly value: unknown;
  /** File and line, or the variable. */
  readonly where: string;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SealcamError('config-unreadable', `${file} cannot be read (${systemCode(cause) ?? 'unknown'})`, {
      cause,
    });
  }
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const why = cause.message.split('\n')[0] ?? '';
    throw new SealcamError('config-syntax', `${file}:${String(cause.line)}:${String(cause.column)}: ${why}`, { cause });
  }
}

function* flatten(table: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable) yield* flatten(value as Record<string, unknown>, `${prefix}${name}.`);
    else yield [prefix + name, value];
  }
}

function* environmentSettings(
  table: ConfigTable,
  prefix: string,
  environment: ConfigSource['environment'],
): Generator<[string, Setting]> {
  const known = new Map(Object.keys(table).map((name) => [environmentName(prefix, name), name]));
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || text === undefined || OTHER_VARIABLES.test(variable)) continue;
    const name = known.get(variable);
    if (name === undefined) {
      throw new SealcamError('config-unknown-key', `environment: there is no setting ${variable}`);
    }
    yield [name, { value: environmentValue(text, table[name]?.default), where: `environment ${variable}` }];
  }
}

/** A variable may hold any TOML value; what is none is taken as plain text. */
function environmentValue(text: string, initial: unknown): unknown {
  if (typeof initial === 'string') return text;
  try {
    return parse(`value = ${text}`)['value'];
  } catch {
    return text;
  }
}

function suggestion(table: ConfigTable, name: string): string {
  const leaf = name.split('.').at(-1)?.toLowerCase();
  const near = Object.keys(table).find((known) => known.split('.').at(-1)?.toLowerCase() === leaf);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Names of the settings that differ. */
export function changedKeys<T extends ConfigTable>(table: T, before: ConfigOf<T>, after: ConfigOf<T>): string[] {
  return Object.keys(table).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * What SIGHUP does: all or nothing. The new configuration, if it is valid and all that changed can change now.
 * @throws SealcamError as {@link loadConfig}, or `config-needs-restart`
 */
export function reloadConfig<T extends ConfigTable>(
  table: T,
  prefix: string,
  current: ConfigOf<T>,
  source: ConfigSource,
): ConfigOf<T> {
  const next = loadConfig(table, prefix, source);
  const fixed = changedKeys(table, current, next).filter((name) => table[name]?.live !== true);
  if (fixed.length > 0) throw new SealcamError('config-needs-restart', `${fixed.join(', ')}: needs a restart`);
  return next;
}
