import { realClock } from '../../common/adapters/real-clock.js';

/** Hands a file to the person, without a round trip to any server. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the content by the next turn of the event loop, but says so nowhere.
  realClock.after(60_000, () => {
    URL.revokeObjectURL(url);
  });
}
