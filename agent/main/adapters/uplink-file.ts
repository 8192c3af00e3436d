import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeDurableFile } from '../../../common/adapters/durable-file.js';
import { asSealcamError } from '../../../common/errors.js';
import type { Log } from '../../../common/log.js';
import * as v from '../../../common/schema.js';
import type { PersistedUplink } from '../../uplink/machine.js';
import type { UplinkStore } from '../../uplink/uplink.js';

const milliseconds = v.pipe(v.number(), v.finite());
const schema = v.object({
  broker: v.string(),
  boot: v.string(),
  windowMs: milliseconds,
  effectiveWindowMs: milliseconds,
  authHoldMs: milliseconds,
  drainIntervalMs: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(900_000))), null),
  protocol: v.picklist([5, 4]),
  dueMs: v.nullable(milliseconds),
});

/** Of the hash that stands for a broker. */
const BROKER_HEX_CHARS = 16;

/**
 * Returns a store that keeps the uplink's state in one small file. A lost or broken file costs a full first window.
 * The state of one broker does not apply to another. The broker is kept as a hash of its address, so that the data folder
 * names no network.
 */
export function uplinkFile(path: string, log: Log, brokerUrl = ''): UplinkStore {
  const broker = createHash('sha256').update(brokerUrl).digest('hex').slice(0, BROKER_HEX_CHARS);
  return {
    load(): PersistedUplink | null {
      try {
        const kept = v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
        return kept.broker === broker ? kept : null;
      } catch {
        return null;
      }
    },
    save(state) {
      try {
        writeDurableFile(path, JSON.stringify({ ...state, broker }));
      } catch (error) {
        log.warn(
          { code: asSealcamError(error, 'store-unavailable').code },
          'the state of the uplink could not be saved',
        );
      }
    },
  };
}
