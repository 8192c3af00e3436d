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
import { topicOf } from '../../protocol/transport/topics.js';
import { recordChain, VectorWorld } from './signed.js';

interface MessageVector {
  readonly name: string;
  readonly topic: string;
  readonly message: UpMessage | DownMessage | StatusMessage;
  readonly payload: Uint8Array;
}

/** Small stand-ins for sealed objects: a message is an envelope and does not look inside. */
const SEALED = { header: Uint8Array.of(1, 2, 3), body: Uint8Array.of(4, 5, 6, 7) };

export function messageVectors(suite: CryptoSuite): readonly MessageVector[] {
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
    up('up-records', { type: 'records', records: [{ record: start, media: [SEALED, null] }] }),
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
