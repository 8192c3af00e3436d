import type { ErrorCode } from '../../common/error-codes.js';
import { commandKind, type Command } from '../../protocol/objects/command.js';
import { offerKind, type Offer } from '../../protocol/objects/offer.js';
import { recordKind } from '../../protocol/objects/record.js';
import { receiptKind, type Receipt } from '../../protocol/objects/receipt.js';
import { revocationKind, type Revocation } from '../../protocol/objects/revocation.js';
import { encodeCbor, type Cbor } from '../../protocol/wire/cbor.js';
import { CLAIM, hex, mediaFields, RECORD, type Forge } from './forge.js';
import { NAMES, seedOf, signerOf } from './keyring.js';

const ORDER_EIGHT = hex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

/** Returns objects that each break one rule between fields; all have a valid signature. */
export function ruleCases(forge: Forge): readonly (readonly [string, string, Uint8Array, ErrorCode])[] {
  const { world, device, suite } = forge;
  const map = (...entries: readonly (readonly [number, Cbor])[]): Cbor => new Map(entries);
  const eventId = world.id('event');
  const event = (phase: number, revision: number): Cbor => map([0, eventId], [1, phase], [2, revision]);
  const zeroCounts = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((key): [number, Cbor] => [key, 0]);
  const healthBody = map([0, '0.1.0'], ...zeroCounts, [13, false], [14, 0]);
  const scene = map([0, 5]);
  const stateLost = map([0, 3], [1, [0, 0]]);
  const record = (name: string, ...changes: readonly (readonly [number, Cbor | undefined])[]) =>
    [name, RECORD, forge.edited(changes), 'malformed'] as const;
  const offer: Offer = {
    device: world.deviceId,
    lastEpoch: 1,
    lastClaimHash: world.claim.hash,
    mode: 'physical',
    nonce: world.id('nonce'),
  };
  const command: Command = {
    action: 'snapshot',
    device: world.deviceId,
    epoch: 1,
    claimHash: world.claim.hash,
    counter: 1,
    recent: [7, seedOf(suite, 'record 7')],
  };
  const revocation: Revocation = {
    scope: 'owner',
    listVersion: 1,
    issuedAtMs: 0,
    entries: [{ device: world.deviceId, epoch: 1 }],
  };
  const receipt: Receipt = { device: world.deviceId, epoch: 1, claimHash: world.claim.hash, ranges: [] };
  const cloud = signerOf(suite, NAMES.receipt);
  const maker = signerOf(suite, NAMES.maker);
  const smallOrder = map([0, world.x25519(NAMES.member)], [1, ORDER_EIGHT]);
  const owner = map([0, world.x25519(NAMES.owner)], [1, world.owner.publicKey]);
  const hash = seedOf(suite, 'record 4');
  return [
    record('record-key-24', [24, 0]),
    record('record-key-negative', [-1, 0]),
    record('record-duration-true', [14, map([0, 5], [1, true])]),
    record('record-scene-class-negative', [14, map([0, -1])]),
    record('record-scene-not-a-map', [14, []]),
    record('record-loss-seqs-of-three', [11, [map([0, 0], [1, [0, 0, 0]])]]),
    record('record-loss-of-nothing', [11, [map([0, 0])]]),
    record('record-loss-of-two-things', [11, [map([0, 0], [1, [0, 0]], [3, 1])]]),
    record('record-loss-empty', [11, []]),
    record('scene-with-phase-start', [9, event(0, 0)]),
    record('motion-with-phase-single', [1, 1], [14, undefined], [9, event(3, 0)]),
    record('motion-start-with-revision-1', [1, 1], [14, undefined], [9, event(0, 1)]),
    record('motion-end-with-revision-0', [1, 1], [14, undefined], [9, event(2, 0)]),
    record('health-with-event', [1, 5], [14, undefined], [12, healthBody], [9, event(3, 0)]),
    record('health-beside-scene', [12, healthBody]),
    record('health-agent-too-long', [1, 5], [14, undefined], [12, healthWith(healthBody, 0, 'x'.repeat(33))]),
    record('health-agent-control-character', [1, 5], [14, undefined], [12, healthWith(healthBody, 0, 'a\nb')]),
    record('health-agent-byte-order-mark', [1, 5], [14, undefined], [12, healthWith(healthBody, 0, '\ufeff1')]),
    ['health-agent-bad-utf8', RECORD, badUtf8(forge, healthBody), 'malformed'],
    record('health-privacy-as-integer', [1, 5], [14, undefined], [12, healthWith(healthBody, 13, 1)]),
    record('accept-after-another-hash', [1, 0], [6, 0], [14, undefined]),
    record('media-id-twice', [9, event(3, 0)], [10, [mediaFields(forge), mediaFields(forge)]]),
    record('gap-prev-null-without-state-lost', [1, 6], [14, undefined], [7, null], [11, [map([0, 0], [1, [0, 0]])]]),
    record('scene-prev-null-with-state-lost', [7, null], [11, [stateLost]]),
    record('wall-time-with-unset-clock', [8, map([0, world.boot], [1, 5], [2, 7], [3, 0])]),
    record('no-wall-time-with-ntp', [8, map([0, world.boot], [1, 5], [2, null], [3, 2])]),
    record('gap-without-loss', [1, 6], [14, undefined]),
    record('tombstone-with-scene', [1, 7], [15, map([0, 0])], [14, scene]),
    [
      'record-of-another-device-and-broken',
      RECORD,
      forge.forged(recordKind, forge.good, [[7, null]], signerOf(suite, NAMES.stranger)),
      'foreign',
    ],
    ['offer-hash-without-epoch', offerKind.domain, forge.forged(offerKind, offer, [[2, 0]], device), 'malformed'],
    ['offer-epoch-without-hash', offerKind.domain, forge.forged(offerKind, offer, [[3, null]], device), 'malformed'],
    [
      'offer-owner-mode-unclaimed',
      offerKind.domain,
      forge.forged(
        offerKind,
        offer,
        [
          [2, 0],
          [3, null],
          [4, 1],
        ],
        device,
      ),
      'malformed',
    ],
    [
      'offer-of-another-device',
      offerKind.domain,
      forge.forged(offerKind, offer, [], signerOf(suite, NAMES.otherDevice)),
      'foreign',
    ],
    ['claim-recipient-small-order', CLAIM, forge.claim([[5, [owner, smallOrder]]]), 'malformed'],
    ['claim-receipt-key-twice', CLAIM, forge.claim([[6, [cloud.publicKey, cloud.publicKey]]]), 'malformed'],
    ['claim-epoch-1-with-previous', CLAIM, forge.claim([[7, hash]]), 'malformed'],
    [
      'receipt-range-backwards',
      receiptKind.domain,
      forge.forged(receiptKind, receipt, [[4, [[3, 2, hash]]]], cloud),
      'malformed',
    ],
    [
      'receipt-range-of-two',
      receiptKind.domain,
      forge.forged(receiptKind, receipt, [[4, [[3, 4]]]], cloud),
      'malformed',
    ],
    [
      'receipt-reject-code-9',
      receiptKind.domain,
      forge.forged(receiptKind, receipt, [[5, [[3, hash, 9]]]], cloud),
      'unsupported',
    ],
    ['receipt-epoch-0', receiptKind.domain, forge.forged(receiptKind, receipt, [[2, 0]], cloud), 'malformed'],
    [
      'command-without-recent',
      commandKind.domain,
      forge.forged(commandKind, command, [[6, undefined]], world.owner),
      'malformed',
    ],
    [
      'command-privacy-off-without-recent',
      commandKind.domain,
      forge.forged(
        commandKind,
        command,
        [
          [1, 1],
          [6, undefined],
          [7, false],
        ],
        world.owner,
      ),
      'malformed',
    ],
    [
      'command-snapshot-with-zones',
      commandKind.domain,
      forge.forged(commandKind, command, [[8, []]], world.owner),
      'malformed',
    ],
    [
      'command-privacy-without-argument',
      commandKind.domain,
      forge.forged(commandKind, command, [[1, 1]], world.owner),
      'malformed',
    ],
    [
      'command-sensitivity-101',
      commandKind.domain,
      forge.forged(
        commandKind,
        command,
        [
          [1, 3],
          [9, 101],
        ],
        world.owner,
      ),
      'malformed',
    ],
    ['command-action-9', commandKind.domain, forge.forged(commandKind, command, [[1, 9]], world.owner), 'unsupported'],
    [
      'revocation-owner-without-epoch',
      revocationKind.domain,
      forge.forged(revocationKind, revocation, [[4, [map([0, world.deviceId])]]], world.owner),
      'malformed',
    ],
    [
      'revocation-maker-with-epoch',
      revocationKind.domain,
      forge.forged(revocationKind, revocation, [[1, 1]], maker),
      'malformed',
    ],
  ];
}

/** A health record whose agent version is invalid UTF-8; everything else is valid and signed. */
function badUtf8(forge: Forge, body: Cbor): Uint8Array {
  const fields = forge.fields(forge.good);
  fields.set(1, 5);
  fields.delete(14);
  fields.set(12, body);
  const text = Buffer.from(encodeCbor(fields)).toString('hex');
  const agent = '65302e312e30';
  if (!text.includes(agent)) throw new Error('the agent is not in the payload');
  return forge.object(forge.device, { payload: hex(text.replace(agent, '62c328')) });
}

function healthWith(body: Cbor, key: number, value: Cbor): Cbor {
  return new Map([...(body as Map<number, Cbor>), [key, value]]);
}
