import { fromBase64 } from '../../common/bytes.js';
import { MemoryStorage, type AppStorage } from '../core/storage.js';

/**
 * Returns storage with the owner's key from the link's fragment, which reaches no server; null without one. Only the
 * page that `npm run demo` serves contains this file. The build removes it from any other page.
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
