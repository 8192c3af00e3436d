import { equal, toHex } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { Look } from '../../protocol/objects/look.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { accountNumber } from './account-number.js';
import type { HistoryKeeper } from './history-keeper.js';
import { NOTICE_WORDS as WORDS, noticeTime, unnamedCamera } from './notice-words.js';
import type { Found } from './notices.js';

/** A notification, as the browser shows it. */
export interface NoticeView {
  readonly title: string;
  readonly body: string;
  /** A later notification with the same one takes its place: one of each event. */
  readonly tag: string;
  /** Fragment of the page's address that shows it; null for the page itself. */
  readonly address: string | null;
  readonly jpeg: Uint8Array | null;
  /** UTC by the camera's clock; null where it had none. */
  readonly atMs: number | null;
}

/** What a notification says of people and cameras. */
export interface NoticePeople {
  readonly history: Pick<HistoryKeeper, 'lookIn' | 'claimOf'>;
  /** The names that this person gave, by hex of the device id or of a member's key. */
  readonly names: Readonly<Record<string, string>>;
  /** This person's Ed25519 key. */
  readonly own: Uint8Array;
  readonly nowMs: number;
}

/** Returns the part of the page's address that opens an event. */
function eventAddress(device: Uint8Array, epoch: number, eventId: Uint8Array): string {
  return `#event=${epochKey(device, epoch)}/${toHex(eventId)}`;
}

/** Returns what is shown of a push. It says nothing that was not found. */
export function noticeView(found: Found, people: NoticePeople): NoticeView {
  const plain = { address: null, jpeg: null, atMs: null };
  const camera = (device: string): string => people.names[device] ?? unnamedCamera(device);
  switch (found.type) {
    case 'record':
      return recordView(found, camera(toHex(found.record.value.device)), people);
    case 'summary': {
      const title = WORDS.summary(camera(found.device), found.count);
      return { ...plain, title, body: WORDS.summaryBody, tag: `summary/${found.device}` };
    }
    case 'silent': {
      const since = found.sinceMs === null ? null : noticeTime(found.sinceMs, people.nowMs);
      const title = WORDS.silent(camera(found.device));
      return { ...plain, title, body: WORDS.silentBody(since), tag: `silent/${found.device}` };
    }
    case 'something': {
      const { device } = found;
      return something(device, device === null ? null : camera(device));
    }
  }
}

/** Returns what is shown where not even the stored state could be read. */
export function nothingFound(): NoticeView {
  return something(null, null);
}

function something(device: string | null, camera: string | null): NoticeView {
  const plain = { address: null, jpeg: null, atMs: null };
  return { ...plain, title: WORDS.something(camera), body: WORDS.somethingBody, tag: `something/${device ?? ''}` };
}

function recordView(
  { record, jpeg, zones, atMs }: Found & { readonly type: 'record' },
  camera: string,
  people: NoticePeople,
): NoticeView {
  const { value } = record;
  const title = titleOf(record, camera, people);
  if (title === null) return something(toHex(value.device), camera);
  const time = atMs === null ? null : noticeTime(atMs, people.nowMs);
  const said = value.kind === 'gap' ? [WORDS.lossBody] : zones;
  return {
    title,
    body: [time ?? WORDS.unknownTime, ...said].join(' · '),
    tag: tagOf(record, people),
    address: value.event === undefined ? null : eventAddress(value.device, value.epoch, value.event.id),
    jpeg,
    atMs,
  };
}

/** Returns what happened; null for what a notification has no words for. */
function titleOf(record: Verified<AnyRecord>, camera: string, people: NoticePeople): string | null {
  const { kind, scene } = record.value;
  switch (kind) {
    case 'motion':
      return WORDS.motion(camera);
    case 'snapshot':
      return WORDS.snapshot(camera);
    case 'scene':
      return WORDS.scene(camera, scene?.class ?? null);
    case 'gap':
      return WORDS.loss(camera);
    case 'command':
      return lookTitle(record, camera, people);
    case 'accept':
      return membersTitle(record.value, camera, people);
    case 'health':
    case 'tombstone':
    case 'key':
    case 'clip':
      return null;
  }
}

function lookTitle(record: Verified<AnyRecord>, camera: string, people: NoticePeople): string | null {
  const order = lookOf(record, people);
  if (order === null) return null;
  return WORDS.look(camera, equal(order.kid, people.own) ? null : nameOf(order.kid, record.value, people));
}

/** Returns the order that a record answers; null without one, and where no member gave it: the page raises that alarm. */
function lookOf(record: Verified<AnyRecord>, { history }: NoticePeople): Verified<Look> | null {
  try {
    return history.lookIn(record);
  } catch (error) {
    if (isSealcamError(error)) return null;
    throw error;
  }
}

/** Compares the claim that a camera accepted with the one before. */
function membersTitle({ device, epoch }: AnyRecord, camera: string, people: NoticePeople): string {
  const now = people.history.claimOf(device, epoch)?.value.recipients ?? [];
  const before = people.history.claimOf(device, epoch - 1)?.value.recipients;
  const isNew = ({ ed25519 }: { readonly ed25519: Uint8Array }): boolean =>
    before !== undefined && !before.some((one) => equal(one.ed25519, ed25519));
  const added = now.filter(isNew).map(({ ed25519 }) => nameOf(ed25519, { device, epoch }, people));
  return added.length === 0 ? WORDS.household(camera) : WORDS.members(camera, added);
}

function nameOf(
  key: Uint8Array,
  { device, epoch }: Pick<AnyRecord, 'device' | 'epoch'>,
  { history, names }: NoticePeople,
): string {
  const given = names[toHex(key)];
  if (given !== undefined) return given;
  const claim = history.claimOf(device, epoch);
  const isRoot = claim !== null && equal(claim.value.ownerKey, key);
  return isRoot ? WORDS.owner : WORDS.member(accountNumber(key));
}

function tagOf(record: Verified<AnyRecord>, people: NoticePeople): string {
  const { value, hash } = record;
  const camera = epochKey(value.device, value.epoch);
  const look = lookOf(record, people);
  if (look !== null) return `look/${camera}/${toHex(look.value.session)}`;
  if (value.event !== undefined) return `event/${camera}/${toHex(value.event.id)}`;
  return `record/${camera}/${toHex(hash)}`;
}
