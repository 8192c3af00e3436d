import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import type { Transition } from '../../../../agent/capture/event-tracker.js';
import type { Frame } from '../../../../hal/camera.js';
import { Recorder } from '../../../../agent/record/recorder.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { recordKind, type SealcamRecord } from '../../../../protocol/objects/record.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { QUIET, TestAgent } from '../../../support/worlds/test-agent.js';
import { RECORDER_SETTINGS, RecorderWorld } from '../../../support/worlds/recorder-world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Half of them, two, in one burst. */
const PER_HOUR = 4;
const settings = { ...RECORDER_SETTINGS, maxEventsPerHour: PER_HOUR };

let jpeg: Uint8Array;
beforeAll(async () => {
  const raw = { width: 64, height: 36, channels: 3 } as const;
  jpeg = await sharp(Buffer.alloc(64 * 36 * 3, 90), { raw })
    .jpeg()
    .toBuffer();
});

/** Start, update and end of one event. */
function event(atMs: number): Transition<Frame>[] {
  const span = { onsetFrame: 9, onsetMs: atMs, startFrame: 10, startMs: atMs };
  const sighting = { frame: { index: 10, monotonicMs: atMs, jpeg }, index: 10, timeMs: atMs, area: 0.1, box: null };
  const end = { endFrame: 20, endMs: atMs + 1, peakArea: 0.1, reason: 'motion-ended', sighting: null } as const;
  return [
    { type: 'start', span, sighting: { ...sighting, zones: [] } },
    { type: 'update', span, sighting: { ...sighting, zones: [] } },
    { type: 'end', span, ...end },
  ];
}

async function play(world: RecorderWorld, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await world.recordTransitions(...event(world.nowMs));
}

const recordWithheld = (world: RecorderWorld, isLast = false): boolean =>
  world.recorder.recordWithheld(world.camera.time(world.nowMs), isLast);
const summaries = (world: RecorderWorld): SealcamRecord[] =>
  world.records().filter(({ scene }) => scene?.class === 'rate-limit');
const phases = (world: RecorderWorld): string[] =>
  world.records().flatMap(({ kind, event: of }) => (kind === 'motion' ? [of?.phase ?? ''] : []));

function claimed(maxBytes?: number): RecorderWorld {
  const world = new RecorderWorld({ settings, ...(maxBytes === undefined ? {} : { maxBytes }) });
  world.claim();
  world.nowMs = 1000;
  return world;
}

it('an event of a camera without an owner is offered to nobody who films it', async () => {
  const world = new RecorderWorld({ settings });
  await play(world, 1);
  expect(world.queued).toEqual([]);
});

describe('events beyond the limit', () => {
  it('are withheld whole; admitted ones are recorded whole', async () => {
    const world = claimed();
    await play(world, 5);
    expect(phases(world)).toEqual(['start', 'update', 'end', 'start', 'update', 'end']);
    expect(world.counters.get('events.withheld')).toBe(3);
    expect(world.counters.get('events.start')).toBe(2);
    // Clips follow the admitted ones, under the ids of their records; without an owner there would be none.
    const ids = world.records().flatMap(({ kind, event: of }) => (kind === 'motion' && of ? [toHex(of.id)] : []));
    expect(world.queued.map(([, id]) => id)).toEqual(ids);
    expect(world.queued.map(([type]) => type)).toEqual(phases(world));
    // The control: without a limit all of them are recorded.
    world.recorder.configure(RECORDER_SETTINGS);
    await play(world, 5);
    expect(phases(world)).toHaveLength(21);
  });

  it('are named in a signed record as soon as there are any, then every 15 minutes while they continue', async () => {
    const world = claimed();
    expect(recordWithheld(world)).toBe(false);
    await play(world, 5);
    expect(recordWithheld(world)).toBe(true);
    expect(recordWithheld(world)).toBe(false);
    await play(world, 2);
    world.nowMs += 14 * MINUTE_MS;
    expect(recordWithheld(world)).toBe(false);
    world.nowMs += MINUTE_MS;
    expect(recordWithheld(world)).toBe(true);
    world.nowMs += HOUR_MS;
    expect(recordWithheld(world)).toBe(false);
    expect(summaries(world).map(({ scene, loss }) => ({ scene, loss }))).toEqual([
      { scene: { class: 'rate-limit', durationMs: 0 }, loss: [{ reason: 'rate-limit', count: 3 }] },
      { scene: { class: 'rate-limit', durationMs: 15 * MINUTE_MS }, loss: [{ reason: 'rate-limit', count: 2 }] },
    ]);
    // An hour later events are admitted again.
    await play(world, 1);
    expect(phases(world)).toHaveLength(9);
  });

  it('are named before the camera stops', async () => {
    const world = claimed();
    await play(world, 4);
    recordWithheld(world);
    await play(world, 3);
    expect(recordWithheld(world)).toBe(false);
    expect(recordWithheld(world, true)).toBe(true);
    expect(summaries(world).map(({ loss }) => loss?.[0]?.count)).toEqual([2, 3]);
  });

  it('keep the sums right; a dropped summary is named again', async () => {
    const world = claimed(40_000);
    await play(world, 5);
    recordWithheld(world);
    expect(brokenSums(world.outbox)).toEqual([]);
    // The outbox overflows: the oldest records are dropped, the summary among them.
    world.recorder.configure(RECORDER_SETTINGS);
    await play(world, 40);
    expect(summaries(world)).toEqual([]);
    expect(brokenSums(world.outbox)).toEqual([]);
    world.outbox.flushLosses(world.camera.time(world.nowMs));
    const said = world.records().flatMap(({ loss = [] }) => loss);
    expect(said).toContainEqual({ reason: 'rate-limit', count: 3 });
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it('do not concern the next owner, who starts with the full allowance', async () => {
    const world = claimed();
    await play(world, 5);
    const first = world.outbox.currentClaim()?.hash ?? null;
    const time = world.camera.time(world.nowMs);
    world.outbox.endEpoch('reset', time);
    expect(recordWithheld(world)).toBe(false);
    world.outbox.beginEpoch(new CameraWorld().claim(2, first, { device: world.camera.deviceId }), time);
    expect(recordWithheld(world, true)).toBe(false);
    await play(world, 2);
    const ofNext = world.records().filter(({ epoch }) => epoch === 2);
    expect(ofNext.filter(({ kind }) => kind === 'motion')).toHaveLength(6);
    expect(ofNext.flatMap(({ loss = [] }) => loss)).toEqual([]);
  });

  it.each(['release', 'reset'] as const)('are named in the tombstone of an ownership that ends by %s', async (how) => {
    const environment = { SEALCAM_MOTION_MAX_PER_HOUR: String(PER_HOUR) };
    const { agent } = new TestAgent(tempFolder(), 1, QUIET, undefined, { environment });
    const parts: unknown = Reflect.get(agent, 'parts');
    const recorder: unknown = parts instanceof Object ? Reflect.get(parts, 'recorder') : null;
    if (!(recorder instanceof Recorder)) throw new Error('an agent without its recorder');
    const claim = new CameraWorld().claim(1, null, { device: agent.identity.device });
    agent.outbox.beginEpoch(claim, new CameraWorld().time(0));
    for (let i = 0; i < 5; i++) for (const each of event(1000)) recorder.recordTransition(each);
    await recorder.idle();
    agent.ownership.end(how);
    const named = agent.outbox
      .read({ epoch: 1, seq: 0 }, 10)
      .map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value)
      .flatMap(({ kind, loss = [] }) => (kind === 'tombstone' ? loss : []));
    expect(named).toContainEqual({ reason: 'rate-limit', count: 3 });
    await agent.stop();
  });

  it('do not include events ordered at the console', async () => {
    const world = claimed();
    await play(world, 5);
    for (const transition of event(world.nowMs)) world.recorder.recordTransition(transition, true);
    await world.recorder.idle();
    expect(phases(world)).toHaveLength(9);
  });

  it('are not counted without an owner', async () => {
    const world = new RecorderWorld({ settings });
    await play(world, 9);
    world.claim();
    await play(world, 2);
    expect(world.counters.get('events.withheld')).toBe(0);
    expect(phases(world)).toHaveLength(6);
  });
});

it('signs the summary with the rest of its record', async () => {
  const world = claimed();
  await play(world, 3);
  recordWithheld(world);
  const last = world.outbox.newest();
  const found = last === null ? null : world.outbox.find(last);
  expect(openSigned(recordKind, nodeSuite, found?.bytes ?? new Uint8Array(0)).value.scene?.class).toBe('rate-limit');
});
