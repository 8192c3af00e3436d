import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { z } from '../../../common/schema.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Log } from '../../../common/log.js';
import type { PersistedUplink } from '../../uplink/machine.js';
import type { UplinkStore } from '../../uplink/uplink.js';

const schema = z.object({
  broker: z.string(),
  boot: z.string(),
  windowMs: z.number(),
  effectiveWindowMs: z.number(),
  authHoldMs: z.number(),
  drainIntervalMs: z.number().min(0).max(900_000).nullable().default(null),
  protocol: z.union([z.literal(5), z.literal(4)]),
  dueMs: z.number().nullable(),
});

/**
 * Keeps the uplink's window in a small file, replaced as a whole. A lost or broken file only means a full first window.
 * What is known of one broker says nothing of another; its address is kept as a hash, for the folder names no network.
 */
export function uplinkFile(path: string, log: Log, brokerUrl = ''): UplinkStore {
  const broker = createHash('sha256').update(brokerUrl).digest('hex').slice(0, 16);
  return {
    load(): PersistedUplink | null {
      try {
        const kept = schema.parse(JSON.parse(readFileSync(path, 'utf8')));
        return kept.broker === broker ? kept : null;
      } catch {
        return null;
      }
    },
    save(state) {
      try {
        const file = openSync(`${path}.new`, 'w', 0o600);
        writeSync(file, JSON.stringify({ ...state, broker }));
        fsyncSync(file);
        closeSync(file);
        renameSync(`${path}.new`, path);
      } catch (error) {
        log.warn(
          { code: asSealcamError(error, 'store-unavailable').code },
          'the state of the uplink could not be kept',
        );
      }
    },
  };
}
