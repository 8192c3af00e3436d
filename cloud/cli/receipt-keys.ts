import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import type { ConfigSource } from '../../common/config/load.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { receiptKeyNumber } from '../../protocol/objects/receipt.js';
import { openSigned } from '../../protocol/objects/signed-object.js';
import type { CloudStore } from '../store/store.js';
import {
  byPreference,
  loadReceiptKeys,
  rotateReceiptKeys,
  type ReceiptKey,
  type ReceiptKeys,
} from '../trust/receipt-keys.js';
import { chooseKey } from '../trust/receipt-signers.js';
import { print, withStore, type OutputOptions } from './operator.js';

interface KeyUse {
  /** By key number: open claims that name the key. */
  readonly named: Map<number, number>;
  /** By key number: open claims whose receipts it signs. */
  readonly signs: Map<number, number>;
  /** Open claims that name none of our keys: their cameras get no receipt. */
  unnamed: number;
}

async function countUse(store: CloudStore, keys: ReceiptKeys): Promise<KeyUse> {
  const use: KeyUse = { named: new Map(), signs: new Map(), unnamed: 0 };
  const add = (counts: Map<number, number>, { number }: ReceiptKey): void => {
    counts.set(number, (counts.get(number) ?? 0) + 1);
  };
  const publicKeyOf = ({ signer }: ReceiptKey): Uint8Array => signer.publicKey;
  const ours = byPreference(keys);
  for await (const { claim } of store.claims.open()) {
    if (claim === null) continue;
    const { receiptKeys } = openSigned(anyClaimKind, nodeSuite, claim).value;
    for (const key of ours) if (chooseKey([key], publicKeyOf, receiptKeys) !== undefined) add(use.named, key);
    const signer = chooseKey(ours, publicKeyOf, receiptKeys);
    if (signer === undefined) use.unnamed++;
    else add(use.signs, signer);
  }
  return use;
}

function roleOf(key: ReceiptKey, { current, successor }: ReceiptKeys): string {
  if (key === current) return 'current';
  return key === successor ? 'successor' : 'retired';
}

async function printKeys(store: CloudStore, keys: ReceiptKeys, options: OutputOptions): Promise<void> {
  const use = await countUse(store, keys);
  for (const key of [keys.successor, keys.current, ...keys.retired]) {
    const { number } = key;
    const role = roleOf(key, keys);
    const named = use.named.get(number) ?? 0;
    const signs = use.signs.get(number) ?? 0;
    const publicKey = toHex(key.signer.publicKey);
    const uses = `named by ${String(named)} open claims, signs the receipts of ${String(signs)}`;
    print(
      options,
      { number, role, key: publicKey, open_claims: named, signs_for: signs },
      `${String(number).padStart(3)}  ${role.padEnd(9)}  ${receiptKeyNumber(key.signer.publicKey)}  ${uses}`,
    );
  }
  if (!options.json && use.unnamed > 0) {
    process.stdout.write(
      `${String(use.unnamed)} open claims name none of these keys: their cameras must be claimed again.\n`,
    );
  }
}

/** `sealcam-cloud receipt-keys`: lists the keys with the open claims that still need them. */
export function receiptKeysCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, (store, config) =>
    printKeys(store, loadReceiptKeys(config['data.folder'], nodeSuite, realRandom), options),
  );
}

/** `sealcam-cloud receipt-keys rotate`: rotates the keys; a running cloud loads them at its next start. */
export function rotateCommand(source: ConfigSource, options: OutputOptions): Promise<number> {
  return withStore(source, async (store, config) => {
    await printKeys(store, rotateReceiptKeys(config['data.folder'], nodeSuite, realRandom), options);
    if (!options.json) {
      process.stdout.write(
        'Rotated. Restart every worker of the cloud: they load the keys when they start. Publish the numbers above where ' +
          'owners find them: their pages ask before a claim names a new key.\n',
      );
    }
  });
}
