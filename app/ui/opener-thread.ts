import type { OpenAnswer, Opener, OpeningSecrets, OpenRequest } from '../core/opener.js';
import { channelOf, type OpenerStart } from './opener-channel.js';
import { scriptUrl } from './script-url.js';

/**
 * Lets sealed objects be opened off the main thread, where the browser starts a worker. Its script is the file that the
 * build named, whatever is asked for: the page's policy admits no other (Trusted Types).
 */
export function startOpenerThread(opener: Opener, { recipient, kemSeed }: OpeningSecrets): void {
  const named = document.querySelector('meta[name="sealcam-opener"]')?.getAttribute('content') ?? '';
  const { port1, port2 } = new MessageChannel();
  try {
    const worker = new Worker(scriptUrl('sealcam-opener', named), { type: 'module' });
    worker.onerror = () => {
      opener.abandon();
    };
    opener.use(channelOf<OpenRequest, OpenAnswer>(port1));
    // These two alone, whatever else the caller's object holds.
    worker.postMessage({ keys: { recipient, kemSeed }, port: port2 } satisfies OpenerStart, [port2]);
  } catch {
    // The browser has no workers or refuses this one: what is sealed is opened in this thread.
  }
}
