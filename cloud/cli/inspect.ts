import { toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { iso, print, timeOf, withStore, type OutputOptions } from './operator.js';

/** `sealcam-cloud alarms`: prints refusals at ingest, at a read or on an owner's page that point to a mix-up. */
export function alarmsCommand(
  source: ConfigSource,
  options: OutputOptions & { readonly since?: string; readonly limit: number },
): Promise<number> {
  const since = options.since === undefined ? 0 : timeOf(options.since, '--since');
  return withStore(source, async (store) => {
    const found = await store.alarms.since(since, options.limit);
    for (const { atMs, place, verdict, device, epoch, reader, reason, quarantineId } of found) {
      const camera = device === null ? null : toHex(device);
      const account = reader === null ? null : toHex(reader);
      const where = camera === null ? 'no camera' : `camera ${camera.slice(0, 12)}…`;
      const who = account === null ? '' : `  reader ${account.slice(0, 12)}…`;
      print(
        options,
        { at: iso(atMs), place, verdict, device: camera, epoch, reader: account, reason, quarantine: quarantineId },
        `${iso(atMs)}  ${place.padEnd(6)}  ${verdict.padEnd(13)}  ${where}${who}  ${reason}`,
      );
    }
    if (!options.json) process.stdout.write(`${String(found.length)} alarms.\n`);
  });
}

/** `sealcam-cloud quarantine`: prints what was refused. For an operator; no owner's read reaches the quarantine. */
export function quarantineCommand(
  source: ConfigSource,
  options: OutputOptions & { readonly limit: number },
): Promise<number> {
  return withStore(source, async (store) => {
    for (const { id, atMs, device, verdict, reason, bytes } of await store.quarantine.newest(options.limit)) {
      const name = device === null ? null : toHex(device);
      const at = iso(atMs);
      print(
        options,
        { id, at, device: name, verdict, reason, bytes: Buffer.from(bytes).toString('base64') },
        `${at}  ${verdict.padEnd(12)} ${name === null ? 'no device' : `${name.slice(0, 16)}…`}  ${reason}`,
      );
    }
    if (!options.json) process.stdout.write(`${String(await store.quarantine.count())} in the quarantine.\n`);
  });
}
