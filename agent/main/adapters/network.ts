import { networkInterfaces } from 'node:os';
import type { NetworkInterface } from '../../console/command.js';

/** Interfaces with an address that others reach; no names of networks. */
export function readNetwork(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => {
    const shown = addresses.filter(({ internal }) => !internal).map(({ address }) => address);
    return shown.length === 0 ? [] : [{ name, addresses: shown }];
  });
}
