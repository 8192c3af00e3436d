import { fromBase64 } from '../../common/bytes.js';
import { MemoryStorage, type AppStorage } from '../core/storage.js';

/**
 * Returns storage with the owner's key from the link's fragment, which reaches no server; null without one. Only the
 * page that `npm run demo` serves contains this file. The build removes it from any other page.
 */
export async function demoStorage(): Promise<AppStorage | null> {
  const parameters = new URLSearchParams(takeLink() ?? '');
  const master = fromBase64((parameters.get('demo-owner') ?? '').replaceAll('-', '+').replaceAll('_', '/'));
  if (master?.length !== 32) return null;
  const storage = new MemoryStorage();
  await storage.saveMaster(master);
  for (const entry of parameters.getAll('camera')) {
    const [device = '', name = ''] = entry.split(':');
    await storage.saveName(device, name);
  }
  return storage;
}

const KEPT = 'sealcam-demo';

/** Returns the fragment of the demo's link and frees the address for the page. This tab keeps it, so that it can be reloaded. */
function takeLink(): string | null {
  const fragment = location.hash.slice(1);
  if (!fragment.includes('demo-owner=')) return sessionStorage.getItem(KEPT);
  sessionStorage.setItem(KEPT, fragment);
  history.replaceState(null, '', location.pathname + location.search);
  return fragment;
}
