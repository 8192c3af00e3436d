import { realClock } from '../../common/adapters/real-clock.js';

/** Saves a file on this device. No server is involved. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // No event reports when the browser has read the content; a minute is long enough.
  realClock.after(60_000, () => {
    URL.revokeObjectURL(url);
  });
}
