import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../common/bytes.js';
import type { SegmentTotals } from '../../../agent/outbox/segments.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { FaultCamera } from '../../campaigns/drill/faults/camera.js';
import { crossedSessions } from '../../campaigns/drill/faults/at-the-page.js';
import { truthOf } from '../../campaigns/drill/faults/believe.js';
import { CLIP_FAULTS } from '../../campaigns/drill/faults/clips.js';
import { crossedViewers } from '../../campaigns/drill/faults/looks.js';
import { runFault, type Fault } from '../../campaigns/drill/faults/fault.js';
import { FaultWorld } from '../../campaigns/drill/faults/world.js';
import { judgeStore } from '../../campaigns/drill/oracle.js';
import { tempFolder } from '../../support/runner/temp.js';

/** Totals of a camera whose bodies all have receipts. */
function filmedIn(count: number): SegmentTotals {
  return { produced: count, receipted: count, queued: 0, lost: 0, queuedBytes: 0 };
}

const nothing: Fault = {
  name: 'nothing',
  by: 'read',
  injections: () => [{ wrong: {}, act: () => Promise.resolve({}) }],
};

/** drill.test.ts runs every fault. These are the controls of its measurements. */
describe('the measure of a fault', () => {
  let world: FaultWorld | null = null;

  async function open(isSealedToAll = false): Promise<FaultWorld> {
    world = await FaultWorld.open(tempFolder(), isSealedToAll);
    return world;
  }

  afterEach(async () => {
    await world?.close();
  });

  it('finds no readable picture where only ciphertext is handed out, and finds one where cameras seal to everybody', async () => {
    const sealed = await runFault(await open(), crossedSessions);
    expect(sealed.handed_out).toBeGreaterThan(0);
    expect(sealed).toMatchObject({ decryptable: 0, alarmed: sealed.injected });
    await world?.close();
    const leaky = await open(true);
    const leaking = await runFault(leaky, crossedSessions);
    expect(leaking.handed_out).toBe(sealed.handed_out);
    // Each household got its neighbour's pictures and segments, and each key record twice: as an object, and as what opens its period.
    const segments = ({ clips }: FaultCamera): number => clips.flatMap((clip) => clip.segments).length;
    const sealedBy = (camera: FaultCamera): number => camera.shots.length + 2 * camera.keys.length + segments(camera);
    const objects = leaky.cameras.reduce((sum, camera) => sum + sealedBy(camera), 0);
    expect(leaking.decryptable).toBe(objects);
  });

  it('shows no viewer what another camera sends, and alarms each; the control believes the relay', async () => {
    const crossed = await runFault(await open(), crossedViewers);
    expect(crossed).toMatchObject({ injected: 10, alarmed: 10, misbound: 0, named: 0, control: { seen: 50 } });
  });

  it('counts no alarm for an action without a fault', async () => {
    expect(await runFault(await open(), nothing)).toMatchObject({ injected: 1, alarmed: 0, misbound: 0, lost: 0 });
  });

  it('counts segments that a page plays in a wrong place, and what a cloud and a page make of a fault that compare nothing', async () => {
    const opened = await open();
    const swapped = CLIP_FAULTS.find(({ name }) => name.endsWith('two segments of a clip swapped'));
    if (swapped === undefined) throw new Error('no such fault');
    const report = await runFault(opened, swapped);
    const { injected } = report;
    expect(report).toMatchObject({ alarmed: injected, misbound: 0, decryptable: 0, lost: 0 });
    expect(report.control).toEqual({ misbound: 2 * injected, seen: 0, missed: 0 });
    const truth = truthOf(opened);
    const [one, other] = opened.cameras[0]?.clips[0]?.segments ?? [];
    if (one === undefined || other === undefined) throw new Error('no clip');
    const own = { place: one.place, bytes: one.content };
    expect(truth.misplaced({ played: [own], named: 0 })).toBe(0);
    expect(truth.misplaced({ played: [own, { ...own, bytes: other.content }], named: 0 })).toBe(1);
  });

  it('counts a segment whose body never came as lost', async () => {
    const opened = await open();
    const camera = opened.camerasWithKeys()[0];
    if (camera === undefined) throw new Error('no camera that films');
    const clip = await opened.film(camera, camera.shot(0));
    for (const record of clip.records) await opened.sendRecord(camera, record);
    expect(await runFault(opened, nothing)).toMatchObject({ lost: clip.segments.length });
  });

  it('counts an event that a camera made and nobody received as lost', async () => {
    const opened = await open();
    const [camera] = opened.cameras;
    if (camera !== undefined) await opened.shoot(camera);
    expect(await runFault(opened, nothing)).toMatchObject({ lost: 1 });
  });
});

describe('the oracle', () => {
  it('counts records of a wrong owner, missing records and pictures, and delayed records', async () => {
    const world = await FaultWorld.open(tempFolder());
    const cameras = world.cameras.map(({ name, records, clips }) => ({
      device: name,
      waiting: [],
      segments: filmedIn(clips.flatMap(({ segments }) => segments).length),
      totals: { produced: records.length, receipted: records.length, queued: 0, quarantined: 0, lost: 0 },
    }));
    const truth = new Map(world.cameras.map(({ name, owner }) => [name, owner.account]));
    const none = new Set<string>();
    const all = cameras.reduce((sum, { totals }) => sum + totals.produced, 0);
    const keys = world.cameras.reduce((sum, camera) => sum + camera.keys.length, 0);
    const zero = { misbound: 0, lost: 0, waiting: 0, delayed: 0, keys_delayed: 0 };
    const segments = cameras.reduce((sum, { segments: { produced } }) => sum + produced, 0);
    expect(segments).toBeGreaterThan(0);
    const clean = { ...zero, records: all, key_records: keys, segments };
    const { store, bodies } = world;
    expect(await judgeStore({ store, bodies }, truth, cameras, none)).toEqual(clean);

    const [first] = world.cameras;
    if (first === undefined) throw new Error('no camera');
    const lie = new Map(truth).set(first.name, world.neighbour(first.owner).account);
    expect(await judgeStore({ store, bodies }, lie, cameras, none)).toEqual({
      ...clean,
      misbound: first.records.length,
    });

    const more = cameras.map((one) => ({ ...one, totals: { ...one.totals, produced: one.totals.produced + 1 } }));
    expect(await judgeStore({ store, bodies }, truth, more, none)).toEqual({ ...clean, lost: cameras.length });

    const empty = { get: () => Promise.resolve(undefined) };
    const noBodies = await judgeStore({ store, bodies: empty }, truth, cameras, none);
    expect(noBodies).toEqual({ ...clean, segments: 0, lost: segments });

    const records = { ...store.records, mediaPresent: () => Promise.resolve([false]) };
    const pictures = world.cameras.reduce((sum, { shots }) => sum + shots.length, 0);
    const gone = await judgeStore({ store: { ...store, records }, bodies }, truth, cameras, none);
    expect(gone.lost).toBeGreaterThanOrEqual(pictures);

    const late = new Set([...first.shots, ...first.keys].map(({ record }) => toHex(nodeSuite.sha256(record.bytes))));
    const delayed = { delayed: late.size, keys_delayed: first.keys.length };
    expect(await judgeStore({ store, bodies }, truth, cameras, late)).toEqual({ ...clean, ...delayed });
    await world.close();
  });
});
