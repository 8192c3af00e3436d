import type { Channel, OpeningSecrets } from '../core/opener.js';

/** What the worker receives first. */
export interface OpenerStart {
  readonly keys: OpeningSecrets;
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
