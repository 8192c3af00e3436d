import { fromHex, toHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind, type SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { unseal, type RecipientKeys, type SealedObject } from '../../../protocol/seal/seal.js';
import { serve } from '../common/remote.js';
import { openDrillStore, type StoreSetup } from './store-setup.js';
import { unwraps } from './unwraps.js';

export interface StrangerTask {
  /** Store of a cloud that has stopped. */
  readonly store: StoreSetup;
  readonly devices: readonly { readonly device: string; readonly account: string }[];
  readonly keys: readonly { readonly account: string; readonly keys: RecipientKeys }[];
  /** Number of strangers that try each object. */
  readonly strangers: number;
}

export interface StrangerReport {
  /** Sealed objects tried. */
  readonly objects: number;
  readonly tries: number;
  /** Ids of the media that a key other than the owner's opened. */
  readonly opened: readonly string[];
  /** The control: ids of the pictures that the owner's key opened. */
  readonly ownPictures: readonly string[];
  /** Sealed objects that the owner's key did not open. */
  readonly ownRefused: number;
}

/** Tries the owner's key and strangers' keys on every sealed object of these cameras. */
async function tryKeys({ store: setup, devices, keys, strangers }: StrangerTask): Promise<StrangerReport> {
  const store = await openDrillStore(setup);
  const opened: string[] = [];
  const ownPictures: string[] = [];
  let objects = 0;
  let tries = 0;
  let ownRefused = 0;
  let turn = 0;
  try {
    for (const { device, account } of devices) {
      const others = keys.filter((other) => other.account !== account);
      const own = keys.find((other) => other.account === account);
      if (own === undefined) throw new Error(`no key of account ${account}`);
      for (const stored of await store.records.page(bytesOf(device), 1, 1e9, 1e6)) {
        const record = openSigned(recordKind, nodeSuite, stored.bytes).value;
        for (const media of record.media ?? []) {
          const found = await store.records.media(bytesOf(device), 1, media.id);
          if (found === undefined) continue;
          objects++;
          const mine = contentOf(record, media.id, own.keys, found.sealed);
          if (mine === null) ownRefused++;
          else if (mine.hasPicture) ownPictures.push(toHex(media.id));
          for (let i = 0; i < Math.min(strangers, others.length); i++) {
            // The strangers take turns, so that every key is tried even with few per object.
            const other = others[turn++ % others.length];
            if (other === undefined) continue;
            tries++;
            if (unwraps(other.keys, found.sealed)) opened.push(toHex(media.id));
          }
        }
      }
    }
  } finally {
    await store.close();
  }
  return { objects, tries, opened, ownPictures, ownRefused };
}

function contentOf(
  { device, account, epoch, claimHash, event }: SealcamRecord,
  mediaId: Uint8Array,
  keys: RecipientKeys,
  sealed: SealedObject,
): { readonly hasPicture: boolean } | null {
  const eventId = event?.id ?? new Uint8Array(16);
  try {
    const { jpeg } = unseal(nodeSuite, { device, account, epoch, claimHash, eventId, mediaId }, keys, sealed);
    return { hasPicture: jpeg !== null };
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

function bytesOf(device: string): Uint8Array {
  return fromHex(device, 32) ?? new Uint8Array(32);
}

const procedures = { tryKeys };
export type StrangerProcedures = typeof procedures;

serve(procedures);
