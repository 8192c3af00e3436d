import { fromHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { loadCloudConfig, type CloudConfig } from '../main/config.js';
import { openExistingStore } from '../main/compose.js';
import type { CloudStore } from '../store/store.js';

/** What the operator's commands share: the store of a cloud that may be running, and how they print. */

export interface OutputOptions {
  readonly json: boolean;
}

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

/** One JSON object a line, or text. */
export function print({ json }: OutputOptions, object: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
}

const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** A time with its zone; one without is refused, since nobody could say which zone was meant. @throws SealcamError `usage-invalid` */
export function timeOf(text: string, option: string): number {
  const ms = ZONED.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new SealcamError('usage-invalid', `${option}: ${text} is no time with a zone`, {
      hint: 'Write it as 2026-02-16T09:41:00Z, or with another zone as 2026-02-16T09:41:00-08:00.',
    });
  }
  return ms;
}

/** @throws SealcamError `usage-invalid` */
export function idOf(text: string, bytes: number, option: string): Uint8Array {
  const id = fromHex(text, bytes);
  if (id === undefined) throw new SealcamError('usage-invalid', `${option}: expected ${String(2 * bytes)} hex digits`);
  return id;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
