import { beforeAll, describe, expect, it } from 'vitest';
import { readFragment, readInitialisation } from '../../../../app/core/fragments.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { concat, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { codeOf } from '../../../support/codes.js';
import { until } from '../../../support/runner/wait.js';
import { CLIP_LIES, lyingCloud, LIED_INDEX } from '../../../support/worlds/clip-lies.js';
import { ClipPage } from '../../../support/worlds/clip-page.js';
import { HEALTH } from '../../../support/worlds/cloud-world.js';
import { beginClip, endClip, film, scenePictures, segmentsOf } from '../../../support/worlds/filmed-clip.js';
import { newPerson, SealedCloud, SealingCamera, type FilmedSegment } from '../../../support/worlds/sealing-camera.js';

const keys = newPerson();
const DAY_MS = 86_400_000;
const CLIP_MS = 12_000;
const drained = { kind: 'health', health: { ...HEALTH, memoryBytes: 1, restarts: 0, light: false } } as const;
let segments: readonly FilmedSegment[] = [];

async function filmed() {
  const camera = new SealingCamera([keys]);
  const filming = await film(camera, segments);
  return { ...filming, cloud: new SealedCloud(camera) };
}

/** When a segment plays. */
function spanOf(index: number): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = segments.slice(0, index).reduce((sum, { durationMs }) => sum + durationMs, 0);
  return { fromMs, toMs: fromMs + (segments[index]?.durationMs ?? 0) };
}

beforeAll(async () => {
  segments = segmentsOf('jpeg', await scenePictures(CLIP_MS / 1000));
});

describe("a clip in the owner's page", () => {
  it('is intact once every segment is here, in order, byte by byte as the camera made it', async () => {
    const { cloud } = await filmed();
    const page = await ClipPage.open(keys, cloud);
    expect(page.judged()).toMatchObject({ verdict: 'signed', lengthMs: CLIP_MS, holes: [] });
    expect(page.clip().prerollMs).toBe((segments[1]?.durationMs ?? 0) + (segments[2]?.durationMs ?? 0));
    await page.load();
    expect(page.judged()).toEqual({ verdict: 'intact', lengthMs: CLIP_MS, holes: [] });
    expect(page.loader.playableMs()).toBe(CLIP_MS);
    expect(page.loader.form).toEqual({ codec: 'jpeg', type: 'video/quicktime', width: 640, height: 360 });
    const played = concat(...page.loader.parts().map(({ bytes }) => bytes ?? new Uint8Array(0)));
    expect(toHex(nodeSuite.sha256(played))).toBe(
      toHex(nodeSuite.sha256(concat(...segments.map(({ bytes }) => bytes)))),
    );
    expect(page.alarms()).toEqual([]);
  });

  it('plays while it grows, and is still coming until its end is signed', async () => {
    const camera = new SealingCamera([keys]);
    const filming = await beginClip(camera, segments);
    const page = await ClipPage.open(keys, new SealedCloud(camera));
    await page.load();
    expect(page.judged().verdict).toBe('coming');
    const before = page.loader.playableMs();
    expect(before).toBe(page.clip().prerollMs);
    endClip(filming, segments.slice(3));
    await page.refresh();
    await until('all is here', () => page.judged().verdict === 'intact');
    expect(page.loader.playableMs()).toBeGreaterThan(before);
  });

  it('waits for a body that has not come, and plays what is before it', async () => {
    const { cloud } = await filmed();
    const page = await ClipPage.open(keys, cloud);
    const third = toHex(page.clip().segments[2]?.entry[3] ?? new Uint8Array(0));
    const all = cloud.segmentOf;
    cloud.segmentOf = (hash) => (hash === third ? null : all(hash));
    await page.load();
    expect(page.judged().verdict).toBe('coming');
    expect(page.loader.playableMs()).toBe(segments[1]?.durationMs);
    cloud.segmentOf = all;
    page.clock.advance(60_000);
    await until('it is here', () => page.judged().verdict === 'intact');
    expect(page.alarms()).toEqual([]);
  });

  it.each(CLIP_LIES)(
    'that the cloud %s: plays everything else, and says what is missing; the control is honest',
    async (lie) => {
      const [lied, honest] = await Promise.all(
        [lie, null].map(async (what) => {
          const page = await ClipPage.open(keys, await lyingCloud(new SealingCamera([keys]), segments, what));
          await page.load();
          return { played: page.played(), ...page.judged(), alarms: page.alarms().length, page };
        }),
      );
      const all = segments.map(({ index }) => index);
      expect(honest).toMatchObject({ played: all, verdict: 'intact', holes: [], alarms: 0 });
      const gone = {
        crossed: [LIED_INDEX],
        repeated: [LIED_INDEX],
        cut: [LIED_INDEX],
        longer: [LIED_INDEX],
        altered: [LIED_INDEX],
        swapped: [LIED_INDEX, LIED_INDEX + 1],
        dropped: [LIED_INDEX],
        hidden: [LIED_INDEX - 1, LIED_INDEX],
      }[lie];
      expect(lied?.played).toEqual(all.filter((index) => !gone.includes(index)));
      const verdict = lie === 'dropped' ? 'coming' : lie === 'hidden' ? 'missing' : 'refused';
      expect(lied).toMatchObject({ verdict, alarms: { dropped: 0, hidden: 1 }[lie as string] ?? gone.length });
      const [hole] = lied?.holes ?? [];
      expect(hole).toMatchObject({ fromMs: spanOf(gone[0] ?? 0).fromMs, why: verdict });
      // Nobody knows how long a part is that no record names.
      expect(hole?.toMs).toBe(lie === 'hidden' ? null : spanOf(gone.at(-1) ?? 0).toMs);
    },
  );

  it('does not play a segment that was sealed for another place, though the record names its very hash', async () => {
    for (const sealedFor of [{ eventId: realRandom.bytes(16) }, { mediaId: realRandom.bytes(16) }, {}]) {
      const camera = new SealingCamera([keys]);
      const filming = await beginClip(camera, segments);
      camera.addClip(filming.period, filming.eventId, 'more', segments.slice(3, 4), sealedFor);
      endClip(filming, segments.slice(4));
      const page = await ClipPage.open(keys, new SealedCloud(camera));
      await page.load();
      const isHonest = Object.keys(sealedFor).length === 0;
      expect(page.played().includes(3)).toBe(isHonest);
      expect(page.judged().verdict).toBe(isHonest ? 'intact' : 'refused');
      expect(page.alarms()).toHaveLength(isHonest ? 0 : 1);
    }
  });

  it('does not play what is no fragment, and nothing without an initialisation', async () => {
    const [first, ...rest] = segments;
    const [second] = rest;
    if (first === undefined || second === undefined) throw new Error('no segments');
    const camera = new SealingCamera([keys]);
    await film(camera, [{ ...first, bytes: second.bytes }, ...rest]);
    const page = await ClipPage.open(keys, new SealedCloud(camera));
    await page.load();
    expect(page.played()).toEqual([]);
    expect(page.judged().verdict).toBe('refused');
    for (const { bytes } of [first, second]) {
      for (let length = 0; length < bytes.length; length += Math.max(1, length >> 3)) {
        const read = length < bytes.length && bytes === first.bytes ? readInitialisation : readFragment;
        expect(codeOf(() => read(bytes.subarray(0, length)))).toBe('malformed');
      }
    }
  });

  it('says that parts are lost where the camera signed it, also of those that it never asked for', async () => {
    const { camera, cloud } = await filmed();
    const page = await ClipPage.open(keys, cloud);
    const lost = page.clip().segments[LIED_INDEX]?.entry[1];
    if (lost === undefined) throw new Error('no such segment');
    cloud.segmentOf = () => null;
    camera.add({ kind: 'gap', loss: [{ reason: 'full', media: [lost] }] });
    await page.refresh();
    expect(page.judged()).toMatchObject({ verdict: 'lost', holes: [{ ...spanOf(LIED_INDEX), why: 'lost' }] });
    cloud.segmentOf = (hash) => camera.segments.get(hash) ?? null;
    await page.load();
    expect(page.played()).not.toContain(LIED_INDEX);
    expect(page.alarms()).toEqual([]);
  });

  it('says after a day that a body is missing, and asks no more', async () => {
    const { cloud } = await filmed();
    const page = await ClipPage.open(keys, cloud);
    cloud.segmentOf = () => null;
    page.clock.advance(DAY_MS);
    await page.load();
    expect(page.judged().verdict).toBe('missing');
  });

  it('is cut off where the camera went on or fell silent, and still coming before, or while a record may come', async () => {
    const camera = new SealingCamera([keys]);
    await beginClip(camera, segments);
    const lastSeq = camera.records.length - 1;
    const cloud = new SealedCloud(camera);
    const page = await ClipPage.open(keys, cloud);
    await page.load();
    expect(page.judged()).toMatchObject({ verdict: 'coming', lengthMs: page.clip().prerollMs });
    // The camera's records are a second apart.
    for (let i = 0; i < 16; i++) camera.add({ kind: 'scene', scene: { class: 'stall' } });
    cloud.hides = ({ seq }) => seq === lastSeq + 1;
    await page.refresh();
    expect(page.judged().verdict).toBe('coming');
    cloud.hides = () => false;
    await page.refresh();
    expect(page.judged()).toMatchObject({ verdict: 'cut-off', holes: [] });
    expect(page.alarms()).toEqual([]);

    const silent = new SealingCamera([keys]);
    await beginClip(silent, segments);
    const other = await ClipPage.open(keys, new SealedCloud(silent));
    expect(other.judged().verdict).toBe('coming');
    other.clock.advance(100_000);
    expect(other.judged().verdict).toBe('cut-off');
  });

  it('is not whole where the cloud holds back the last record that names segments', async () => {
    const camera = new SealingCamera([keys]);
    const { period, eventId } = await beginClip(camera, segments);
    const { seq } = camera.addClip(period, eventId, 'more', segments.slice(3)).value;
    camera.addClip(period, eventId, 'end', []);
    camera.add(drained);
    const cloud = new SealedCloud(camera);
    const honest = await ClipPage.open(keys, cloud);
    await honest.load();
    expect(honest.judged().verdict).toBe('intact');
    cloud.hides = (record) => record.seq === seq;
    const page = await ClipPage.open(keys, cloud);
    await page.load();
    expect(page.judged()).toMatchObject({ verdict: 'missing', holes: [{ toMs: null, why: 'missing' }] });
  });

  it('plays nothing any longer once there are two key records of its period', async () => {
    const { camera, period, cloud } = await filmed();
    const page = await ClipPage.open(keys, cloud);
    await page.load();
    expect(page.judged().verdict).toBe('intact');
    const other = await camera.begin();
    camera.addKey({ keyRecord: { ...other.keyRecord, periodId: period.keyRecord.periodId } });
    await page.refresh();
    expect(page.played()).toEqual([]);
    expect(page.judged().verdict).toBe('refused');
  });
});
