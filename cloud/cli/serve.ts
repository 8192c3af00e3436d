import { createLog } from '../../common/adapters/pino-log.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { atMost } from '../../common/clock.js';
import type { ConfigSource } from '../../common/config/load.js';
import { startCloud } from '../main/compose.js';
import { loadCloudConfig } from '../main/config.js';

/** How long a start that is called off may take to close what it opened. A store that is away may answer much later. */
const CLOSE_TIMEOUT_MS = 2000;

/** `sealcam-cloud serve`: runs the cloud until SIGTERM or SIGINT, also while it waits for its broker. */
export async function serveCommand(source: ConfigSource): Promise<number> {
  const warnings: string[] = [];
  const config = loadCloudConfig({ ...source, warn: (text) => warnings.push(text) });
  const log = createLog(config['log.level'], process.stdout);
  for (const text of warnings) log.warn({ code: 'config-unknown-key' }, text);
  const stop = new AbortController();
  const stopped = new Promise<null>((resolve) => {
    stop.signal.addEventListener('abort', () => {
      resolve(null);
    });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const starting = startCloud(config, log, stop.signal);
  const running = await Promise.race([starting, stopped]);
  if (running === null) {
    const closed = starting.then(
      (late) => late.stop(),
      () => undefined,
    );
    const isClosed = await atMost(realClock, CLOSE_TIMEOUT_MS, closed);
    log.info({}, 'the cloud stopped before it was ready');
    if (!isClosed) process.exit(0);
    return 0;
  }
  await stopped;
  await running.stop();
  log.info({}, 'the cloud stopped');
  return 0;
}
