/** Real seals of version 2: what a life of a camera seals, and what its owner opens of what is left. */
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { Random } from '../../../common/random.js';
import type { NewSegment } from '../../../agent/outbox/outbox.js';
import { hkdf } from '../../../protocol/crypto/hkdf.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import { placeKey } from '../../../protocol/objects/ids.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { contextOf } from '../../../protocol/evidence/event.js';
import { encodeContent } from '../../../protocol/seal/content.js';
import { periodCommit, periodContextHash, wrapKey } from '../../../protocol/seal/key-record.js';
import { decodeObjectHeader } from '../../../protocol/seal/object.js';
import { openPeriod, type OpenedPeriod } from '../../../protocol/seal/open-period.js';
import { Period, type KeyRecordMedia } from '../../../protocol/seal/period.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';

export interface NewPeriod {
  readonly period: Period;
  readonly keyRecord: KeyRecordMedia;
}

/** Makes a period of the current claim, as a camera does in its child process. */
export function newPeriod(camera: CameraWorld, { value, hash }: Verified<AnyClaim>, random: Random): NewPeriod {
  const { device, account, epoch } = value;
  const context = { device, account, epoch, claimHash: hash, periodId: random.bytes(16) };
  const info = periodContextHash(nodeSuite, context);
  const key = realRandom.bytes(32);
  const body = wrapKey(nodeSuite, realRandom, { recipients: camera.kemKeys, info, key });
  return {
    period: new Period(nodeSuite, context, hkdf(nodeSuite, key, 'chain')),
    keyRecord: {
      periodId: context.periodId,
      commit: periodCommit(nodeSuite, key, info),
      sealed: { header: new Uint8Array(0), body },
    },
  };
}

/** A sealed picture and what its record names of it. */
export interface SealedPicture {
  readonly media: NonNullable<AnyRecord['media']>[number];
  readonly sealed: SealedObject;
}

/** Seals a picture of this size for an event. */
export function sealPicture(period: Period, eventId: Uint8Array, bytes: number): SealedPicture {
  const id = realRandom.bytes(16);
  const content = encodeContent({ detail: {}, jpeg: realRandom.bytes(bytes) });
  const { header, body } = period.seal({ eventId, mediaId: id, role: 'thumbnail' }, content);
  return { sealed: { header, body }, media: mediaOf('thumbnail', id, { header, body }) };
}

/** Seals a segment of this size. */
export function sealSegment(period: Period, eventId: Uint8Array, index: number, bytes: number): NewSegment {
  const mediaId = realRandom.bytes(16);
  const { header, body } = period.seal({ eventId, mediaId, role: 'segment' }, realRandom.bytes(bytes));
  const entry = [index, mediaId, body.length, nodeSuite.sha256(body), header, true, 1000] as const;
  return { entry, body, periodId: period.context.periodId };
}

/** Returns what a record names of an object. */
export function mediaOf(
  role: SealedPicture['media']['role'],
  id: Uint8Array,
  { header, body }: SealedObject,
): SealedPicture['media'] {
  const [bodyHash, headerHash] = [nodeSuite.sha256(body), nodeSuite.sha256(header)];
  return { id, role, length: body.length, bodyHash, headerHash };
}

/** A record with its objects, or the segments of a clip record, in their order: null for one that is not there. */
export interface RecordWithObjects {
  readonly record: AnyRecord;
  readonly objects: readonly (SealedObject | null)[];
}

/** What an owner can do with the objects that are left. */
export interface Openable {
  /** Ids of the periods, in hex. */
  readonly periods: readonly string[];
  /** Pictures that were opened. */
  readonly opened: number;
  /** Places of pictures that nobody can open. */
  readonly unopenable: readonly string[];
}

export const NOTHING_SEALED: Openable = { periods: [], opened: 0, unopenable: [] };

/** Periods and pictures that were opened before: judging opens the same ones many times. */
const openedPeriods = new Map<string, OpenedPeriod>();
const openedPictures = new Set<string>();
const REMEMBERED_MAX = 5000;

/** Opens every picture of version 2 with the key records among the same records, and nothing else, as its owner does. */
export async function openAll(camera: CameraWorld, records: readonly RecordWithObjects[]): Promise<Openable> {
  const periods = new Map<string, OpenedPeriod>();
  for (const { record, objects } of records) {
    const [sealed] = objects;
    if (record.key === undefined || sealed === null || sealed === undefined) continue;
    periods.set(toHex(record.key.periodId), await periodOf(camera, record, record.key, sealed.body));
  }
  let opened = 0;
  const unopenable: string[] = [];
  for (const { record, objects } of records) {
    const { version } = record;
    if (version === undefined) continue;
    for (const [i, { eventId, id, role }] of sealedIn(record).entries()) {
      const sealed = objects[i] ?? null;
      if (sealed === null) continue;
      const context = contextOf(record, eventId, id, role);
      if (isOpened(periods, context, sealed)) opened++;
      else unopenable.push(placeKey(record));
    }
  }
  return { periods: [...periods.keys()], opened, unopenable };
}

/** Returns what a record names that is sealed for an event: pictures, or segments. */
function sealedIn({ event, clip, media = [] }: AnyRecord): { eventId: Uint8Array; id: Uint8Array; role: string }[] {
  if (clip !== undefined) return clip.segments.map(([, id]) => ({ eventId: clip.eventId, id, role: 'segment' }));
  return event === undefined ? [] : media.map(({ id, role }) => ({ eventId: event.id, id, role }));
}

async function periodOf(
  camera: CameraWorld,
  { device, account, epoch, claimHash }: AnyRecord,
  { periodId, commit }: NonNullable<AnyRecord['key']>,
  body: Uint8Array,
): Promise<OpenedPeriod> {
  const name = toHex(nodeSuite.sha256(body));
  const known = openedPeriods.get(name);
  if (known !== undefined) return known;
  const period = await openPeriod({
    suite: nodeSuite,
    context: { device, account, epoch, claimHash, periodId },
    commit,
    body,
    recipients: camera.kemKeys.length,
    own: 0,
    decapsulate: (enc) => camera.ownerKem.decapsulate(enc),
  });
  if (openedPeriods.size >= REMEMBERED_MAX) openedPeriods.clear();
  openedPeriods.set(name, period);
  return period;
}

function isOpened(
  periods: ReadonlyMap<string, OpenedPeriod>,
  context: ReturnType<typeof contextOf>,
  sealed: SealedObject,
): boolean {
  try {
    const period = periods.get(toHex(decodeObjectHeader(sealed.header).periodId));
    if (period === undefined) return false;
    const name = toHex(nodeSuite.sha256(sealed.header));
    if (openedPictures.has(name)) return true;
    period.open(context, sealed);
    if (openedPictures.size >= REMEMBERED_MAX) openedPictures.clear();
    openedPictures.add(name);
    return true;
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return false;
  }
}
