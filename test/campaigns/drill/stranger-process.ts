import { fromHex, toHex } from '../../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../../common/errors.js';
import type { OpeningSecrets } from '../../../app/core/opener.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys, type XWingKeys } from '../../../protocol/crypto/xwing.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned, versionOf } from '../../../protocol/objects/signed-object.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { openSealed } from '../../../protocol/seal/open.js';
import { serve } from '../common/remote.js';
import { Keyring, namedSegment, placeOf, type NamedObject } from './keyring.js';
import { openDrillMedia, openDrillStore, type StoreSetup } from './store-setup.js';

export interface StrangerTask {
  /** Store of a cloud that has stopped. */
  readonly store: StoreSetup;
  /** All cameras, each with hex of the account that claimed it. */
  readonly devices: readonly Claimed[];
  /** Each process of `of` tries the objects of the cameras whose number leaves this remainder. */
  readonly part: number;
  readonly of: number;
  readonly keys: readonly { readonly account: string; readonly keys: OpeningSecrets }[];
  /** Number of strangers that try each picture and segment, and each key record, which is more work. */
  readonly strangers: { readonly pictures: number; readonly keys: number };
}

interface Claimed {
  readonly device: string;
  readonly account: string;
}

export interface Tries {
  /** Sealed objects tried, key records included. */
  readonly objects: number;
  readonly tries: number;
  /** Those of them that were the objects of key records. */
  readonly keyObjects: number;
  readonly keyTries: number;
  /** Sealed objects that the owner's key did not open. */
  readonly ownRefused: number;
}

export interface StrangerReport extends Tries {
  /** Ids of the media that a key other than the owner's opened. */
  readonly opened: readonly string[];
  /** The control: ids of the pictures, and hashes of the bodies of segments, that the owner's key opened. */
  readonly ownPictures: readonly string[];
  readonly ownSegments: readonly string[];
}

interface Person {
  readonly account: string;
  readonly secrets: OpeningSecrets;
  readonly ring: Keyring;
}

/** Tries the owner's key and strangers' keys on every sealed object of these cameras. */
async function tryKeys({ store: setup, devices, part, of, keys, strangers }: StrangerTask): Promise<StrangerReport> {
  const store = await openDrillStore(setup);
  const bodies = openDrillMedia(setup);
  const people: readonly Person[] = keys.map(({ account, keys: secrets }) => ({
    account,
    secrets,
    ring: new Keyring(secrets),
  }));
  const opened: string[] = [];
  const own: { readonly picture: string[]; readonly segment: string[] } = { picture: [], segment: [] };
  const count = { objects: 0, tries: 0, keyObjects: 0, keyTries: 0, ownRefused: 0 };
  const turns = { pictures: turnsOf(people), keys: turnsOf(people) };
  try {
    // Everybody has the periods of their own cameras, also of those that another process tries.
    for (const { device, account } of devices) {
      const owner = people.find((person) => person.account === account);
      for (const object of await objectsOf(store, device, 'key')) owner?.ring.opens(object);
    }
    for (const { device, account } of devices.filter((_, i) => i % of === part)) {
      const owner = people.find((person) => person.account === account);
      if (owner === undefined) throw new Error(`no key of account ${account}`);
      const mine = new Opened(owner.secrets);
      const objects = [...(await objectsOf(store, device)), ...(await segmentsOf(store, bodies, device))];
      for (const object of objects) {
        const isKey = object.media.role === 'key';
        const id = toHex(object.media.id);
        count.objects++;
        if (isKey) count.keyObjects++;
        const opening = await mine.open(object);
        if (opening === 'refused') count.ownRefused++;
        else if (opening === 'picture') own.picture.push(id);
        else if (opening === 'segment') own.segment.push(toHex(object.media.bodyHash));
        for (const { ring } of turns[isKey ? 'keys' : 'pictures'](account, strangers[isKey ? 'keys' : 'pictures'])) {
          count.tries++;
          if (isKey) count.keyTries++;
          if (ring.opens(object)) opened.push(id);
        }
      }
    }
  } finally {
    await store.close();
    await bodies.close();
  }
  return { ...count, opened, ownPictures: own.picture, ownSegments: own.segment };
}

/** Returns what names the next people of other accounts. They take turns, so that all try even with few per object. */
function turnsOf(people: readonly Person[]): (account: string, howMany: number) => readonly Person[] {
  let turn = 0;
  return (account, howMany) => {
    const others = people.filter((person) => person.account !== account);
    const next = (): Person[] => others.slice(turn++ % others.length).slice(0, 1);
    return Array.from({ length: Math.min(howMany, others.length) }, next).flat();
  };
}

/** Returns the sealed objects of a camera, of one role if given, in the order in which it made them. */
async function objectsOf(store: CloudStore, name: string, role?: 'key'): Promise<readonly NamedObject[]> {
  const device = fromHex(name, 32) ?? new Uint8Array(32);
  const found: NamedObject[] = [];
  for (const stored of (await store.records.page(device, 1, 1e9, 1e6)).toReversed()) {
    const record = openSigned(anyRecordKind, nodeSuite, stored.bytes).value;
    for (const media of record.media ?? []) {
      if (role !== undefined && media.role !== role) continue;
      const object = await store.records.media(device, 1, media.id);
      if (object !== undefined) found.push({ record, media, sealed: object.sealed });
    }
  }
  return found;
}

/** Returns the segments of a camera's clips. */
async function segmentsOf(store: CloudStore, bodies: MediaStore, name: string): Promise<readonly NamedObject[]> {
  const device = fromHex(name, 32) ?? new Uint8Array(32);
  const found: NamedObject[] = [];
  for (const stored of await store.records.page(device, 1, 1e9, 1e6)) {
    const record = openSigned(anyRecordKind, nodeSuite, stored.bytes).value;
    for (const entry of record.clip?.segments ?? []) {
      const body = await bodies.get({ device, epoch: 1, bodyHash: entry[3] });
      if (body !== undefined) found.push(namedSegment(record, entry, body));
    }
  }
  return found;
}

type Opening = 'picture' | 'segment' | 'other';

/** What an owner opens, as an honest page does. */
class Opened {
  private readonly x25519: OpeningSecrets['recipient'];
  private readonly xwing: XWingKeys;
  private readonly periods = new Map<string, OpenedPeriod>();

  constructor({ recipient, kemSeed }: OpeningSecrets) {
    this.x25519 = recipient;
    this.xwing = xwingKeys(nodeSuite, kemSeed);
  }

  async open(object: NamedObject): Promise<'refused' | Opening> {
    try {
      return await this.inspect(object);
    } catch (error) {
      if (isSealcamError(error)) return 'refused';
      throw error;
    }
  }

  private async inspect(object: NamedObject): Promise<Opening> {
    const { record, sealed } = object;
    const context = placeOf(object);
    if (context === null) {
      await this.addPeriod(object);
      return 'other';
    }
    if (object.media.role === 'segment') {
      // As the page does: a segment is its bytes, without a frame of CBOR.
      const period = this.periods.get(toHex(decodeObjectHeader(sealed.header).periodId));
      if (period === undefined) throw new SealcamError('key-pending', 'the key record of its period is not stored');
      period.open(context, sealed);
      return 'segment';
    }
    const own = { x25519: this.x25519, periodOf: (id: Uint8Array) => this.periods.get(toHex(id)) };
    const content = openSealed(nodeSuite, versionOf(record), context, own, sealed);
    // Only a period that is missing gives none.
    if (content === undefined) throw new SealcamError('key-pending', 'the key record of its period is not stored');
    return content.jpeg === null ? 'other' : 'picture';
  }

  private async addPeriod({ record, sealed: { body } }: NamedObject): Promise<void> {
    const { device, account, epoch, claimHash, key } = record;
    if (key === undefined) return;
    const { periodId, commit } = key;
    const context = { device, account, epoch, claimHash, periodId };
    const decapsulate = (enc: Uint8Array): Uint8Array => this.xwing.decapsulate(enc);
    const request = { suite: nodeSuite, context, commit, body, recipients: 1, own: 0, decapsulate };
    this.periods.set(toHex(periodId), await openPeriod(request));
  }
}

const procedures = { tryKeys };
export type StrangerProcedures = typeof procedures;

serve(procedures);
