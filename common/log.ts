export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Where the program says what happens. Fields hold ids, counts and codes;
 * never keys, pictures, user names, e-mail addresses or network names.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(part: string): Log;
}

/** Says nothing: for tools and tests that look at return values only. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
