import type { RecipientKeys } from '../../protocol/seal/seal.js';
import type { Channel } from '../core/opener.js';

/** What the worker receives first: the key that opens what cameras sealed, and no other key of the owner. */
export interface OpenerStart {
  readonly keys: RecipientKeys;
  readonly port: MessagePort;
}

/** Returns the channel of a port. What arrives was sent by this page's own script at the other end. */
export function channelOf<Sent, Received>(port: MessagePort): Channel<Sent, Received> {
  return {
    send: (message) => {
      port.postMessage(message);
    },
    listen: (listener) => {
      port.onmessage = ({ data }: MessageEvent<Received>) => {
        listener(data);
      };
    },
  };
}
