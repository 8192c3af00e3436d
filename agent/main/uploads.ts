import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { LevelLog } from '../../common/adapters/pino-log.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { Config } from '../config/keys.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Uplink } from '../uplink/uplink.js';
import type { PutBody } from '../upload/put.js';
import { UploadLoop } from '../upload/upload-loop.js';

/** Port of a reference cloud's API, where the address of a broker without TLS says where it is. */
const DEVELOPMENT_PORT = 8080;

/**
 * Returns where clips are uploaded: the setting, else the host of the broker. Nothing that a server sends can change it: a lying
 * one could make the camera write into its owner's network.
 */
export function uploadUrl(config: Pick<Config, 'clip.uploadUrl' | 'uplink.url'>): string {
  const told = config['clip.uploadUrl'];
  if (told !== '') return told;
  const { protocol, hostname } = new URL(config['uplink.url']);
  return protocol === 'mqtts:' ? `https://${hostname}` : `http://${hostname}:${String(DEVELOPMENT_PORT)}`;
}

interface UploadParts {
  readonly settings: Config;
  readonly put: PutBody;
  readonly outbox: Outbox;
  readonly uplink: () => Uplink;
  readonly suite: CryptoSuite;
  readonly device: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: LevelLog;
}

/** Makes the loop that uploads the bodies of clips, and connects it with the outbox. */
export function makeUploads({ settings, uplink, log, ...parts }: UploadParts): UploadLoop {
  const bytesPerSecond = settings['clip.uploadBytesPerSecond'];
  const uploads = new UploadLoop({
    ...parts,
    uplink: () => {
      const { isConnected, isSendingLive } = uplink();
      return { isConnected, isSendingLive, windowMs: uplink().status().windowMs };
    },
    bytesPerSecond: bytesPerSecond === 0 ? null : bytesPerSecond,
    log: log.child('uploads'),
  });
  parts.outbox.onSegmentsReady(() => {
    uploads.wake();
  });
  return uploads;
}
