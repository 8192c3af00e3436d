import { join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { authorityOf } from '../../common/address.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { silentLog } from '../../common/log.js';
import { RELEASED_MS } from '../../common/version.js';
import { LinuxSystemClock, readBootId } from '../../hal/linux/system.js';
import type { Config } from '../config/keys.js';
import { TimeFloor } from './adapters/time-floor.js';
import { uplinkSecrets } from './adapters/uplink-secrets.js';
import { uploadUrl } from './uploads.js';
import { askServer, type Refusal } from '../upload/ask-server.js';

const TIMEOUT_MS = 5000;

/**
 * Asks the server of `clip.uploadUrl`, as the camera reaches it, whether it is a cloud. Returns what it is; uploads nothing.
 *
 * @throws SealcamError `cloud-unreachable`, `cloud-untrusted`, `config-invalid-value`
 */
export async function checkUploads(config: Config, timeoutMs = TIMEOUT_MS): Promise<string> {
  const url = uploadUrl(config);
  const { protocol, hostname, port } = new URL(url);
  const standardPort = protocol === 'https:' ? '443' : '80';
  const server = authorityOf(hostname, Number(port === '' ? standardPort : port));
  const setting = config['clip.uploadUrl'] === '' ? 'clip.uploadUrl (empty: the host of uplink.url)' : 'clip.uploadUrl';
  const about = `${setting}: ${server}`;
  const settings = {
    url,
    connectTimeoutMs: timeoutMs,
    answerTimeoutMs: timeoutMs,
    ...uplinkSecrets(config),
    timeFloorMs: () => timeFloorOf(config).floorMs(),
  };
  const refusal = await askServer(settings, realClock).catch((error: unknown) => {
    const { code, message, hint } = asSealcamError(error);
    if (code !== 'cloud-unreachable') throw error;
    throw new SealcamError(code, `${about}: ${message}`, { hint: `Check clip.uploadUrl and the network. ${hint}` });
  });
  const why = faultOf(refusal);
  if (why !== null) throw new SealcamError('cloud-unreachable', `${about} ${why.what}`, { hint: why.hint });
  return `${url} is a cloud that takes bodies of clips${protocol === 'https:' ? '' : '; without TLS, so only for development'}`;
}

function timeFloorOf(config: Config): TimeFloor {
  const clock = new LinuxSystemClock(
    realClock,
    readBootId(() => new Uint8Array(16)),
    RELEASED_MS,
  );
  return new TimeFloor(join(config['data.folder'], 'clock'), clock, RELEASED_MS, silentLog);
}

/** Returns what is wrong with a server, by what it said to a body that cannot be; null for a cloud that works. */
function faultOf({ status, location, code }: Refusal): { readonly what: string; readonly hint: string } | null {
  if (code === 'request-invalid') return null;
  const answers = `answers ${String(status)}`;
  if (location !== null) {
    return {
      what: `${answers}, a redirect to ${location}, which a camera never follows`,
      hint: "Set clip.uploadUrl to the address of the cloud's API itself.",
    };
  }
  if (status === 429 || status >= 500) {
    return {
      what: `${answers}: it takes no bodies now`,
      hint: 'Try again in a minute; then clip.uploadUrl may name a proxy whose cloud is down. Clips wait on the camera meanwhile.',
    };
  }
  return {
    what: `${answers}, and not as a cloud that takes clips`,
    hint: "Set clip.uploadUrl to the address of the cloud's API, without /v1, and let a proxy before it pass PUT /v1/media/ on.",
  };
}
