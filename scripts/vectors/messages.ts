import type { ErrorCode } from '../../common/error-codes.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimMac } from '../../protocol/objects/claim.js';
import { recordKind } from '../../protocol/objects/record.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import {
  encodeDown,
  encodeStatus,
  encodeUp,
  type DownMessage,
  type StatusMessage,
  type UpMessage,
} from '../../protocol/transport/messages.js';
import type { LiveMessage } from '../../protocol/transport/live.js';
import { topicOf, type TopicLeaf } from '../../protocol/transport/topics.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { recordChain, VectorWorld } from './signed.js';

export interface MessageVector {
  readonly name: string;
  readonly topic: string;
  readonly message: UpMessage | DownMessage | StatusMessage | LiveMessage;
  readonly payload: Uint8Array;
}

/** Stand-ins for sealed objects: messages do not check what they carry. */
const SEALED = { header: Uint8Array.of(1, 2, 3), body: Uint8Array.of(4, 5, 6, 7) };

export interface BadMessage {
  readonly name: string;
  readonly leaf: TopicLeaf;
  readonly payload: Uint8Array;
  readonly expect: ErrorCode;
}

interface BadTopic {
  readonly topic: string;
  readonly expect: ErrorCode;
}

/** Returns the content of messages.json. */
export function messageVectors(suite: CryptoSuite): {
  readonly good: readonly MessageVector[];
  readonly bad: readonly BadMessage[];
  readonly badTopics: readonly BadTopic[];
} {
  return { good: goodMessages(suite), bad: badMessages(), badTopics: badTopics() };
}

function badMessages(): readonly BadMessage[] {
  const record = Uint8Array.of(1);
  const of = (name: string, leaf: TopicLeaf, expect: ErrorCode, value: Cbor): BadMessage => ({
    name,
    leaf,
    expect,
    payload: encodeCbor(value),
  });
  const pair: Cbor = [Uint8Array.of(1), Uint8Array.of(2)];
  return [
    of('up-type-99', 'up', 'unsupported', [99, 'new']),
    of('up-type-0', 'up', 'unsupported', [0]),
    of('up-type-negative', 'up', 'unsupported', [-1]),
    of('up-type-text', 'up', 'malformed', ['1']),
    of('up-empty-array', 'up', 'malformed', []),
    of('up-map', 'up', 'malformed', new Map([[0, 1]])),
    of('up-records-none', 'up', 'malformed', [1, []]),
    of('up-records-17', 'up', 'malformed', [1, Array.from({ length: 17 }, (): Cbor => [record, []])]),
    of('up-records-five-media', 'up', 'malformed', [1, [[record, Array.from({ length: 5 }, () => null)]]]),
    of('up-records-without-media-list', 'up', 'malformed', [1, [[record]]]),
    of('up-records-media-of-three', 'up', 'malformed', [1, [[record, [[...pair, null]]]]]),
    of('up-records-extra', 'up', 'malformed', [1, [[record, []]], 0]),
    of('up-record-over-8-kib', 'up', 'malformed', [1, [[new Uint8Array(8193), []]]]),
    of('up-over-128-kib', 'up', 'malformed', [1, [[record, [[Uint8Array.of(1), new Uint8Array(131_072)]]]]]),
    of('up-offer-missing', 'up', 'malformed', [2]),
    of('up-nested', 'up', 'malformed', [1, [[[[[[[[[0]]]]]]]]]]),
    { name: 'up-nothing', leaf: 'up', expect: 'malformed', payload: new Uint8Array(0) },
    { name: 'up-indefinite', leaf: 'up', expect: 'malformed', payload: Uint8Array.of(0x9f, 0x02, 0x41, 0x01, 0xff) },
    of('down-type-99', 'down', 'unsupported', [99]),
    of('down-claim-mac-31-bytes', 'down', 'malformed', [2, record, new Uint8Array(31)]),
    of('down-offer-request-extra', 'down', 'malformed', [3, 0]),
    of('status-type-2', 'status', 'unsupported', [2, true, '0.1.0']),
    of('status-online-1', 'status', 'malformed', [1, 1, '0.1.0']),
    of('status-agent-too-long', 'status', 'malformed', [1, true, 'x'.repeat(33)]),
  ];
}

function badTopics(): readonly BadTopic[] {
  const id = 'ab'.repeat(32);
  const topics = [
    '',
    'sealcam/v1/+/up',
    'sealcam/v1/#',
    `sealcam/v2/${id}/up`,
    `sealcam/v1/${id.toUpperCase()}/up`,
    `sealcam/v1/${id.slice(2)}/up`,
    `sealcam/v1/${id}/up/x`,
    `sealcam/v1/${id}/sideways`,
    `/sealcam/v1/${id}/up`,
  ];
  return topics.map((topic) => ({ topic, expect: 'malformed' }));
}

function goodMessages(suite: CryptoSuite): readonly MessageVector[] {
  const world = new VectorWorld(suite);
  const records = recordChain(world).map(([, record]) => signObject(recordKind, suite, world.device, record).bytes);
  const [accept, start] = records;
  if (accept === undefined || start === undefined) throw new Error('the chain is too short');
  const up = (name: string, message: UpMessage): MessageVector => ({
    name,
    topic: topicOf(world.deviceId, 'up'),
    message,
    payload: encodeUp(message),
  });
  const down = (name: string, message: DownMessage): MessageVector => ({
    name,
    topic: topicOf(world.deviceId, 'down'),
    message,
    payload: encodeDown(message),
  });
  const status = (name: string, message: StatusMessage): MessageVector => ({
    name,
    topic: topicOf(world.deviceId, 'status'),
    message,
    payload: encodeStatus(message),
  });
  return [
    up('up-records', { type: 'records', records: [{ record: start, media: [SEALED] }] }),
    up('up-records-picture-dropped', { type: 'records', records: [{ record: start, media: [null] }] }),
    up('up-offer', { type: 'offer', offer: Uint8Array.of(1) }),
    up('up-accept', { type: 'accept', claim: world.claim.bytes, record: accept }),
    down('down-receipt', { type: 'receipt', receipt: Uint8Array.of(2) }),
    down('down-claim', {
      type: 'claim',
      claim: world.claim.bytes,
      mac: claimMac(suite, world.secret, world.claim),
    }),
    down('down-claim-without-mac', { type: 'claim', claim: world.claim.bytes, mac: null }),
    down('down-offer-request', { type: 'offer-request' }),
    down('down-command', { type: 'command', command: Uint8Array.of(3) }),
    down('down-revocation', { type: 'revocation', revocation: Uint8Array.of(4) }),
    status('status-online', { online: true, agent: '0.1.0' }),
    status('status-offline', { online: false, agent: '0.1.0' }),
  ];
}
