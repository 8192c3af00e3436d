import { pino, type Logger } from 'pino';
import type { Log, LogFields } from '../log.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A log whose level can change while the program runs. */
export interface LevelLog extends Log {
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

/**
 * Returns a log that writes one JSON object per line, with the time as ISO 8601 in UTC. It does not rotate: journald or
 * the container runtime limits size and age.
 */
export function createLog(
  level: LogLevel,
  destination: { write(text: string): unknown },
  base: LogFields = {},
): LevelLog {
  const root = pino(
    {
      level,
      base,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    ...wrap(root),
    get level() {
      return root.level as LogLevel;
    },
    setLevel: (next) => (root.level = next),
  };
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, message) => {
      logger.debug(fields, message);
    },
    info: (fields, message) => {
      logger.info(fields, message);
    },
    warn: (fields, message) => {
      logger.warn(fields, message);
    },
    error: (fields, message) => {
      logger.error(fields, message);
    },
    child: (part) => wrap(logger.child({ part })),
  };
}
