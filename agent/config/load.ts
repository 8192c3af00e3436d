import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { SealcamError, systemCode } from '../../common/errors.js';
import { CONFIG_KEYS, environmentName, type Config, type ConfigName } from './keys.js';
import { lineOfKey } from './lines.js';

export interface ConfigSource {
  /** Path of the TOML file; null for defaults and environment alone. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Not settings, but read by scripts and tests. */
const OTHER_VARIABLES = new Set(['SEALCAM_VECTORS', 'SEALCAM_CONFIG']);

/**
 * Defaults, then the file, then the environment. Everything is checked; nothing unknown passes.
 * @throws SealcamError `config-unreadable`, `config-syntax`, `config-unknown-key`, `config-invalid-value`
 */
export function loadConfig({ file, environment }: ConfigSource): Config {
  const text = file === null ? '' : readText(file);
  const values = new Map<string, Setting>();
  for (const [name, value] of flatten(parseToml(text, file ?? ''))) {
    values.set(name, { value, where: `${file ?? ''}:${String(lineOfKey(text, name))}` });
  }
  for (const [name, setting] of environmentSettings(environment)) values.set(name, setting);

  const out: Record<string, unknown> = {};
  for (const [name, { schema, default: initial }] of Object.entries(CONFIG_KEYS)) {
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
    throw new SealcamError('config-unknown-key', `${where}: there is no setting ${name}${suggestion(name)}`);
  }
  return out as Config;
}

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

function* environmentSettings(environment: ConfigSource['environment']): Generator<[string, Setting]> {
  const known = new Map<string, string>(Object.keys(CONFIG_KEYS).map((name) => [environmentName(name), name]));
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SEALCAM_') || text === undefined || OTHER_VARIABLES.has(variable)) continue;
    const name = known.get(variable);
    if (name === undefined) {
      throw new SealcamError('config-unknown-key', `environment: there is no setting ${variable}`);
    }
    yield [name, { value: environmentValue(text, name), where: `environment ${variable}` }];
  }
}

/** A variable may hold any TOML value; what is none is taken as plain text. */
function environmentValue(text: string, name: string): unknown {
  const takesText = typeof CONFIG_KEYS[name as ConfigName].default === 'string';
  if (takesText) return text;
  try {
    return parse(`value = ${text}`)['value'];
  } catch {
    return text;
  }
}

function suggestion(name: string): string {
  const leaf = name.split('.').at(-1)?.toLowerCase();
  const near = Object.keys(CONFIG_KEYS).find((known) => known.split('.').at(-1)?.toLowerCase() === leaf);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Names of the settings that differ. */
export function changedKeys(before: Config, after: Config): ConfigName[] {
  const names = Object.keys(CONFIG_KEYS) as ConfigName[];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * What SIGHUP does: all or nothing. The new configuration, if it is valid and all that changed can change now.
 * @throws SealcamError as {@link loadConfig}, or `config-needs-restart`
 */
export function reloadConfig(current: Config, source: ConfigSource): Config {
  const next = loadConfig(source);
  const fixed = changedKeys(current, next).filter((name) => !CONFIG_KEYS[name].live);
  if (fixed.length > 0) throw new SealcamError('config-needs-restart', `${fixed.join(', ')}: needs a restart`);
  return next;
}
