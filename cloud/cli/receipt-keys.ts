import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import { chooseKey } from '../ingest/receipt-signers.js';
import {
  byPreference,
  loadReceiptKeys,
  rotateReceiptKeys,
  type ReceiptKey,
  type ReceiptKeys,
} from '../trust/receipt-keys.js';
import type { CloudStore } from '../store/store.js';
import { withStore, type OutputOptions } from './operator.js';

interface Use {
  /** Open claims that name the key. */
  readonly named: Map<number, number>;
  /** Open claims whose receipts it signs. */
  readonly signs: Map<number, number>;
  /** Open claims that name none of ours: their cameras get no receipt. */
  none: number;
}

async function useOf(store: CloudStore, keys: ReceiptKeys): Promise<Use> {
  const use: Use = { named: new Map(), signs: new Map(), none: 0 };
  const add = (counts: Map<number, number>, { number }: ReceiptKey): void =>
    void counts.set(number, (counts.get(number) ?? 0) + 1);
  const ours = byPreference(keys);
  for await (const { claim } of store.claims.open()) {
    if (claim === null) continue;
    const { receiptKeys } = openSigned(claimKind, nodeSuite, claim).value;
    const publicKeyOf = ({ signer }: ReceiptKey): Uint8Array => signer.publicKey;
    for (const key of ours) if (chooseKey([key], publicKeyOf, receiptKeys) !== undefined) add(use.named, key);
    const signer = chooseKey(ours, publicKeyOf, receiptKeys);
    if (signer === undefined) use.none++;
    else add(use.signs, signer);
  }
  return use;
}

async function show(store: CloudStore, keys: ReceiptKeys, { json }: OutputOptions): Promise<void> {
  const use = await useOf(store, keys);
  const ordered = [keys.successor, keys.current, ...keys.retired];
  const roleOf = (key: ReceiptKey): string =>
    key === keys.current ? 'current' : key === keys.successor ? 'successor' : 'retired';
  for (const key of ordered) {
    const [named, signs] = [use.named, use.signs].map((counts) => counts.get(key.number) ?? 0);
    const publicKey = toHex(key.signer.publicKey);
    const object = { number: key.number, role: roleOf(key), key: publicKey, open_claims: named, signs_for: signs };
    const text = `${String(key.number).padStart(3)}  ${roleOf(key).padEnd(9)}  ${publicKey.slice(0, 16)}…  ${String(named)} open claims name it, receipts of ${String(signs)} are signed with it`;
    process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
  }
  if (!json && use.none > 0) {
    process.stdout.write(
      `${String(use.none)} open claims name none of these keys: their cameras have to be claimed anew.\n`,
    );
  }
}

/** `sealcam-cloud receipt-keys`: each key with the open claims that still need it. */
export function receiptKeysCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, (store, config) =>
    show(store, loadReceiptKeys(config['data.folder'], nodeSuite, realRandom), options),
  );
}

/** `sealcam-cloud receipt-keys rotate`: the running cloud takes them at its next start. */
export function rotateCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, async (store, config) => {
    await show(store, rotateReceiptKeys(config['data.folder'], nodeSuite, realRandom), options);
    if (!options.json)
      process.stdout.write('Rotated. Restart the cloud, all workers of it: they load keys at their start.\n');
  });
}
