import * as v from '../../common/schema.js';
import type { HistoryStorage } from './storage.js';

/** Returns a setting that is stored as JSON; null where it is missing, or of another shape. */
export async function jsonSetting<T>(
  storage: Pick<HistoryStorage, 'setting'>,
  name: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T | null> {
  try {
    const kept = v.safeParse(schema, JSON.parse((await storage.setting(name)) ?? 'null'));
    return kept.success ? kept.output : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
