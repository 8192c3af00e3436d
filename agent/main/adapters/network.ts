import { networkInterfaces } from 'node:os';
import type { NetworkInterface } from '../../console/command.js';

/** Returns the interfaces with an address that other hosts reach; no network names. */
export function readNetwork(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => {
    const shown = addresses.filter(({ internal }) => !internal).map(({ address }) => address);
    return shown.length === 0 ? [] : [{ name, addresses: shown }];
  });
}
