import { epochKey } from '../../protocol/objects/ids.js';
import type { CameraView } from './session-view.js';
import type { AppStorage } from './storage.js';

const SETTING = 'put-away';

type Ownership = Pick<CameraView, 'device' | 'epoch'>;

/**
 * Cameras that this person put away on this device after their ownership ended. Their events stay in the list, and a new
 * ownership of the same camera is shown again.
 */
export class PutAway {
  private readonly storage: AppStorage;
  private readonly listeners = new Set<() => void>();
  /** As device/epoch. */
  private keys: readonly string[] = [];

  constructor(storage: AppStorage) {
    this.storage = storage;
  }

  /** Loads what this device keeps. Call it once, before anything else. */
  async load(): Promise<void> {
    this.keys = ((await this.storage.setting(SETTING)) ?? '').split(' ').filter((key) => key !== '');
  }

  /** Only an ownership that is over can be put away: a camera of ours never disappears from the list. */
  has({ device, epoch, hasEnded }: Pick<CameraView, 'device' | 'epoch' | 'hasEnded'>): boolean {
    return hasEnded && this.keys.includes(epochKey(device, epoch));
  }

  async add({ device, epoch }: Ownership): Promise<void> {
    await this.save([...this.keys, epochKey(device, epoch)]);
  }

  async remove({ device, epoch }: Ownership): Promise<void> {
    const key = epochKey(device, epoch);
    await this.save(this.keys.filter((other) => other !== key));
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private async save(keys: readonly string[]): Promise<void> {
    this.keys = keys;
    await this.storage.saveSetting(SETTING, keys.join(' '));
    for (const listener of [...this.listeners]) listener();
  }
}
