import { utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Cbor } from './cbor.js';
import type { Schema } from './schema.js';

/**
 * A type and its CBOR form, in both directions. Payloads are maps with integer keys 0 to 23, described once as a table
 * of fields. Unknown keys, missing keys and values out of range throw SealcamError `malformed`.
 */
export interface Codec<T> {
  toCbor(value: T): Cbor;
  /** `path` names the place in error messages, e.g. `record.time.quality`. */
  fromCbor(raw: unknown, path: string): T;
  /** The same rules as data; docs/protocol.cddl is generated from it. */
  readonly schema: Schema;
}

export type TypeOf<C> = C extends Codec<infer T> ? T : never;

function refuse(path: string, expected: string): never {
  throw new SealcamError('malformed', `${path}: expected ${expected}`);
}

/** Encoding checks the same rules as decoding, so that this side never signs what the other side must refuse. */
function checked<T extends Cbor>(schema: Schema, expected: string, accepts: (raw: unknown) => raw is T): Codec<T> {
  return {
    toCbor: (value) => (accepts(value) ? value : refuse('value', expected)),
    fromCbor: (raw, path) => (accepts(raw) ? raw : refuse(path, expected)),
    schema,
  };
}

/** An integer from 0 to `max`. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Codec<number> {
  return int(0, max);
}

/** An integer from `min` to `max`. */
export function int(min: number, max: number): Codec<number> {
  return checked(
    { type: 'int', min, max },
    `an integer ${String(min)}..${String(max)}`,
    (raw): raw is number => typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= min && raw <= max,
  );
}

/** A byte string of exactly `length` bytes. */
export function bytes(length: number): Codec<Uint8Array> {
  return checked(
    { type: 'bytes', min: length, max: length },
    `${String(length)} bytes`,
    (raw): raw is Uint8Array => raw instanceof Uint8Array && raw.length === length,
  );
}

/** A byte string of `min` to `max` bytes. */
export function bytesBetween(min: number, max: number): Codec<Uint8Array> {
  return checked(
    { type: 'bytes', min, max },
    `${String(min)} to ${String(max)} bytes`,
    (raw): raw is Uint8Array => raw instanceof Uint8Array && raw.length >= min && raw.length <= max,
  );
}

/** A byte string of at most `max` bytes. */
export function bytesUpTo(max: number): Codec<Uint8Array> {
  return checked(
    { type: 'bytes', min: 0, max },
    `at most ${String(max)} bytes`,
    (raw): raw is Uint8Array => raw instanceof Uint8Array && raw.length <= max,
  );
}

/**
 * Text of at most `max` bytes in UTF-8. Control characters are refused, so that a value cannot break a log line, and so
 * is a leading U+FEFF, which some decoders drop.
 */
export function text(max: number): Codec<string> {
  return checked(
    { type: 'text', max },
    `text of at most ${String(max)} bytes without control characters`,
    (raw): raw is string =>
      // eslint-disable-next-line no-control-regex -- control characters are what this finds
      typeof raw === 'string' && !/^\ufeff|[\u0000-\u001f\u007f]/.test(raw) && utf8(raw).length <= max,
  );
}

export const bool: Codec<boolean> = checked(
  { type: 'bool' },
  'true or false',
  (raw): raw is boolean => typeof raw === 'boolean',
);

/** The inner type or null. */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    toCbor: (value) => (value === null ? null : inner.toCbor(value)),
    fromCbor: (raw, path) => (raw === null ? null : inner.fromCbor(raw, path)),
    schema: { type: 'nullable', inner: inner.schema },
  };
}

/** An array of `min` to `max` items. */
export function array<T>(inner: Codec<T>, min: number, max: number): Codec<readonly T[]> {
  const expected = `${String(min)} to ${String(max)} items`;
  return {
    toCbor(value) {
      if (value.length < min || value.length > max) refuse('value', expected);
      return value.map((item) => inner.toCbor(item));
    },
    fromCbor(raw, path) {
      if (!Array.isArray(raw) || raw.length < min || raw.length > max) return refuse(path, expected);
      return raw.map((item: unknown, i) => inner.fromCbor(item, `${path}[${String(i)}]`));
    },
    schema: { type: 'array', inner: inner.schema, min, max },
  };
}

type AnyCodec = Codec<never> | Codec<unknown>;

/** An array of fixed length whose places have types of their own. */
export function tuple<const C extends readonly AnyCodec[]>(
  ...inner: C
): Codec<{ readonly [K in keyof C]: TypeOf<C[K]> }> {
  const items = inner as readonly Codec<unknown>[];
  return {
    toCbor: (value) => items.map((codec, i) => codec.toCbor((value as readonly unknown[])[i])),
    fromCbor(raw, path) {
      if (!Array.isArray(raw) || raw.length !== items.length) return refuse(path, `${String(items.length)} items`);
      const out = items.map((codec, i) => codec.fromCbor(raw[i], `${path}[${String(i)}]`));
      return out as { readonly [K in keyof C]: TypeOf<C[K]> };
    },
    schema: { type: 'tuple', inner: items.map(({ schema }) => schema) },
  };
}

/** A name in the code, a number on the wire. A number that is not in the table is `unsupported`, not `malformed`. */
export function names<const N extends Readonly<Record<string, number>>>(table: N): Codec<keyof N & string> {
  const byNumber = new Map(Object.entries(table).map(([name, number]) => [number, name]));
  return {
    toCbor: (value) => table[value] ?? refuse('value', Object.keys(table).join(' | ')),
    fromCbor(raw, path) {
      if (typeof raw !== 'number' || !Number.isSafeInteger(raw) || raw < 0) return refuse(path, 'a number');
      const name = byNumber.get(raw);
      if (name === undefined) throw new SealcamError('unsupported', `${path}: ${String(raw)} is not known here`);
      return name;
    },
    schema: { type: 'names', table },
  };
}

/** One field of a {@link struct}: its integer key and its type. */
export interface Field<T, Optional extends boolean> {
  readonly key: number;
  readonly codec: Codec<T>;
  readonly optional: Optional;
}

/** A field that must be present. */
export function field<T>(key: number, codec: Codec<T>): Field<T, false> {
  return { key, codec, optional: false };
}

/** A field that may be absent. */
export function optional<T>(key: number, codec: Codec<T>): Field<T, true> {
  return { key, codec, optional: true };
}

type Fields = Readonly<Record<string, Field<never, boolean> | Field<unknown, boolean>>>;
type RequiredNames<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer _T, false> ? K : never }[keyof F];
type OptionalNames<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer _T, true> ? K : never }[keyof F];
type FieldType<X> = X extends Field<infer T, boolean> ? T : never;
type Simplify<T> = { [K in keyof T]: T[K] };

export type StructOf<F extends Fields> = Simplify<
  { readonly [K in RequiredNames<F>]: FieldType<F[K]> } & { readonly [K in OptionalNames<F>]?: FieldType<F[K]> }
>;

/** A map, which alone can have a version. */
export interface StructCodec<T> extends Codec<T> {
  /** Reads the fields; the map may hold this one other key. */
  readonly fieldsFrom: (raw: unknown, path: string, otherKey: number | null) => T;
}

/** A CBOR map with these fields and no other keys. */
export function struct<const F extends Fields>(fields: F): StructCodec<StructOf<F>> {
  const table = Object.entries(fields) as [string, Field<unknown, boolean>][];
  const known = new Set(table.map(([, { key }]) => key));
  const fieldsFrom = (raw: unknown, path: string, otherKey: number | null): StructOf<F> => {
    if (!(raw instanceof Map)) return refuse(path, 'a map');
    const out: Record<string, unknown> = {};
    for (const [name, { key, codec, optional: mayMiss }] of table) {
      // No CBOR value of this protocol is undefined.
      const item: unknown = raw.get(key);
      if (item !== undefined) out[name] = codec.fromCbor(item, `${path}.${name}`);
      else if (!mayMiss) refuse(`${path}.${name}`, 'a value');
    }
    for (const key of raw.keys() as Iterable<number>) {
      if (!known.has(key) && key !== otherKey) refuse(path, `no key ${String(key)}`);
    }
    return out as StructOf<F>;
  };
  return {
    fieldsFrom,
    toCbor(value) {
      const out = new Map<number, Cbor>();
      for (const [name, { key, codec, optional: mayMiss }] of table) {
        const item = (value as Readonly<Record<string, unknown>>)[name];
        if (item === undefined) {
          if (!mayMiss) refuse(name, 'a value');
          continue;
        }
        out.set(key, codec.toCbor(item));
      }
      return out;
    },
    fromCbor: (raw, path) => fieldsFrom(raw, path, null),
    schema: {
      type: 'struct',
      fields: table.map(([name, item]) => ({
        name,
        key: item.key,
        optional: item.optional,
        schema: item.codec.schema,
      })),
    },
  };
}

/** The version is under key 0 of the map; decoded values do not contain it. */
const KEY_VERSION = 0;

/** Adds a version to a struct. Another version is `unsupported`, whatever else the map contains. */
export function versioned<T>(version: number, inner: StructCodec<T>): Codec<T> {
  return {
    toCbor(value) {
      const fields = inner.toCbor(value);
      if (!(fields instanceof Map)) throw new SealcamError('internal', 'only a struct has a version');
      return new Map<number, Cbor>([[KEY_VERSION, version], ...fields]);
    },
    fromCbor(raw, path) {
      if (!(raw instanceof Map)) return refuse(path, 'a map');
      const found: unknown = raw.get(KEY_VERSION);
      if (typeof found !== 'number') return refuse(`${path}.version`, 'a number');
      if (found !== version)
        throw new SealcamError('unsupported', `${path}: version ${String(found)} is not known here`);
      return inner.fieldsFrom(raw, path, KEY_VERSION);
    },
    schema: {
      type: 'struct',
      fields: [
        { name: 'version', key: KEY_VERSION, optional: false, schema: { type: 'int', min: version, max: version } },
        ...(inner.schema.type === 'struct' ? inner.schema.fields : []),
      ],
    },
  };
}

/** What every value of version 2 says of itself. Values of version 1 say nothing: they had no version to tell apart. */
export interface VersionTwo {
  readonly version: 2;
}

/** Returns whether a value is of version 2. */
export function isVersionTwo(value: unknown): value is VersionTwo {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 2;
}

/** Adds version 2 to a struct; decoded values contain it. Another version is `unsupported`. */
export function versionTwo<T>(inner: StructCodec<T>): Codec<T & VersionTwo> {
  const codec = versioned(2, inner);
  return { ...codec, fromCbor: (raw, path) => ({ ...codec.fromCbor(raw, path), version: 2 }) };
}

/**
 * A map of either version: reads by its key 0, writes by the value's own `version`. A third one is `unsupported`. Its schema
 * is that of version 2.
 */
export function eitherVersion<A, B extends VersionTwo>(one: Codec<A>, two: Codec<B>): Codec<A | B> {
  return {
    toCbor: (value) => (isVersionTwo(value) ? two.toCbor(value) : one.toCbor(value)),
    fromCbor: (raw, path) =>
      raw instanceof Map && raw.get(KEY_VERSION) === 2 ? two.fromCbor(raw, path) : one.fromCbor(raw, path),
    schema: two.schema,
  };
}

/** Names the places of a tuple, for docs/protocol.cddl. */
export function labelled<T>(labels: readonly string[], inner: Codec<T>): Codec<T> {
  return inner.schema.type === 'tuple' ? { ...inner, schema: { ...inner.schema, labels } } : inner;
}

/** Epochs count from 1. */
export const epochNumber: Codec<number> = int(1, Number.MAX_SAFE_INTEGER);
