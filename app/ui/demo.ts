import { fromBase64 } from '../../common/bytes.js';
import { MemoryStorage, type AppStorage } from '../core/storage.js';

/**
 * Only in the page that `npm run demo` serves: the owner's key comes in the link's fragment, which reaches no server, and
 * lives in this tab. The build takes this whole file out of any other page.
 */
export async function demoStorage(): Promise<AppStorage | null> {
  const parameters = new URLSearchParams(location.hash.slice(1));
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
