import { fromHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { openExistingStore } from '../main/compose.js';
import { loadCloudConfig, type CloudConfig } from '../main/config.js';
import type { CloudStore } from '../store/store.js';

/** Shared by the operator's commands: the store of a cloud that may be running, and the output. */

export interface OutputOptions {
  readonly json: boolean;
}

/** Runs `use` on the configured store and closes it; resolves with the exit status 0. */
export async function withStore(
  source: ConfigSource,
  use: (store: CloudStore, config: CloudConfig) => Promise<void>,
): Promise<number> {
  const config = loadCloudConfig(source);
  const store = await openExistingStore(config);
  try {
    await use(store, config);
  } finally {
    await store.close();
  }
  return 0;
}

/** Prints one JSON object on a line, or the text. */
export function print({ json }: OutputOptions, object: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
}

const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Parses an ISO 8601 time with its zone, as milliseconds since 1970. A time without a zone is ambiguous and refused.
 *
 * @throws SealcamError `usage-invalid`
 */
export function timeOf(text: string, option: string): number {
  const ms = ZONED.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new SealcamError('usage-invalid', `${option}: ${text} is not a time with a zone`, {
      hint: 'Write it as 2026-02-16T09:41:00Z, or in another zone as 2026-02-16T09:41:00-08:00.',
    });
  }
  return ms;
}

/**
 * Parses an id of `bytes` bytes in hex.
 *
 * @throws SealcamError `usage-invalid`
 */
export function idOf(text: string, bytes: number, option: string): Uint8Array {
  const id = fromHex(text, bytes);
  if (id === undefined) throw new SealcamError('usage-invalid', `${option}: expected ${String(2 * bytes)} hex digits`);
  return id;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
