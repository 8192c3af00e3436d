import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import { LIMITS } from '../../../../common/limits.js';
import type { Random } from '../../../../common/random.js';
import type { Transition } from '../../../../agent/capture/event-tracker.js';
import { makeThumbnail } from '../../../../agent/capture/jpeg.js';
import { Sealer } from '../../../../agent/record/sealer.js';
import type { Frame } from '../../../../hal/camera.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { claimKind } from '../../../../protocol/objects/claim.js';
import { accountId } from '../../../../protocol/objects/ids.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { storeOf } from '../../../support/outbox-store.js';
import { atOnce, RECORDER_SETTINGS, RecorderWorld } from '../../../support/worlds/recorder-world.js';

function picture(width: number, height: number, noise: boolean): Promise<Buffer> {
  const data = noise ? Buffer.from(realRandom.bytes(width * height * 3)) : Buffer.alloc(width * height * 3, 90);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

const span = { onsetFrame: 9, onsetMs: 900, startFrame: 10, startMs: 1000 };

function start(jpeg: Uint8Array, atMs = 1000): Transition<Frame> {
  const frame: Frame = { index: 10, monotonicMs: atMs, jpeg };
  const box = { left: 0.25, top: 0.25, width: 0.5, height: 0.5 };
  return { type: 'start', span, sighting: { frame, index: 10, timeMs: atMs, area: 0.1, box, zones: ['door'] } };
}

function end(atMs = 2000): Transition<Frame> {
  return { type: 'end', span, sighting: null, reason: 'motion-ended', endFrame: 20, endMs: atMs, peakArea: 0.1 };
}

describe('recorder', () => {
  it('records a picture at the start of an event, and names it at the end', async () => {
    const world = new RecorderWorld();
    world.claim();
    await world.recordTransitions(start(await picture(640, 360, false)), end());
    const [accept, first, last] = world.records();
    expect(accept?.kind).toBe('accept');
    expect(first?.media?.map(({ role }) => role)).toEqual(['thumbnail']);
    expect(last?.event).toMatchObject({ phase: 'end', revision: 1, picture: first?.media?.[0]?.id });
    expect(last?.media?.map(({ role }) => role)).toEqual(['detail']);
  });

  it('makes the picture as small as the broker takes it', async () => {
    const world = new RecorderWorld();
    world.claim();
    const jpeg = await picture(1280, 720, true);
    const size = (): number => world.sealedContents.at(-1)?.jpeg?.length ?? 0;
    await world.recordTransitions(start(jpeg), end());
    const usual = world.records()[1]?.media?.[0]?.length ?? 0;
    world.sealedContents.length = 0;
    world.messageTargetBytes = 10_000;
    await world.recordTransitions(start(jpeg));
    expect(size()).toBeGreaterThan(1024);
    const smaller = world.records()[3]?.media?.[0]?.length ?? 0;
    expect(smaller).toBeLessThan(8300);
    // The control: without a limit it is larger.
    expect(usual).toBeGreaterThan(10_000);
    // Where not even a small one fits, the usual one is made, and waits for a larger limit.
    world.messageTargetBytes = 4000;
    await world.recordTransitions(end(), start(jpeg));
    expect(world.records()[5]?.media?.[0]?.length).toBe(usual);
  });

  it('makes a picture again, smaller, that turned out too large while its event lasts', async () => {
    const world = new RecorderWorld();
    world.claim();
    await world.recordTransitions(start(await picture(1280, 720, true)));
    world.messageTargetBytes = 10_000;
    await world.recordTransitions(end());
    const last = world.records()[2];
    expect(last?.media?.map(({ role }) => role)).toEqual(['thumbnail']);
    expect(last?.media?.[0]?.length).toBeLessThan(8300);
    expect(last?.event?.picture).toBeUndefined();
    // The control: one that fits is not made again.
    await world.recordTransitions(start(await picture(640, 360, false)), end());
    expect(world.records()[4]?.media?.map(({ role }) => role)).toEqual(['detail']);
  });

  it('records nothing without an owner, nor the end of an event that started before there was one', async () => {
    const world = new RecorderWorld();
    await world.recordTransitions(start(await picture(64, 36, false)));
    world.claim();
    await world.recordTransitions(end());
    expect(world.records().map(({ kind }) => kind)).toEqual(['accept']);
    expect(world.counters.get('events.unclaimed')).toBe(1);
  });

  it('ends an event with its claim: the new owner sees nothing of it, and the loss is counted', async () => {
    const world = new RecorderWorld();
    world.claim();
    const first = world.outbox.currentClaim();
    await world.recordTransitions(start(await picture(640, 360, false)));
    world.outbox.endEpoch('release', world.camera.time(1500));
    const nextOwner = new CameraWorld().owner;
    const account = accountId(nodeSuite, nextOwner.publicKey);
    const recipients = [{ x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519: nextOwner.publicKey }];
    const claim = signObject(claimKind, nodeSuite, nextOwner, {
      ...world.camera.claim(2, first?.hash ?? null).value,
      account,
      ownerKey: nextOwner.publicKey,
      recipients,
    });
    world.outbox.beginEpoch(claim, world.camera.time(1500));
    await world.recordTransitions(end());
    const ofNext = world.records().filter(({ epoch }) => epoch === 2);
    expect(ofNext.every(({ kind }) => kind !== 'motion')).toBe(true);
    expect(world.counters.get('events.claim-changed')).toBe(1);
  });

  it.each([
    ['counts what waits as lost when it is given up', true, [], [{ reason: 'failed', count: 2 }]],
    ['counts nothing where nothing waits: the control', false, ['start', 'end'], []],
  ] as const)('%s', async (_, isEarly, phases, losses) => {
    const world = new RecorderWorld();
    world.claim();
    for (const each of [start(await picture(64, 36, false)), end()]) world.recorder.recordTransition(each);
    if (!isEarly) await world.recorder.idle();
    world.recorder.abandon();
    await world.recorder.idle();
    const recorded = world.records().flatMap(({ event }) => (event === undefined ? [] : [event.phase]));
    expect(recorded).toEqual(phases);
    expect(world.outbox.flushLosses(world.camera.time(3000))?.value.loss ?? []).toEqual(losses);
  });

  it('does not record what was being sealed when it was given up: it is counted as lost already', async () => {
    const world = new RecorderWorld();
    world.claim();
    const { sealer } = world.deps;
    const seal = sealer.seal.bind(sealer);
    sealer.seal = async (...args) => {
      const sealed = await seal(...args);
      world.recorder.abandon();
      return sealed;
    };
    await world.recordTransitions(start(await picture(64, 36, false)));
    expect(world.records().map(({ kind }) => kind)).toEqual(['accept']);
    expect(world.outbox.flushLosses(world.camera.time(3000))?.value.loss).toEqual([{ reason: 'failed', count: 1 }]);
  });

  it('keeps a loss that could not be stored, and names it once the disk works again', async () => {
    const world = new RecorderWorld();
    world.claim();
    const store = storeOf(world.outbox);
    const transaction = store.transaction.bind(store);
    store.transaction = () => {
      throw new SealcamError('store-full', 'full');
    };
    await world.recordTransitions(start(await picture(64, 36, false)), end());
    expect(world.recorder.recordWithheld(world.camera.time(3000))).toBe(false);
    store.transaction = transaction;
    for (let i = 0; i < 2; i++) world.recorder.recordWithheld(world.camera.time(4000));
    expect(world.outbox.flushLosses(world.camera.time(5000))?.value.loss).toEqual([{ reason: 'failed', count: 2 }]);
  });

  it('compresses a picture again if it is too large for a seal', async () => {
    const world = new RecorderWorld();
    world.recorder.configure({
      ...RECORDER_SETTINGS,
      thumbnail: { ...RECORDER_SETTINGS.thumbnail, width: 1280, quality: 95 },
    });
    world.claim();
    await world.recordTransitions(start(await picture(1280, 720, true)));
    const media = world.records()[1]?.media?.[0];
    expect(media?.role).toBe('thumbnail');
    expect(media?.length).toBeLessThanOrEqual(LIMITS.sealedMaxBytes);
  });

  it('keeps a picture within its byte budget, decoding it once', async () => {
    const world = new RecorderWorld();
    world.recorder.configure({ ...RECORDER_SETTINGS, thumbnail: { ...RECORDER_SETTINGS.thumbnail, maxBytes: 6000 } });
    world.claim();
    const noisy = await picture(640, 360, true);
    expect((await makeThumbnail(noisy, 320, 75, [])).jpeg.length).toBeGreaterThan(6000);
    await world.recordTransitions(start(noisy));
    await world.recordTransitions(end());
    expect(world.sealedContents[0]?.jpeg?.length).toBeLessThanOrEqual(6000);
    expect(world.counters.get('pictures.decoded')).toBe(1);
  });

  it.each([
    ['none', [0.25, 0.25, 0.5, 0.5]],
    // The subject takes half of each side and is centred in a crop of 0.5 / 0.55.
    ['subject', [0.225, 0.225, 0.55, 0.55]],
  ] as const)('seals a box that fits the cropped picture: crop %s', async (crop, box) => {
    const world = new RecorderWorld();
    world.recorder.configure({ ...RECORDER_SETTINGS, thumbnail: { ...RECORDER_SETTINGS.thumbnail, crop } });
    world.claim();
    // Black but for the subject.
    const { data } = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#000' } })
      .composite([
        { input: { create: { width: 320, height: 180, channels: 3, background: '#fff' } }, left: 160, top: 90 },
      ])
      .jpeg()
      .toBuffer({ resolveWithObject: true });
    await world.recordTransitions(start(data));
    const [sealed] = world.sealedContents;
    const shown = sealed?.detail.box?.map((value) => value / 65_535) ?? [];
    for (const [i, value] of box.entries()) expect(shown[i]).toBeCloseTo(value, 2);
    // The subject fills the box, and no part of it is outside.
    const { data: grey, info } = await sharp(sealed?.jpeg ?? new Uint8Array(0))
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(sealed?.detail.size).toEqual([info.width, info.height]);
    const [left = 0, top = 0, width = 0, height = 0] = shown;
    const bright = [...grey].flatMap((value, i) => (value > 128 ? [[i % info.width, Math.floor(i / info.width)]] : []));
    const range = (axis: 0 | 1, pixels: number): number[] => {
      const all = bright.map((at) => at[axis] ?? 0);
      return [Math.min(...all) / pixels, (Math.max(...all) + 1) / pixels];
    };
    for (const [seen, [from, to]] of [
      [range(0, info.width), [left, left + width]],
      [range(1, info.height), [top, top + height]],
    ] as const) {
      expect(seen[0]).toBeCloseTo(from, 1);
      expect(seen[1]).toBeCloseTo(to, 1);
    }
  });

  it('counts a picture that cannot be decoded, and keeps the event', async () => {
    const world = new RecorderWorld();
    world.claim();
    await world.recordTransitions(start(Uint8Array.of(0xff, 0xd8, 1, 2, 3)));
    expect(world.records()[1]?.media?.map(({ role }) => role)).toEqual(['detail']);
    expect(world.counters.get('frames.corrupt')).toBe(1);
  });

  it('seals nothing while the random source repeats itself', async () => {
    const stuck: Random = { bytes: (length) => new Uint8Array(length).fill(7), uniform: () => 0.5 };
    const world = new RecorderWorld({ random: stuck });
    world.claim();
    await world.recordTransitions(start(await picture(64, 36, false)));
    expect(world.records().map(({ kind }) => kind)).not.toContain('motion');
    expect(world.counters.get('recorder.randomness-repeats')).toBe(1);
    const sealer = new Sealer(nodeSuite, stuck, atOnce);
    const content = { detail: { reason: 'motion' as const, area: 1, startedMs: 0 }, jpeg: null };
    expect(await asyncCodeOf(() => sealer.seal(world.camera.claim(), realRandom.bytes(16), 'detail', content))).toBe(
      'randomness-repeats',
    );
    // The control: a source that does not repeat itself seals.
    const good = new Sealer(nodeSuite, realRandom, atOnce);
    const { media } = await good.seal(world.camera.claim(), realRandom.bytes(16), 'detail', content);
    expect(media.role).toBe('detail');
  });

  it('yields after each recipient and after the body', async () => {
    const world = new RecorderWorld();
    let turns = 0;
    const sealer = new Sealer(nodeSuite, realRandom, () => Promise.resolve(turns++));
    const content = { detail: { reason: 'motion' as const, area: 1, startedMs: 0 }, jpeg: null };
    const claim = world.camera.claim();
    await sealer.seal(claim, realRandom.bytes(16), 'detail', content);
    expect(turns).toBe(claim.value.recipients.length + 1);
  });
});
