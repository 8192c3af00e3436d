import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { serveOpener, type OpenAnswer, type OpenRequest } from '../core/opener.js';
import { PeriodOpener } from '../core/period-opener.js';
import { channelOf, type OpenerStart } from './opener-channel.js';
import { subtleSeals } from './subtle-seals.js';

/** The worker's script, a file of its own. It makes no request and keeps nothing. */
addEventListener(
  'message',
  ({ data: { keys, port } }: MessageEvent<OpenerStart>) => {
    const periods = new PeriodOpener(tweetnaclSuite, keys.kemSeed, subtleSeals());
    serveOpener(tweetnaclSuite, keys, periods, channelOf<OpenAnswer, OpenRequest>(port));
  },
  { once: true },
);
