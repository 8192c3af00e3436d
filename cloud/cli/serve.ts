import { createLog } from '../../common/adapters/pino-log.js';
import type { ConfigSource } from '../../common/config/load.js';
import { startCloud } from '../main/compose.js';
import { loadCloudConfig } from '../main/config.js';

/** `sealcam-cloud serve`: runs the cloud until SIGTERM or SIGINT. */
export async function serveCommand(source: ConfigSource): Promise<number> {
  const config = loadCloudConfig(source);
  const log = createLog(config['log.level'], process.stdout);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const running = await startCloud(config, log);
  await stopped;
  await running.stop();
  log.info({}, 'the cloud stopped');
  return 0;
}
