import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { Timeline } from '../../../../app/core/timeline.js';
import { isEventKind, type EventKind } from '../../../../app/core/timeline-kinds.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind, type SealcamRecord } from '../../../../protocol/objects/record.js';
import { RECORD_KINDS, rulesOf, type RecordKind } from '../../../../protocol/objects/record-kinds.js';
import { signObject, type SignedKind, type Verified } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const kinds = Object.keys(RECORD_KINDS) as RecordKind[];
const world = new CameraWorld();
const claim = world.claim();
/** Signs records that break the rules of their kind, as a faulty verifier would let through. */
const withoutRules: SignedKind<SealcamRecord> = { ...recordKind, check: () => undefined };

function withEvent(kind: RecordKind): Verified<SealcamRecord> {
  return signObject(withoutRules, nodeSuite, world.device, {
    kind,
    device: world.deviceId,
    account: world.account,
    epoch: 1,
    claimHash: claim.hash,
    seq: 7,
    prev: new Uint8Array(32),
    time: world.time(7000),
    event: { id: realRandom.bytes(16), phase: 'single', revision: 0 },
  });
}

function shownAs(kind: RecordKind): string | null {
  const timeline = new Timeline();
  timeline.add({ record: withEvent(kind), receivedAtMs: 1 });
  const events = timeline.events(() => ({ verdict: 'intact' }));
  return events[0]?.kind ?? null;
}

describe('kinds of records on the timeline', () => {
  it.each(kinds)('shows a %s as itself or not at all', (kind) => {
    expect(shownAs(kind)).toBe(isEventKind(kind) ? kind : null);
  });

  it('shows no other kind as motion; the control is motion itself', () => {
    expect(kinds.filter((kind) => shownAs(kind) === 'motion')).toEqual(['motion']);
  });

  it('lists every kind that may have an event', () => {
    expect(kinds.filter(isEventKind)).toEqual(kinds.filter((kind) => rulesOf(kind).phases.length > 0));
  });

  it('does not compile with a table that lacks a kind of event', () => {
    // @ts-expect-error `scene` is missing
    const incomplete = { motion: 'Motion', snapshot: 'Snapshot' } satisfies Record<EventKind, string>;
    expect(Object.keys(incomplete)).toHaveLength(2);
  });
});
