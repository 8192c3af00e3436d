import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import type { Transition } from '../../../../agent/capture/event-tracker.js';
import type { RecorderSettings } from '../../../../agent/record/recorder.js';
import { miniRoom } from '../../../../agent/record/sealer.js';
import type { Frame } from '../../../../hal/camera.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { AnyRecord } from '../../../../protocol/objects/record.js';
import { decodeContent, encodeContent, type SealedDetail } from '../../../../protocol/seal/content.js';
import { decodeObjectHeader, MINI_CONTENT_MAX_BYTES, PERIOD_OBJECTS_MAX } from '../../../../protocol/seal/object.js';
import { Period } from '../../../../protocol/seal/period.js';
import { encodeCbor } from '../../../../protocol/wire/cbor.js';
import { CameraV2 } from '../../../support/worlds/camera-v2.js';
import { brightest, LEFT, striped } from '../../../support/pictures.js';
import { PeriodWorld } from '../../../support/worlds/period-world.js';
import { RECORDER_SETTINGS, RecorderWorld } from '../../../support/worlds/recorder-world.js';

const MINI_BODY_BYTES = 2560 + 16;
/** What a push service lets through, less what encrypts it. */
const PUSH_MAX_BYTES = 3900;

const span = { onsetFrame: 9, onsetMs: 900, startFrame: 10, startMs: 1000 };

function event(jpeg: Uint8Array): Transition<Frame>[] {
  const frame: Frame = { index: 10, monotonicMs: 1000, jpeg };
  const box = { left: 0.25, top: 0.25, width: 0.5, height: 0.5 };
  const sighting = { frame, index: 10, timeMs: 1000, area: 0.1, box, zones: ['door'] };
  const end = { reason: 'motion-ended', endFrame: 20, endMs: 2000, peakArea: 0.1 } as const;
  return [
    { type: 'start', span, sighting },
    { type: 'update', span, sighting },
    { type: 'end', span, sighting, ...end },
  ];
}

/** A picture in which every pixel differs from its neighbours; `grain` pixels side by side are alike. */
async function noisy(width: number, height: number, grain: number): Promise<Uint8Array> {
  const { uniform } = seededRandom(5);
  const [across, down] = [Math.ceil(width / grain), Math.ceil(height / grain)];
  const data = Buffer.from(Array.from({ length: across * down * 3 }, () => Math.floor(uniform() * 256)));
  const large = sharp(data, { raw: { width: across, height: down, channels: 3 } });
  return large.resize({ width, height, fit: 'fill', kernel: 'nearest' }).jpeg({ quality: 90 }).toBuffer();
}

async function recorded(
  jpeg: Uint8Array,
  { world = new PeriodWorld(), settings = RECORDER_SETTINGS, brokerBytes = null as number | null } = {},
): Promise<{ readonly world: PeriodWorld; readonly motions: AnyRecord[] }> {
  if (!world.sealer.isReady(world.claim)) await world.start();
  const recorder = world.recorder(settings, brokerBytes);
  for (const transition of event(jpeg)) recorder.recordTransition(transition);
  await recorder.idle();
  const motions = world.records().flatMap(({ value }) => (value.kind === 'motion' ? [value] : []));
  return { world, motions };
}

const roles = ({ media = [] }: AnyRecord): string[] => media.map(({ role }) => role);
const withThumbnail = (change: Partial<RecorderSettings['thumbnail']>): RecorderSettings => ({
  ...RECORDER_SETTINGS,
  thumbnail: { ...RECORDER_SETTINGS.thumbnail, ...change },
});

async function minisOf(world: PeriodWorld): Promise<ReturnType<typeof decodeContent>[]> {
  const sights = await world.openedSights();
  return sights.flatMap(({ role, content }) => (role === 'mini' && content !== null ? [decodeContent(content)] : []));
}

describe('a mini picture', () => {
  it('stands beside the picture of an event that starts, and beside no other; it is sealed with the index that follows', async () => {
    const { world, motions } = await recorded(await striped(640, 360));
    expect(motions.map(roles)).toEqual([['thumbnail', 'mini'], ['thumbnail'], ['thumbnail']]);
    expect(motions[0]?.media?.[1]?.length).toBe(MINI_BODY_BYTES);
    const [start] = world.outbox.read({ epoch: 1, seq: 1 }, 1);
    const indexes = start?.media.map((sealed) => decodeObjectHeader(sealed?.header ?? new Uint8Array(0)).index);
    expect(indexes).toEqual([0, 1]);
    const [mini] = await minisOf(world);
    const sights = await world.openedSights();
    const thumbnail = decodeContent(sights.find(({ role }) => role === 'thumbnail')?.content ?? new Uint8Array(0));
    expect(thumbnail.detail).toMatchObject({ size: [320, 180], zones: ['door'] });
    expect(mini?.detail).toEqual({ ...thumbnail.detail, size: [160, 90] });
    expect((await brightest(mini?.jpeg ?? new Uint8Array(0)))[2]).toBe('160x90');
    expect(world.counters.get('pictures.decoded')).toBe(3);
    expect(world.counters.get('pictures.mini-left-out')).toBe(0);
  });

  it('does not exist in version 1, nor where the setting says so', async () => {
    const first = new RecorderWorld();
    first.claim();
    await first.recordTransitions(...event(await striped(640, 360)));
    const ofVersion1 = first.records().filter(({ kind }) => kind === 'motion');
    expect(ofVersion1.map(roles)).toEqual([['thumbnail'], ['thumbnail'], ['thumbnail']]);
    const off = await recorded(await striped(640, 360), { settings: withThumbnail({ mini: false }) });
    expect(off.motions.map(roles)).toEqual([['thumbnail'], ['thumbnail'], ['thumbnail']]);
    expect([first.counters, off.world.counters].map((all) => all.get('pictures.mini-left-out'))).toEqual([0, 0]);
  });

  it('is black under the masks, and shows the part of the view that the picture shows', async () => {
    const jpeg = await striped(640, 360);
    const halves = async (settings: RecorderSettings): Promise<(string | number)[]> => {
      const [mini] = await minisOf((await recorded(jpeg, { settings })).world);
      return brightest(mini?.jpeg ?? new Uint8Array(0));
    };
    const [left, right] = await halves(withThumbnail({ masks: [LEFT] }));
    expect([Number(left) < 40, Number(right) > 200]).toEqual([true, true]);
    // The control: without the mask both halves are bright.
    const [unmasked] = await halves(RECORDER_SETTINGS);
    expect(unmasked).toBeGreaterThan(200);
    const { world } = await recorded(jpeg, { settings: withThumbnail({ crop: 'subject' }) });
    const sights = await world.openedSights();
    const boxes = sights.flatMap(({ seq, content }) =>
      seq === 2 && content ? [decodeContent(content).detail.box] : [],
    );
    expect(boxes).toHaveLength(2);
    expect(boxes[0]).toEqual(boxes[1]);
  });

  it('loses quality and then width until it fits; where nothing fits it is left out and counted, and the event stays', async () => {
    const fits = await recorded(await noisy(640, 360, 16));
    const [mini] = await minisOf(fits.world);
    expect(mini?.jpeg?.length).toBeGreaterThan(500);
    const small = await recorded(await noisy(640, 360, 4));
    const [narrow] = await minisOf(small.world);
    expect(narrow?.detail.size?.[0]).toBeLessThan(160);
    const tall = await recorded(await noisy(320, 3200, 2));
    expect(tall.motions.map(roles)).toEqual([['thumbnail'], ['thumbnail'], ['thumbnail']]);
    expect(tall.world.counters.get('pictures.mini-left-out')).toBe(1);
  });

  it.each([
    ['stays away where the broker has no room for both, which costs the picture nothing', 8000, ['thumbnail'], 1],
    ['comes where it has room: the control', 12_000, ['thumbnail', 'mini'], 0],
  ])('%s', async (_, brokerBytes, expected, leftOut) => {
    const jpeg = await striped(640, 360);
    const { world, motions } = await recorded(jpeg, { brokerBytes });
    const without = await recorded(jpeg, { brokerBytes, settings: withThumbnail({ mini: false }) });
    expect(roles(motions[0] ?? expect.fail('no record'))).toEqual(expected);
    expect(motions[0]?.media?.[0]?.length).toBe(without.motions[0]?.media?.[0]?.length);
    expect(world.counters.get('pictures.mini-left-out')).toBe(leftOut);
  });

  it('is left out with the last index of a period, which its picture has: the event does not wait', async () => {
    const world = new PeriodWorld();
    await world.start();
    const period = await world.keeper.ready(world.claim);
    const place = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'detail' } as const;
    while ((period?.taken ?? 0) < PERIOD_OBJECTS_MAX - 1) period?.seal(place, new Uint8Array(4));
    world.wrap = () => Promise.reject(new SealcamError('period-unavailable', 'no other period'));
    const [start] = event(await striped(640, 360));
    const recorder = world.recorder();
    recorder.recordTransition(start ?? expect.fail('no start'));
    await recorder.idle();
    expect(world.records().map(({ value }) => roles(value))).toEqual([[], ['key'], ['thumbnail']]);
    expect(world.counters.get('pictures.mini-left-out')).toBe(1);
  });

  it('is given up with its picture when the outbox is full, and a signed loss names both', async () => {
    const world = new PeriodWorld({ maxBytes: 60_000 });
    const jpeg = await noisy(640, 360, 8);
    const { motions } = await recorded(jpeg, { world });
    for (let i = 0; i < 4; i++) await recorded(jpeg, { world });
    const ids = motions[0]?.media?.map(({ id }) => id) ?? [];
    expect(ids).toHaveLength(2);
    const lost = world.outbox.flushLosses(world.time())?.value.loss?.flatMap(({ media = [] }) => media) ?? [];
    for (const id of ids) expect(lost).toContainEqual(id);
    const [start] = world.outbox.read({ epoch: 1, seq: 1 }, 1);
    expect(start?.media).toEqual([null, null]);
  });
});

describe('the room of a mini picture', () => {
  const longest: SealedDetail = {
    box: [65_535, 65_535, 65_535, 65_535],
    zones: Array.from({ length: 8 }, (_, i) => String(i).repeat(32)),
    area: 1000,
    reason: 'x'.repeat(64),
    startedMs: Number.MAX_SAFE_INTEGER,
    endedMs: Number.MAX_SAFE_INTEGER,
  };

  it.each([
    ['the longest detail', longest],
    ['the shortest', {}],
  ])('beside %s fills its object, and one byte more does not fit', (_, detail) => {
    const content = (bytes: number): Uint8Array =>
      encodeContent({ detail: { ...detail, size: [65_535, 65_535] }, jpeg: new Uint8Array(bytes) });
    expect(content(miniRoom(detail))).toHaveLength(MINI_CONTENT_MAX_BYTES);
    expect(miniRoom(detail)).toBeGreaterThan(2000);
  });

  it('leaves record, header and body within a push, also for eight recipients and the longest numbers', () => {
    const camera = new CameraV2();
    const highest = Number.MAX_SAFE_INTEGER;
    const [recipient] = camera.claim().value.recipients;
    if (recipient === undefined) expect.fail('a claim without recipients');
    const more = Array.from({ length: 7 }, () => ({
      ed25519: realRandom.bytes(32),
      kem: realRandom.bytes(32),
      role: 'member' as const,
    }));
    const claim = camera.claim(highest, realRandom.bytes(32), { recipients: [recipient, ...more] });
    const { device, account, epoch } = claim.value;
    const periodId = realRandom.bytes(16);
    const period = new Period(
      nodeSuite,
      { device, account, epoch, claimHash: claim.hash, periodId },
      realRandom.bytes(32),
    );
    const place = { eventId: realRandom.bytes(16), mediaId: realRandom.bytes(16), role: 'mini' } as const;
    while (period.taken < PERIOD_OBJECTS_MAX - 1) period.seal(place, new Uint8Array(4));
    const jpeg = new Uint8Array(miniRoom(longest));
    const { header, body } = period.seal(
      place,
      encodeContent({ detail: { ...longest, size: [65_535, 65_535] }, jpeg }),
    );
    const named = (role: 'thumbnail' | 'mini', length: number) => ({
      id: realRandom.bytes(16),
      role,
      length,
      bodyHash: realRandom.bytes(32),
      headerHash: realRandom.bytes(32),
    });
    const { bytes } = camera.world.recordV2(claim, highest, realRandom.bytes(32), {
      kind: 'motion',
      event: { id: place.eventId, phase: 'start', revision: 0, picture: realRandom.bytes(16) },
      time: { boot: realRandom.bytes(16), monotonicMs: highest, wallMs: highest, quality: 'ntp' },
      media: [named('thumbnail', 96 * 1024), named('mini', body.length)],
    });
    expect(encodeCbor([1, bytes, header, body]).length).toBeLessThanOrEqual(PUSH_MAX_BYTES);
    expect(encodeCbor([1, bytes, header, body]).length).toBeGreaterThan(3000);
  });
});
