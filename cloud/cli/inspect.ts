import { toHex, fromHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { loadCloudConfig } from '../config.js';
import { openStore } from '../main.js';
import type { CloudStore } from '../store/store.js';

export interface InspectOptions {
  readonly json: boolean;
}

async function withStore(source: ConfigSource, use: (store: CloudStore) => Promise<void>): Promise<number> {
  const store = openStore(loadCloudConfig(source));
  try {
    await use(store);
  } finally {
    await store.close();
  }
  return 0;
}

function print(json: boolean, object: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
}

function time(text: string, option: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    throw new SealcamError('usage-invalid', `${option}: ${text} is no time`, {
      hint: 'Write it as 2026-02-16T09:41:00Z, or with another zone as 2026-02-16T09:41:00-08:00.',
    });
  }
  return ms;
}

/** `sealcam-cloud affected`: which readers were shown anything of which camera, in one query. */
export function affectedCommand(
  source: ConfigSource,
  options: InspectOptions & { readonly since: string; readonly until: string; readonly device?: string },
): Promise<number> {
  const since = time(options.since, '--since');
  const until = time(options.until, '--until');
  const device = options.device === undefined ? null : fromHex(options.device, 32);
  if (device === undefined) throw new SealcamError('usage-invalid', '--device: expected 64 hex digits');
  return withStore(source, async (store) => {
    const found = await store.access.affected(device, since, until);
    for (const { reader, device: camera, epoch, reads, firstMs, lastMs } of found) {
      const [first, last] = [firstMs, lastMs].map((ms) => new Date(ms).toISOString());
      print(
        options.json,
        { reader: toHex(reader), device: toHex(camera), epoch, reads, first, last },
        `${toHex(reader).slice(0, 16)}…  camera ${toHex(camera).slice(0, 16)}…  epoch ${String(epoch)}  ${String(reads)} reads  ${first ?? ''} – ${last ?? ''}`,
      );
    }
    if (!options.json) process.stdout.write(`${String(found.length)} readers of cameras in that time.\n`);
  });
}

/** `sealcam-cloud quarantine`: what was refused lately. For an operator; no owner's read path comes here. */
export function quarantineCommand(
  source: ConfigSource,
  options: InspectOptions & { readonly limit: number },
): Promise<number> {
  return withStore(source, async (store) => {
    for (const { atMs, device, verdict, reason, bytes } of await store.quarantine.newest(options.limit)) {
      const name = device === null ? null : toHex(device);
      const at = new Date(atMs).toISOString();
      print(
        options.json,
        { at, device: name, verdict, reason, bytes: Buffer.from(bytes).toString('base64') },
        `${at}  ${verdict.padEnd(12)} ${name === null ? 'no device' : `${name.slice(0, 16)}…`}  ${reason}`,
      );
    }
    if (!options.json) process.stdout.write(`${String(await store.quarantine.count())} in the quarantine.\n`);
  });
}
