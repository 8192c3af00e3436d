/** Attacks on version 2 of the protocol, as functions that return what a verifier says. The control differs in the argument. */
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { checkClaimSuccession, claimKindV2 } from '../../../protocol/objects/claim.js';
import { commandKindV2 } from '../../../protocol/objects/command.js';
import { checkKemKeys } from '../../../protocol/objects/kem-keys.js';
import { lookKind } from '../../../protocol/objects/look.js';
import { anyRecordKind, recordKindV2, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, signBytes, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { checkBinding, type ClaimBinding } from '../../../protocol/verify/binding.js';
import { History } from '../../../protocol/verify/history.js';
import { checkLook, checkOrder, checkOrderCounter, openAnsweredLook } from '../../../protocol/verify/orders.js';
import type { Cbor } from '../../../protocol/wire/cbor.js';
import { Forge } from '../../../scripts/vectors/forge.js';
import { NAMES, seedOf, signerOf } from '../../../scripts/vectors/keyring.js';
import { recordChainV2, VectorWorldV2 } from '../../../scripts/vectors/signed-v2.js';
import { codeOf } from '../codes.js';

const world = new VectorWorldV2(nodeSuite);
const { claim, claimV2 } = world;
const prev = seedOf(nodeSuite, 'record 4');
type Name = keyof typeof NAMES;

/** KEM keys that came beside a claim. */
export function kemKeysBeside(which: 'own' | 'replaced' | 'exchanged'): string {
  const [owner = prev, browser = prev, member = prev] = world.kemKeys;
  const lists = {
    own: [owner, browser, member],
    replaced: [owner, browser, world.kemKey('the cloud')],
    exchanged: [owner, member, browser],
  };
  return codeOf(() => {
    checkKemKeys(nodeSuite, claimV2.value, lists[which]);
  });
}

/** A claim of version 1 by the owner of the claim before. */
export function claimOfVersionOne(after: 1 | 2): string {
  return codeOf(() => {
    checkClaimSuccession((after === 2 ? claimV2 : claim).value, { ...claim.value, epoch: 3 });
  });
}

/** A claim that names this signer as a recipient with role owner. */
export function claimSignedBy(name: Name): string {
  const object = new Forge(nodeSuite).forged(claimKindV2, claimV2.value, [], signerOf(nodeSuite, NAMES[name]));
  return codeOf(() => openSigned(claimKindV2, nodeSuite, object));
}

function rowOf(version: 1 | 2): ClaimBinding {
  const { device, account, epoch } = (version === 2 ? claimV2 : claim).value;
  const claimHash = (version === 2 ? claimV2 : claim).hash;
  return { device, account, epoch, claimHash, version, state: 'open', closedAtSeq: null };
}

/** A record of one version, signed for the epoch of a claim of this or the other version. */
export function recordInEpoch(version: 1 | 2, epochOf: 1 | 2): string {
  const { epoch, claimHash } = rowOf(epochOf);
  const scene = { kind: 'scene', scene: { class: 'stall' } } as const;
  const made = version === 2 ? world.recordV2(5, prev, scene) : world.record(5, prev, scene);
  const signed = signObject(anyRecordKind, nodeSuite, world.device, { ...made, epoch, claimHash });
  return checkBinding(openSigned(anyRecordKind, nodeSuite, signed.bytes).value, rowOf(epochOf));
}

function keyRecord(commit: string, seq = 1): Verified<AnyRecord> {
  const key = { periodId: world.id('period'), commit: seedOf(nodeSuite, commit) };
  const record = world.recordV2(seq, prev, { kind: 'key', key, media: [world.keyMedia('key')] });
  return signObject(anyRecordKind, nodeSuite, world.device, record);
}

/** A key record, held against the claim row of its own or of the next epoch. */
export function keyRecordInEpoch(which: 'its own' | 'the next'): string {
  const own = rowOf(2);
  const next = { ...own, epoch: 3, claimHash: seedOf(nodeSuite, 'claim 3') };
  return checkBinding(keyRecord('commit').value, which === 'its own' ? own : next);
}

/** A second key record with the id of a period, of the same record again or with another key. */
export function secondKeyRecord(which: 'the same' | 'another key'): string {
  const history = new History();
  history.add(keyRecord('commit'));
  const verdict = history.add(which === 'the same' ? keyRecord('commit') : keyRecord('another commit', 9));
  const { state } = history.periodOf(world.deviceId, 2, world.id('period'));
  return `${verdict}; the period is ${state === 'known' ? 'shown' : 'not shown'}`;
}

/** A clip record that names this many segments, signed by a camera that keeps no limit. */
export function clipOf(segments: number): string {
  const clip = { eventId: world.id('event'), number: 0, phase: 'start' } as const;
  const named = Array.from({ length: segments }, (_, i) => world.segment(i));
  const record = world.recordV2(3, prev, { kind: 'clip', clip: { ...clip, segments: named.slice(0, 1) } });
  const fields = recordKindV2.codec.toCbor(record) as ReadonlyMap<number, ReadonlyMap<number, Cbor>>;
  const body = new Map<number, Cbor>(fields.get(17)).set(3, named);
  const object = new Forge(nodeSuite).forged(recordKindV2, record, [[17, body]], world.device);
  return codeOf(() => openSigned(anyRecordKind, nodeSuite, object));
}

/** An order of version 2, signed by this key. */
export function orderBy(name: Name): string {
  const order = signObject(
    commandKindV2,
    nodeSuite,
    signerOf(nodeSuite, NAMES[name]),
    world.order({ action: 'snapshot' }),
  );
  return codeOf(() => {
    checkOrder(order, claimV2);
  });
}

/** An order to look, signed by this key. */
export function lookBy(name: Name): string {
  const order = signObject(lookKind, nodeSuite, signerOf(nodeSuite, NAMES[name]), world.lookOrder());
  return codeOf(() => {
    checkLook(order, claimV2);
  });
}

/** A camera's record that it answered a look, whose order this key signed. */
export function answeredLookBy(name: Name): string {
  const [, record] = recordChainV2(world).find(([known]) => known === 'look') ?? [];
  const { command } = record ?? {};
  if (record === undefined || command?.look === undefined) throw new Error('no look in the chain');
  const order = signBytes(lookKind, nodeSuite, signerOf(nodeSuite, NAMES[name]), world.lookOrder());
  const answer = { ...record, command: { ...command, look: { ...command.look, order } } };
  return codeOf(() => openAnsweredLook(nodeSuite, answer, claimV2));
}

/** An order whose counter is this many hours ahead of the camera's clock. */
export function orderAhead(hours: number): string {
  const nowMs = 1_767_323_045_000;
  return codeOf(() => {
    checkOrderCounter(2, nowMs + hours * 3_600_000, nowMs - 1, nowMs);
  });
}
