import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { serveOpener, type OpenAnswer, type OpenRequest } from '../core/opener.js';
import { channelOf, type OpenerStart } from './opener-channel.js';

/** The worker's script, a file of its own. It makes no request and keeps nothing. */
addEventListener(
  'message',
  ({ data: { keys, port } }: MessageEvent<OpenerStart>) => {
    serveOpener(tweetnaclSuite, keys, channelOf<OpenAnswer, OpenRequest>(port));
  },
  { once: true },
);
