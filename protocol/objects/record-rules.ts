/** Rules between the fields of a record, for both versions: a breach is `malformed`. */
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { checkClip } from './clip.js';
import { deviceId } from './ids.js';
import { checkKeyRecord } from './key-record.js';
import { EVENT_MEDIA_ROLES, OWN_MEDIA_ROLES, rulesOf } from './record-kinds.js';
import type { AnyRecord } from './record-fields-v2.js';

function refuse(why: string): never {
  throw new SealcamError('malformed', `record: ${why}`);
}

/** Fields that only the kind that needs them may have. */
const EXCLUSIVE_BODIES = ['health', 'command', 'scene', 'tombstone', 'key', 'clip'] as const;

function checkBody(record: AnyRecord): void {
  const { body, phases } = rulesOf(record.kind);
  if (body !== null && record[body] === undefined) refuse(`${record.kind} without ${body}`);
  for (const other of EXCLUSIVE_BODIES) {
    if (other !== body && record[other] !== undefined) refuse(`${record.kind} with ${other}`);
  }
  if (phases.length === 0 && record.event !== undefined) refuse(`${record.kind} with an event`);
  if (record.event !== undefined) {
    const { phase, revision } = record.event;
    if (!phases.includes(phase)) refuse(`${record.kind} with phase ${phase}`);
    const isFirst = phase === 'single' || phase === 'start';
    if (isFirst !== (revision === 0)) refuse(`phase ${phase} with revision ${String(revision)}`);
  }
  if ((record.time.wallMs === null) !== (record.time.quality === 'unset')) {
    refuse('wall time and clock quality disagree');
  }
}

function checkChain(record: AnyRecord): void {
  if ((record.seq === 0) !== rulesOf(record.kind).isFirst) refuse('seq 0 is the accept record and no other record');
  if (record.seq === 0 && (record.prev === null || !equal(record.prev, record.claimHash))) {
    refuse('the first record follows the claim');
  }
  const stateLost = record.loss?.some(({ reason }) => reason === 'state-lost') === true;
  if (record.prev === null && !(rulesOf(record.kind).mayRestartChain && stateLost))
    refuse('prev is null without a lost state');
  for (const { seqs, media, count } of record.loss ?? []) {
    if ([seqs, media, count].filter((given) => given !== undefined).length !== 1) {
      refuse('a loss names seqs, media or a count, one of them');
    }
    if (seqs !== undefined && (seqs[0] > seqs[1] || seqs[1] >= record.seq)) refuse('an impossible range of lost seqs');
  }
}

function checkMedia(record: AnyRecord): void {
  const { kind, media = [], event } = record;
  if (new Set(media.map(({ id }) => toHex(id))).size !== media.length) refuse('a media id is listed twice');
  const own = record.version === undefined ? undefined : OWN_MEDIA_ROLES[kind];
  if (record.media !== undefined && event === undefined && own === undefined) refuse('media without an event');
  if (record.version === undefined) return;
  const roles = own === undefined ? EVENT_MEDIA_ROLES : [own];
  for (const { role } of media) if (!roles.includes(role)) refuse(`${kind} with media of role ${role}`);
  if (own !== undefined && media.length > 1) refuse(`${kind} with more than one media object`);
}

const SETTINGS: readonly string[] = ['zones', 'sensitivity', 'masks', 'schedules'];

function checkAnswer({ command, media }: AnyRecord): void {
  if (command === undefined) return;
  const { action, result, counter, signer, look, lookEnd } = command;
  if (media !== undefined && !SETTINGS.includes(action)) refuse(`an answer to ${action} with what is in force`);
  if ((counter === undefined) !== (signer === undefined)) refuse('a counter without its signer');
  const parts = [look, lookEnd].filter((part) => part !== undefined).length;
  if (parts !== (action === 'look' && result === 'done' ? 1 : 0))
    refuse(`${action} with ${String(parts)} parts of a look`);
}

/**
 * Checks the signer of a record, then the rules between its fields.
 * @throws SealcamError `foreign`, `malformed`
 */
export function checkRecord(record: AnyRecord, kid: Uint8Array, suite: CryptoSuite): void {
  if (!equal(record.device, deviceId(suite, kid))) {
    throw new SealcamError('foreign', 'record: signed by another device than it names');
  }
  checkChain(record);
  checkBody(record);
  checkMedia(record);
  if (record.version === undefined) return;
  checkAnswer(record);
  if (record.key !== undefined) checkKeyRecord(suite, record.media ?? []);
  if (record.clip !== undefined) checkClip(record.clip);
}
