import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { holdersOf } from '../../hal/linux/device-users.js';
import type { Config } from '../config/keys.js';

/** Returns the process id of the agent that runs on the configured data folder, as far as this user may see it. */
export async function runningAgent(config: Config): Promise<number | undefined> {
  const outbox = join(config['data.folder'], 'outbox.db');
  const path = await realpath(outbox).catch(() => outbox);
  const [agent] = await holdersOf((held) => held === path);
  return agent;
}
