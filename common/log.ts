/** Ids, counts and codes. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * A structured log. Fields hold ids, counts and codes; never keys, pictures, user names, e-mail addresses or network
 * names.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Returns a log whose lines name this part of the program. */
  child(part: string): Log;
}

/** Discards everything: for tools and tests that use return values only. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
