/**
 * Configuration as one table per program: type, default and help of each key. The agent and the cloud each have such a
 * table; docs/configuration.md is generated from them.
 */
import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import * as v from '../schema.js';
import { SealcamError, systemCode } from '../errors.js';
import { lineOfKey } from './lines.js';
import { isNeighbour, meantVariable } from './variables.js';

/** One setting. */
export interface ConfigKey<S extends v.GenericSchema = v.GenericSchema> {
  readonly schema: S;
  /** As it would be written in the file. */
  readonly default: v.InferInput<S>;
  readonly help: string;
  /** Whether SIGHUP applies a new value to the running program. Otherwise a change needs a restart. */
  readonly live: boolean;
}

export type ConfigTable = Readonly<Record<string, ConfigKey>>;
/** The parsed values of a table. */
export type ConfigOf<T extends ConfigTable> = { readonly [K in keyof T]: v.InferOutput<T[K]['schema']> };

/** Describes one setting. */
export function key<S extends v.GenericSchema>(
  schema: S,
  initial: v.InferInput<S>,
  help: string,
  live = false,
): ConfigKey<S> {
  return { schema, default: initial, help, live };
}

export interface ConfigSource {
  /** Path of the TOML file; null to use defaults and environment only. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives what is odd but no reason to stop: a variable with our prefix that is no setting. */
  readonly warn?: (text: string) => void;
}

/** Returns the variable of a setting: with the prefix SEALCAM_, `motion.minDuration` is SEALCAM_MOTION_MIN_DURATION. */
export function environmentName(prefix: string, name: string): string {
  return prefix + name.replace(/[A-Z]/g, '_$&').replace('.', '_').toUpperCase();
}

/**
 * Loads a configuration: defaults, overridden by the file, overridden by the environment. Every value is checked. An
 * unknown key in the file is an error; an unknown variable is one where it looks like a misspelled setting, and otherwise a
 * warning, since other programs name variables too.
 *
 * @throws SealcamError `config-unreadable`, `config-syntax`, `config-unknown-key`, `config-invalid-value`
 */
export function loadConfig<T extends ConfigTable>(
  table: T,
  prefix: string,
  { file, environment, warn = () => undefined }: ConfigSource,
): ConfigOf<T> {
  const text = file === null ? '' : readText(file);
  const values = new Map<string, Setting>();
  for (const [name, value] of flatten(parseToml(text, file ?? ''))) {
    values.set(name, { value, where: `${file ?? ''}:${String(lineOfKey(text, name))}` });
  }
  for (const [name, setting] of environmentSettings(table, prefix, environment, warn)) values.set(name, setting);

  const out: Record<string, unknown> = {};
  for (const [name, { schema, default: initial }] of Object.entries(table)) {
    const setting = values.get(name);
    values.delete(name);
    const result = v.safeParse(schema, setting?.value ?? initial);
    if (!result.success) {
      const why = result.issues[0].message;
      throw new SealcamError('config-invalid-value', `${setting?.where ?? 'default'}: ${name}: ${why}`);
    }
    out[name] = result.output;
  }
  for (const [name, { where }] of values) {
    throw new SealcamError('config-unknown-key', `${where}: there is no setting ${name}${suggestion(table, name)}`);
  }
  return out as ConfigOf<T>;
}

/** Variables with the prefix that are not settings: the path of the file, and what scripts and tests read. */
const OTHER_VARIABLES = /_(CONFIG|VECTORS)$/;

interface Setting {
  readonly value: unknown;
  /** File and line, or the variable: for error messages. */
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
  warn: (text: string) => void,
): Generator<[string, Setting]> {
  const known = new Map(Object.keys(table).map((name) => [environmentName(prefix, name), name]));
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || text === undefined || OTHER_VARIABLES.test(variable)) continue;
    const name = isNeighbour(variable, text) ? undefined : known.get(variable);
    if (name === undefined) {
      const meant = isNeighbour(variable, text) ? undefined : meantVariable(variable, known.keys());
      const what = `environment: there is no setting ${variable}`;
      if (meant !== undefined) throw new SealcamError('config-unknown-key', `${what}; did you mean ${meant}?`);
      warn(`${what}; it is ignored`);
      continue;
    }
    yield [name, { value: environmentValue(text, table[name]?.default), where: `environment ${variable}` }];
  }
}

/** Parses a variable as a TOML value; text that is not one is used as it is. */
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

/** Returns the names of settings whose values differ. */
function changedKeys<T extends ConfigTable>(table: T, before: ConfigOf<T>, after: ConfigOf<T>): string[] {
  return Object.keys(table).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * Reloads a configuration, all or nothing: returns it if it is valid and only live keys have changed.
 * @throws SealcamError as {@link loadConfig} does, or `config-needs-restart`
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
