import { pino, type Logger } from 'pino';
import type { Log, LogFields } from '../log.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LevelLog extends Log {
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

/**
 * One JSON object a line on stdout, as journald and containers want it; time as ISO 8601 in UTC.
 * Limits on size and age are journald's (or the container's) business.
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
