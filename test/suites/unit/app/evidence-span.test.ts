import { beforeAll, describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../../app/core/event-evidence.js';
import type { EvidenceDependencies } from '../../../../app/core/evidence-records.js';
import { spanEvidence, type SpanFile, type SpanProgress } from '../../../../app/core/evidence-span.js';
import { concat, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { checkFile } from '../../../../protocol/evidence/span.js';
import { statementsOf } from '../../../../protocol/evidence/statements.js';
import { verifyEvidence } from '../../../../protocol/evidence/verify.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { lyingCloud } from '../../../support/worlds/clip-lies.js';
import { ClipPage } from '../../../support/worlds/clip-page.js';
import { scenePictures, segmentsOf } from '../../../support/worlds/filmed-clip.js';
import {
  newPerson,
  SealingCamera,
  type FilmedSegment,
  type SealedCloud,
} from '../../../support/worlds/sealing-camera.js';

const keys = newPerson();
let segments: readonly FilmedSegment[] = [];
let cloud: SealedCloud;
let page: ClipPage;
let deps: EvidenceDependencies;

beforeAll(async () => {
  segments = segmentsOf('jpeg', await scenePictures(12));
  // Two events with clips.
  cloud = await lyingCloud(new SealingCamera([keys]), segments, null);
  page = await ClipPage.open(keys, cloud);
  const { owner, history } = page;
  deps = { suite: nodeSuite, client: cloud.client, history, owner };
});

function span(
  change: { readonly fromMs?: number; readonly toMs?: number; readonly device?: string } = {},
  onProgress: (progress: SpanProgress) => void = () => undefined,
  signal = new AbortController().signal,
): Promise<SpanFile | null> {
  const device = toHex(cloud.world.deviceId);
  return spanEvidence(deps, { device, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, ...change }, onProgress, signal);
}

async function checked(made: Promise<SpanFile | null>): Promise<ReturnType<typeof checkFile>> {
  return checkFile(nodeSuite, concat(...((await made)?.parts ?? [])));
}

describe('the receipts in the evidence that a page makes', () => {
  const proofs = async (): Promise<string> =>
    statementsOf(verifyEvidence(nodeSuite, await evidenceOf(deps, page.event()))).proves.join('\n');

  it('are those of the cloud, and say so; without them the file says nothing of a cloud', async () => {
    expect(await proofs()).toContain('signed that it stored some of this');
    cloud.receiptsOf = () => [];
    expect(await proofs()).not.toContain('signed that it stored');
  });

  it('are refused where another cloud signed them, and where they are of another claim or another record', async () => {
    const { claim, records, world } = cloud.sealing;
    const { seq } = page.event().records[0]?.record.value ?? { seq: 0 };
    const [own, other] = [records[seq]?.hash, records[seq + 1]?.hash] as [Uint8Array, Uint8Array];
    const stranger = new CameraWorld({ owner: world.owner });
    const lies = [
      stranger.receipt(claim, [[seq, seq, own]]),
      world.receipt(world.claimV2(2, claim.hash), [[seq, seq, own]]),
      world.receipt(claim, [[seq, seq, other]]),
    ];
    for (const { bytes } of lies) {
      cloud.receiptsOf = () => [bytes];
      expect(await asyncCodeOf(() => evidenceOf(deps, page.event()))).toBe('cloud-lied');
    }
    cloud.receiptsOf = () => [Uint8Array.of(0)];
    expect(await asyncCodeOf(() => evidenceOf(deps, page.event()))).toBe('cloud-lied');
    // The control.
    cloud.receiptsOf = () => [world.receipt(claim, [[seq, seq, own]]).bytes];
    expect(await proofs()).toContain('signed that it stored some of this');
    cloud.receiptsOf = (from, to) => cloud.trueReceipts(from, to);
  });
});

describe('a span that a page makes', () => {
  it('holds every event of the time with its clip, in order, and opens without a key of the household', async () => {
    const seen: SpanProgress[] = [];
    const { isSpan, events } = await checked(span({}, (progress) => seen.push(progress)));
    const parts = events.map((event) => (event.type === 'good' ? event.evidence.clipParts.length : event.error.code));
    expect([isSpan, parts]).toEqual([true, [segments.length, segments.length]]);
    expect(seen.filter(({ type }) => type === 'making')).toEqual([
      { type: 'making', done: 0, total: 2 },
      { type: 'making', done: 1, total: 2 },
    ]);
    expect(seen[0]?.type).toBe('finding');
  });

  it('holds those alone that began in the time, both ends included, of this camera', async () => {
    const times = cloud.sealing.records.filter(({ value }) => value.event?.phase === 'start');
    const [first = 0, second = 0] = times.map(({ value }) => value.time.wallMs ?? 0);
    const count = async (fromMs: number, toMs: number): Promise<number> =>
      (await checked(span({ fromMs, toMs }))).events.length;
    expect(first).toBeLessThan(second);
    expect(await count(first, second)).toBe(2);
    expect(await count(first, second - 1)).toBe(1);
    expect(await count(first + 1, second)).toBe(1);
    expect(await asyncCodeOf(() => span({ fromMs: second + 1 }))).toBe('not-found');
    expect(await asyncCodeOf(() => span({ device: '00'.repeat(32) }))).toBe('not-found');
  });

  it('says which events are left out because records of them are missing', async () => {
    const last = cloud.sealing.records.findLast(({ value }) => value.kind === 'clip')?.value.seq;
    cloud.hides = ({ seq }) => seq === last;
    const made = await span();
    expect([made?.events, made?.leftOut.map(({ code }) => code)]).toEqual([1, ['evidence-incomplete']]);
    cloud.hides = ({ kind }) => kind === 'clip';
    expect(await asyncCodeOf(() => span())).toBe('evidence-incomplete');
    cloud.hides = () => false;
    expect((await span())?.leftOut).toEqual([]);
  });

  it('stops when it is cancelled, and gives nothing out', async () => {
    for (const when of ['finding', 'making'] as const) {
      const cancel = new AbortController();
      const seen: string[] = [];
      const stop = ({ type }: SpanProgress): void => {
        seen.push(type);
        if (type === when) cancel.abort();
      };
      expect(await span({}, stop, cancel.signal)).toBeNull();
      expect(seen.filter((type) => type === when)).toHaveLength(1);
    }
  });

  it('ends whole where the cloud lied', async () => {
    const { segmentOf } = cloud;
    cloud.segmentOf = (hash) => segmentOf(hash)?.slice(1) ?? null;
    expect(await asyncCodeOf(() => span())).toBe('cloud-lied');
    cloud.segmentOf = segmentOf;
  });
});
