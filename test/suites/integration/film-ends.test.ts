import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyCommandKind, type AnyCommand } from '../../../protocol/objects/command.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import { signObject } from '../../../protocol/objects/signed-object.js';
import { embedded } from '../../support/engines/brokers.js';
import { LEFT } from '../../support/pictures.js';
import { until } from '../../support/runner/wait.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { cloudOf, type Seen } from '../../support/worlds/seen-cloud.js';
import { BUSY, type TestAgent } from '../../support/worlds/test-agent.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

let way: WholeWay;
let camera: TestAgent;
let seen: Seen;
let counter: number;
const owner = new CameraWorld();

/** Somebody walks through every three seconds, so that an event follows whatever happens before a ring is full again. */
const BUSIER = {
  ...BUSY,
  repeatMs: 3000,
  happenings: BUSY.happenings.map((one) => ({ ...one, fromMs: 800, toMs: 2300 })),
};

/** A camera that films events, with a clip that runs. */
beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
  seen = { offers: [], sent: [], claim: null };
  counter = 100;
  camera = way.startAgent('a', BUSIER, undefined, { environment: { SEALCAM_CLIP_CODEC: 'jpeg' } });
  await cloudOf(way, owner, camera.code, [1, 2], seen);
  await until('a clip began with a full ring', () => clips().some((record) => prerollMs(record) > 4000), 60_000);
});

afterEach(() => way.stopAll());

function records(epoch = 1): AnyRecord[] {
  return seen.sent
    .map(({ record }) => record.value)
    .filter((record) => record.epoch === epoch)
    .sort((a, b) => a.seq - b.seq);
}

function clips(epoch = 1): AnyRecord[] {
  return records(epoch).filter(({ clip }) => clip !== undefined);
}

/** Length of what was filmed before a clip's first record; 0 for any other record. */
function prerollMs({ clip }: AnyRecord): number {
  return clip?.phase === 'start' ? clip.segments.reduce((sum, [, , , , , , durationMs]) => sum + durationMs, 0) : 0;
}

function order(change: Partial<AnyCommand> & Pick<AnyCommand, 'action'>): void {
  const newest = seen.sent.at(-1)?.record;
  if (newest === undefined || seen.claim === null) throw new Error('no record yet');
  const { device, epoch } = seen.claim.value;
  const command = { version: 2, device, epoch, claimHash: seen.claim.hash, counter: counter++ } as const;
  const recent = [newest.value.seq, newest.hash] as const;
  seen.order?.(signObject<AnyCommand>(anyCommandKind, nodeSuite, owner.owner, { ...command, recent, ...change }).bytes);
}

/** Returns how many clips of an epoch began and did not end. */
function openClips(epoch: number): number {
  const phases = clips(epoch).map(({ clip }) => clip?.phase);
  return phases.filter((phase) => phase === 'start').length - phases.filter((phase) => phase === 'end').length;
}

function expectOnlyLater(epoch: number, sinceMs: number): void {
  const first = clips(epoch).find(({ clip, time }) => clip?.phase === 'start' && time.monotonicMs > sinceMs);
  expect(first).toBeDefined();
  if (first !== undefined) expect(prerollMs(first)).toBeLessThanOrEqual(first.time.monotonicMs - sinceMs);
}

describe('nothing filmed before is in a clip', () => {
  it('of an event after privacy; running clips end with the order', async () => {
    order({ action: 'privacy', privacy: true });
    const answered = (on: boolean): AnyRecord | undefined => records().findLast(({ health }) => health?.privacy === on);
    await until('the camera is private', () => answered(true) !== undefined);
    await until('its clips ended', () => openClips(1) === 0);
    const privateMs = answered(true)?.time.monotonicMs ?? 0;
    expect(clips().every(({ time }) => time.monotonicMs <= privateMs)).toBe(true);
    order({ action: 'privacy', privacy: false });
    await until('a clip began again', () =>
      clips().some(({ clip, time }) => clip?.phase === 'start' && time.monotonicMs > privateMs),
    );
    const openMs = records().find(({ health, time }) => health?.privacy === false && time.monotonicMs > privateMs);
    expectOnlyLater(1, (openMs?.time.monotonicMs ?? Infinity) - 100);
  });

  it('of an event after masks that were set, or a schedule that ended; running clips end there', async () => {
    const wasLost = camera.agent.outbox.segmentTotals().lost;
    const masksMs = realClock.monotonicMs();
    camera.agent.reconfigure({ ...camera.config, 'privacy.masks': [LEFT] });
    await until('a clip began again', () =>
      clips().some(({ clip, time }) => clip?.phase === 'start' && time.monotonicMs > masksMs),
    );
    expectOnlyLater(1, masksMs);
    expect(clips().some(({ clip, time }) => clip?.phase === 'end' && time.monotonicMs <= masksMs)).toBe(true);
    const minuteMs = 60_000;
    const inAnHour = Math.floor((realClock.wallMs() % (1440 * minuteMs)) / minuteMs + 60) % 1440;
    const window = { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: inAnHour, toMinute: (inAnHour + 1) % 1440 };
    const scheduleMs = realClock.monotonicMs();
    camera.agent.reconfigure({ ...camera.config, 'motion.schedule': [window] });
    await until('its clips ended', () => openClips(1) === 0);
    expect(clips().every(({ time }) => time.monotonicMs <= scheduleMs)).toBe(true);
    expect(camera.agent.outbox.segmentTotals().lost).toBe(wasLost);
  });

  it('of a new claim; running clips end in the epoch in which they began', async () => {
    seen.epochs = 2;
    camera.button.press();
    await until('a clip began under the new claim', () => clips(2).some((record) => prerollMs(record) > 0));
    const acceptMs = records(2).find(({ kind }) => kind === 'accept')?.time.monotonicMs ?? Infinity;
    expectOnlyLater(2, acceptMs);
    expect(openClips(1)).toBe(0);
    const { lost } = camera.agent.outbox.segmentTotals();
    expect([lost, camera.agent.counters.get('clips.claim-changed')]).toEqual([0, 0]);
  });
});
