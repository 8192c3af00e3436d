import { createLog } from '../../common/adapters/pino-log.js';
import { startCloud } from '../../cloud/main/compose.js';
import { loadCloudConfig } from '../../cloud/main/config.js';
import { LOOKER_ORIGIN } from './looker-file.js';

/**
 * The other end of a camera whose memory is measured: the cloud with a broker, in a process of its own, so that the queue drains and
 * bodies of clips are taken. Arguments: the folder with its receipt keys, the ports of broker and API.
 */
const [folder = '.', brokerPort = '1883', httpPort = '8080'] = process.argv.slice(2);
const config = loadCloudConfig({
  file: null,
  environment: {
    SEALCLOUD_DATA_FOLDER: folder,
    SEALCLOUD_MQTT_EMBEDDED: 'true',
    SEALCLOUD_MQTT_EMBEDDED_PORT: brokerPort,
    SEALCLOUD_HTTP_PORT: httpPort,
    SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([LOOKER_ORIGIN]),
  },
});
await startCloud(config, createLog('warn', process.stdout));
process.stdout.write('receiving\n');
