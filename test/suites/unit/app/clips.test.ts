import { beforeAll, describe, expect, it } from 'vitest';
import { ClipLoader } from '../../../../app/core/clip-loader.js';
import { judgeClip, playable, type JudgedClip } from '../../../../app/core/clip-verdict.js';
import { clipsOf, type Clip } from '../../../../app/core/clips.js';
import { HistoryKeeper } from '../../../../app/core/history-keeper.js';
import { Opener } from '../../../../app/core/opener.js';
import { Owner } from '../../../../app/core/owner.js';
import { recipientOf } from '../../../../app/core/owner-keys.js';
import { OwnerSession } from '../../../../app/core/owner-session.js';
import { ReceiptKeyPins } from '../../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../../app/core/storage.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { concat, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { until } from '../../../support/runner/wait.js';
import { beginClip, endClip, film, scenePictures, segmentsOf } from '../../../support/worlds/filmed-clip.js';
import {
  kemKeyOf,
  newPerson,
  SealedCloud,
  SealingCamera,
  type FilmedSegment,
} from '../../../support/worlds/sealing-camera.js';

const keys = newPerson();
let segments: readonly FilmedSegment[] = [];

/** A page over a cloud, with the first clip of its first event. */
async function pageOf(cloud: SealedCloud) {
  const clock = new VirtualClock();
  clock.advance(Date.UTC(2026, 10, 21) + 60_000 - clock.wallMs());
  const storage = new MemoryStorage();
  const { client } = cloud;
  const kemHashOf = (): Promise<Uint8Array> => Promise.resolve(kemHash(nodeSuite, kemKeyOf(keys)));
  const history = new HistoryKeeper(nodeSuite, storage, recipientOf(keys), { kemHash: kemHashOf });
  await history.load();
  const receiptKeys = new ReceiptKeyPins({ suite: nodeSuite, storage, clock, client, ownerKey: keys.signer.publicKey });
  const opener = new Opener({ suite: nodeSuite, keys, clock });
  const owner = new Owner({ suite: nodeSuite, clock, keys, client, history, receiptKeys, opener });
  const session = new OwnerSession({ client, history, clock, random: realRandom });
  await session.refresh();
  const clipNow = (): Clip => {
    const event = session.view().events.find(({ clips }) => clips.length > 0);
    const [clip] = event === undefined ? [] : clipsOf(event);
    if (clip === undefined) throw new Error('no clip');
    return clip;
  };
  const loader = new ClipLoader(
    {
      open: (segment) => owner.openSegment(segment),
      keyStateOf: (segment) => owner.keyStateOfSegment(segment),
      refuse: (...reasons) => {
        session.refusePicture(...reasons);
      },
      clock,
    },
    clipNow(),
  );
  const judged = (): JudgedClip => {
    const { cameras, marks } = session.view();
    return judgeClip(clipNow(), loader.parts(), {
      lastWordMs: cameras[0]?.lastWordMs ?? null,
      marks,
      nowMs: clock.wallMs(),
    });
  };
  return {
    clock,
    session,
    loader,
    clip: clipNow,
    judged,
    alarms: () => session.view().alarms.map(({ verdict, message }) => `${verdict}: ${message}`),
    played: () => playable(loader.parts()).map(({ index }) => index),
    /** Asks the cloud again, as the stream would tell. */
    refresh: async (): Promise<void> => {
      await session.refresh();
      const event = session.view().events.find(({ clips }) => clips.length > 0);
      loader.update(clipNow(), event?.lostSegments ?? []);
    },
    /** Loads until nothing is on its way. */
    load: async (): Promise<void> => {
      loader.start();
      await until('nothing is on its way', () =>
        loader.parts().every(({ state }) => state !== 'asked' && state !== 'named'),
      );
    },
  };
}

async function filmed() {
  const camera = new SealingCamera([keys]);
  const filming = await film(camera, segments);
  return { ...filming, cloud: new SealedCloud(camera) };
}

/** Hex of the hash of each body, by index. */
function hashesOf(clip: Clip): readonly string[] {
  return clip.segments.map((segment) => (segment === null ? '' : toHex(segment.entry[3])));
}

beforeAll(async () => {
  segments = segmentsOf('jpeg', await scenePictures(12));
});

describe("a clip in the owner's page", () => {
  it('is intact once every segment is here, in order, byte by byte as the camera made it', async () => {
    const { cloud } = await filmed();
    const page = await pageOf(cloud);
    expect(page.judged()).toMatchObject({ verdict: 'signed', lengthMs: 12_000, holes: [] });
    expect(page.clip().prerollMs).toBe((segments[1]?.durationMs ?? 0) + (segments[2]?.durationMs ?? 0));
    await page.load();
    expect(page.judged()).toEqual({ verdict: 'intact', lengthMs: 12_000, holes: [] });
    expect(page.loader.playableMs()).toBe(12_000);
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
    const page = await pageOf(new SealedCloud(camera));
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
    const page = await pageOf(cloud);
    const [, , third = ''] = hashesOf(page.clip());
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
});
