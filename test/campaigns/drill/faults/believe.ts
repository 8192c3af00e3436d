/** The truth about the segments of clips, and the control of their faults: a cloud and a page that compare nothing. */
import { toBase64, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import type { SegmentKey } from '../../../../cloud/store/store.js';
import type { Household } from '../household.js';
import { placeName, segmentPlace } from '../segment-place.js';
import type { ShownClips } from '../shown-clips.js';
import type { FaultCamera, FilmedBody } from './camera.js';
import type { FaultWorld } from './world.js';

const RECORDS_MAX = 1000;

/** What comes of a fault where nothing is sealed or signed, and nothing is compared. */
export interface Believed {
  /** Segments, or records that name them, filed or played in a place that is not theirs. */
  readonly misbound: number;
  /** Segments that another household saw. */
  readonly seen: number;
  /** Segments that nobody missed. */
  readonly missed: number;
}

interface OwnedSegment extends FilmedBody {
  readonly owner: Household;
}

/** What cameras filmed, which no store and no page is asked for. */
export interface Truth {
  /** Returns the segment with this sealed body. */
  readonly ofBody: (body: Uint8Array) => OwnedSegment | undefined;
  /** Counts what a page plays in a place where no camera filmed it. */
  readonly misplaced: (shown: ShownClips) => number;
}

export function truthOf({ cameras }: FaultWorld): Truth {
  const byPlace = new Map<string, string>();
  const byBody = new Map<string, OwnedSegment>();
  for (const { owner, clips } of cameras) {
    for (const segment of clips.flatMap(({ segments }) => segments)) {
      byPlace.set(segment.place, nameOf(segment.content));
      byBody.set(nameOf(segment.body), { ...segment, owner });
    }
  }
  return {
    ofBody: (body) => byBody.get(nameOf(body)),
    misplaced: ({ played }) => played.filter(({ place, bytes }) => byPlace.get(place) !== nameOf(bytes)).length,
  };
}

/**
 * Shows a household its clips as a cloud and a page would that believe each answer: the records of its cameras as the store gives
 * them, the row and the body that it gives for each segment, and what comes over the network. Nothing is sealed there, so who
 * receives a segment sees it.
 */
export async function believingPage(world: FaultWorld, household: Household): Promise<Believed> {
  const truth = truthOf(world);
  const sum = { misbound: 0, seen: 0, missed: 0 };
  for (const camera of world.camerasOf(household)) {
    const named = await believedSegments(world, camera);
    for (const { place, key } of named) {
      const body = await believedBody(world, key);
      const shown = body === null ? undefined : truth.ofBody(body);
      if (shown === undefined) sum.missed++;
      else if (shown.place !== place) sum.misbound++;
      if (shown !== undefined && shown.owner !== household) sum.seen++;
    }
  }
  return sum;
}

/** Files the segments of a camera under the account that the store names, as a cloud that believes its cache. */
export async function believingIngest(
  world: FaultWorld,
  { owner }: FaultCamera,
  device: Uint8Array,
  segments: number,
): Promise<Believed> {
  const row = await world.seen.claims.row(device, 1);
  const isStrange = row !== undefined && toHex(row.account) !== owner.account;
  return {
    misbound: isStrange ? segments : 0,
    seen: isStrange ? segments : 0,
    missed: row === undefined ? segments : 0,
  };
}

/** Puts a body where the store's rows say, as a cloud that believes them, and does not hash what comes. */
export async function believingUpload(
  world: FaultWorld,
  { record: { value }, entry: [, , , bodyHash] }: FilmedBody,
  body: Uint8Array,
): Promise<Believed> {
  const { device, epoch } = value;
  const found = await world.seen.segments.upload({ device, epoch, bodyHash });
  const row = found === undefined ? undefined : await world.seen.claims.row(found.segment.device, epoch);
  const filmed = truthOf(world).ofBody(body);
  if (found === undefined || row === undefined || filmed === undefined) return { misbound: 0, seen: 0, missed: 1 };
  const isStrange = toHex(row.account) !== filmed.owner.account;
  const isMisbound = isStrange || placeName(found.segment) !== filmed.place;
  return { misbound: Number(isMisbound), seen: Number(isStrange), missed: 0 };
}

async function believedSegments(
  world: FaultWorld,
  camera: FaultCamera,
): Promise<readonly { readonly place: string; readonly key: SegmentKey }[]> {
  const { device, name } = camera;
  const stored = await world.seen.records.page(device, 1, Number.MAX_SAFE_INTEGER, RECORDS_MAX);
  const records = stored.map(({ bytes, seq }) => ({ record: toBase64(bytes), seq }));
  const path = `/v1/cameras/${name}/epochs/1/records`;
  const answer = world.wrong.answers?.json?.(path, { records }) ?? { records };
  return (answer['records'] as typeof records).flatMap(({ record }) => {
    const { value } = openSigned(anyRecordKind, nodeSuite, Buffer.from(record, 'base64'));
    return (value.clip?.segments ?? []).map(([index, , , bodyHash]) => ({
      // Where the page puts it: in the history that it asked for.
      place: segmentPlace({ ...value, device }, index),
      key: { device: value.device, epoch: value.epoch, bodyHash },
    }));
  });
}

async function believedBody(world: FaultWorld, key: SegmentKey): Promise<Uint8Array | null> {
  const row = await world.seen.segments.find(key);
  const body = row === undefined ? undefined : await world.seenBodies.get(row);
  if (body === undefined) return null;
  const tamper = world.wrong.answers?.segment;
  return tamper === undefined ? body : tamper(`/v1/media/${toHex(key.device)}/1/${toHex(key.bodyHash)}`, body);
}

function nameOf(bytes: Uint8Array): string {
  return toHex(nodeSuite.sha256(bytes));
}
