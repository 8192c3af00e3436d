import { toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { iso, print, withStore, type OutputOptions } from './operator.js';

/** `sealcam-cloud deletions`: prints what is marked and not erased yet, accounts first, the next due first. */
export function deletionsCommand(
  source: ConfigSource,
  options: OutputOptions & { readonly limit: number },
): Promise<number> {
  return withStore(source, async (store) => {
    const accounts = await store.accounts.pending(options.limit);
    for (const { account, eraseAtMs } of accounts) {
      const name = toHex(account);
      print(
        options,
        { scope: 'account', erase_at: iso(eraseAtMs), account: name },
        `${iso(eraseAtMs)}  account ${name}, with all its cameras`,
      );
    }
    const ranges = await store.deletions.pending(options.limit);
    for (const { device, epoch, fromSeq, toSeq, state, eraseAtMs } of ranges) {
      const name = toHex(device);
      const seqs = `seq ${String(fromSeq)}–${String(toSeq)}${state === 'erasing' ? ', begun' : ''}`;
      print(
        options,
        { scope: 'range', erase_at: iso(eraseAtMs), device: name, epoch, from_seq: fromSeq, to_seq: toSeq, state },
        `${iso(eraseAtMs)}  camera ${name.slice(0, 12)}… epoch ${String(epoch)}, ${seqs}`,
      );
    }
    if (!options.json) {
      process.stdout.write(`${String(accounts.length)} accounts and ${String(ranges.length)} ranges to be erased.\n`);
    }
  });
}
