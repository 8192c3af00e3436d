import { readFileSync } from 'node:fs';
import { realClock } from '../../common/adapters/real-clock.js';
import { fromBase64 } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import type { Revocation } from '../../protocol/objects/revocation.js';
import { makerListSettings, type CloudConfig } from '../main/config.js';
import { openMakerList } from '../trust/maker-list.js';
import { iso, print, withStore, type OutputOptions } from './operator.js';

/** @throws SealcamError `config-invalid-value` */
function makerKeyOf(config: CloudConfig): Uint8Array {
  const { key } = makerListSettings(config);
  if (key === null) throw new SealcamError('config-invalid-value', 'revocation.makerKey is not set');
  return key;
}

/** Reads a list, raw or in base64. */
function readList(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new SealcamError('usage-invalid', `${path} cannot be read`, { cause });
  }
  return fromBase64(Buffer.from(bytes).toString('latin1').trim()) ?? bytes;
}

function freshUntil({ issuedAtMs }: Revocation, config: CloudConfig): string | null {
  const { maxAgeMs } = makerListSettings(config);
  return maxAgeMs === 0 ? null : iso(issuedAtMs + maxAgeMs);
}

function printOutcome(options: OutputOptions, outcome: string, list: Revocation, config: CloudConfig): void {
  const { listVersion, issuedAtMs, entries } = list;
  const until = freshUntil(list, config);
  print(
    options,
    { outcome, version: listVersion, issued: iso(issuedAtMs), entries: entries.length, fresh_until: until },
    `Maker's list ${String(listVersion)} of ${iso(issuedAtMs)}, ${String(entries.length)} devices: ${outcome}` +
      (until === null ? '.' : `, fresh until ${until}.`),
  );
}

/** `sealcam-cloud revoke import`: stores a maker's list; a running cloud applies it from the next message on. */
export function revokeImportCommand(source: ConfigSource, file: string, options: OutputOptions): Promise<number> {
  return withStore(source, async (store, config) => {
    const list = openMakerList(nodeSuite, makerKeyOf(config), readList(file));
    const outcome = await store.revocations.put(list, realClock.wallMs());
    if (outcome === 'rollback' || outcome === 'foreign') {
      throw new SealcamError('revocation-rollback', `version ${String(list.value.listVersion)} is not above the last`);
    }
    printOutcome(options, outcome === 'stored' ? 'imported' : 'was there already', list.value, config);
  });
}

/** `sealcam-cloud revoke status`: prints the maker's newest list. */
export function revokeStatusCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, async (store, config) => {
    const stored = await store.revocations.newest(makerKeyOf(config));
    if (stored === undefined) print(options, { outcome: 'none' }, "There is no maker's list.");
    else printOutcome(options, 'stored', openMakerList(nodeSuite, makerKeyOf(config), stored.list).value, config);
  });
}
