import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind, type SealcamRecord } from '../../../../protocol/objects/record.js';
import {
  EVENT_PHASES,
  RECORD_KIND_RULES,
  RECORD_KINDS,
  rulesOf,
  type EventPhase,
  type RecordKind,
  type RecordKindRules,
} from '../../../../protocol/objects/record-kinds.js';
import { openSigned, signObject, type SignedKind } from '../../../../protocol/objects/signed-object.js';
import { codeOf } from '../../../support/codes.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

/** The control: the same fields and signature, without the rules of the kinds. */
const withoutRules: SignedKind<SealcamRecord> = { ...recordKind, check: () => undefined };

const kinds = Object.keys(RECORD_KINDS) as RecordKind[];
const phases = Object.keys(EVENT_PHASES) as EventPhase[];
const world = new CameraWorld();
const claim = world.claim();

const health: NonNullable<SealcamRecord['health']> = {
  agent: '0',
  uptimeS: 1,
  freeBytes: 1,
  produced: 1,
  receipted: 1,
  queued: 0,
  quarantined: 0,
  lost: 0,
  framesSeen: 1,
  framesDropped: 0,
  framesCorrupt: 0,
  camera: 'ok',
  privacy: false,
  connects: 1,
};
/** Version 1 only; version-2.test.ts has the other kinds. */
const bodies: Readonly<Record<Exclude<RecordKindRules['body'], 'key' | 'clip' | null>, Partial<SealcamRecord>>> = {
  event: {},
  health: { health },
  command: { command: { source: 'button', action: 'snapshot', result: 'done' } },
  scene: { scene: { class: 'stall' } },
  tombstone: { tombstone: { reason: 'release' } },
  loss: { loss: [{ reason: 'full', count: 1 }] },
};

/** A record of this kind with everything the kind needs except an event. */
function recordOf(kind: RecordKind): SealcamRecord {
  const { body, isFirst } = RECORD_KIND_RULES[kind];
  return {
    kind,
    device: world.deviceId,
    account: world.account,
    epoch: 1,
    claimHash: claim.hash,
    seq: isFirst ? 0 : 7,
    prev: isFirst ? claim.hash : new Uint8Array(32),
    time: world.time(7000),
    ...(body === null ? {} : bodies[body]),
  };
}

function eventOf(phase: EventPhase): NonNullable<SealcamRecord['event']> {
  return { id: realRandom.bytes(16), phase, revision: phase === 'start' || phase === 'single' ? 0 : 1 };
}

/** Returns how a signed record is received with the rules and, as the control, without them. */
function judge(record: SealcamRecord): readonly [string, string] {
  const { bytes } = signObject(withoutRules, nodeSuite, world.device, record);
  return [
    codeOf(() => openSigned(recordKind, nodeSuite, bytes)),
    codeOf(() => openSigned(withoutRules, nodeSuite, bytes)),
  ];
}

describe('rules of record kinds', () => {
  it('keep the numbers on the wire', () => {
    expect(RECORD_KINDS).toEqual({
      accept: 0,
      motion: 1,
      scene: 2,
      snapshot: 3,
      command: 4,
      health: 5,
      gap: 6,
      tombstone: 7,
    });
    expect(Object.keys(RECORD_KIND_RULES)).toEqual(kinds);
  });

  it.each(kinds.flatMap((kind) => phases.map((phase) => [kind, phase] as const)))(
    'allow a %s with an event of phase %s only if its row does',
    (kind, phase) => {
      const expected = rulesOf(kind).phases.includes(phase) ? 'accepted' : 'malformed';
      expect(judge({ ...recordOf(kind), event: eventOf(phase) })).toEqual([expected, 'accepted']);
    },
  );

  it.each(kinds)('require an event in a %s only if its row does', (kind) => {
    const expected = rulesOf(kind).body === 'event' ? 'malformed' : 'accepted';
    expect(judge(recordOf(kind))).toEqual([expected, 'accepted']);
  });

  it.each(kinds.filter((kind) => rulesOf(kind).phases.length === 0))('refuse media in a %s', (kind) => {
    const hash = new Uint8Array(32);
    const media = [
      { id: realRandom.bytes(16), role: 'thumbnail' as const, length: 1, bodyHash: hash, headerHash: hash },
    ];
    expect(judge({ ...recordOf(kind), media })).toEqual(['malformed', 'accepted']);
  });

  it.each(kinds)('allow a %s at seq 0 or above as its row does', (kind) => {
    const { isFirst, phases: ownPhases, body } = rulesOf(kind);
    const [phase] = ownPhases;
    const event = phase === undefined || body !== 'event' ? {} : { event: eventOf(phase) };
    const record = { ...recordOf(kind), ...event };
    expect(judge({ ...record, seq: 0, prev: claim.hash })).toEqual([isFirst ? 'accepted' : 'malformed', 'accepted']);
    expect(judge({ ...record, seq: 7 })).toEqual([isFirst ? 'malformed' : 'accepted', 'accepted']);
  });

  it.each(kinds)('let a %s restart the chain only if its row does', (kind) => {
    const { phases: ownPhases, body, isFirst } = rulesOf(kind);
    const [phase] = ownPhases;
    const event = phase === undefined || body !== 'event' ? {} : { event: eventOf(phase) };
    const record = { ...recordOf(kind), ...event, prev: null, loss: [{ reason: 'state-lost', count: 1 }] as const };
    const expected = rulesOf(kind).mayRestartChain && !isFirst ? 'accepted' : 'malformed';
    expect(judge(record)).toEqual([expected, 'accepted']);
  });

  it('make an unknown kind `unsupported`, never a known kind', () => {
    const later: SignedKind<SealcamRecord> = {
      ...withoutRules,
      codec: {
        ...recordKind.codec,
        toCbor(record) {
          const fields = recordKind.codec.toCbor(record);
          if (!(fields instanceof Map)) throw new Error('not a map');
          return new Map([...fields, [1, kinds.length]]);
        },
        fromCbor: () => recordOf('scene'),
      },
    };
    const { bytes } = signObject(later, nodeSuite, world.device, recordOf('scene'));
    expect(codeOf(() => openSigned(recordKind, nodeSuite, bytes))).toBe('unsupported');
  });

  it('do not compile without a row for every kind', () => {
    const { tombstone: _removed, ...rest } = RECORD_KIND_RULES;
    // @ts-expect-error a kind is missing
    const incomplete = rest satisfies Record<RecordKind, RecordKindRules>;
    expect(Object.keys(incomplete)).toHaveLength(kinds.length - 1);
  });
});
