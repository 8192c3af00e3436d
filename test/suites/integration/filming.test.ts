import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { concat, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClipSegment } from '../../../protocol/objects/clip.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { embedded } from '../../support/engines/brokers.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { cloudOf, openIn, openPeriods, type Seen } from '../../support/worlds/seen-cloud.js';
import type { TestAgent } from '../../support/worlds/test-agent.js';
import { TestConsole } from '../../support/worlds/test-console.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

let way: WholeWay;
const owner = new CameraWorld();

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

interface SeenClip {
  readonly event: string;
  readonly records: readonly Verified<AnyRecord>[];
  readonly isEnded: boolean;
}

function clipsIn({ sent }: Seen): SeenClip[] {
  const byName = new Map<string, Verified<AnyRecord>[]>();
  for (const { record } of sent) {
    const { clip } = record.value;
    if (clip === undefined) continue;
    const name = `${toHex(clip.eventId)}/${String(clip.number)}`;
    byName.set(name, [...(byName.get(name) ?? []), record]);
  }
  return [...byName].map(([name, records]) => {
    records.sort((a, b) => a.value.seq - b.value.seq);
    return { event: name.split('/')[0] ?? '', records, isEnded: records.at(-1)?.value.clip?.phase === 'end' };
  });
}

/** Opens a clip as its owner does, and plays it as one file. Returns its length and its pictures. */
async function played({ agent }: TestAgent, seen: Seen, { records }: SeenClip): Promise<[number, number]> {
  const periods = await openPeriods(owner, seen);
  const bodies = new Map(agent.outbox.segmentsToSend(1000).map((body) => [toHex(body.bodyHash), body]));
  const parts: Uint8Array[] = [];
  for (const { value } of records) {
    const { device, account, epoch, claimHash, clip } = value;
    for (const [index, mediaId, length, bodyHash, header] of clip?.segments ?? ([] as ClipSegment[])) {
      expect(index).toBe(parts.length);
      const body = bodies.get(toHex(bodyHash))?.read() ?? new Uint8Array(0);
      expect([body.length, toHex(nodeSuite.sha256(body))]).toEqual([length, toHex(bodyHash)]);
      const place = { eventId: clip?.eventId ?? new Uint8Array(0), mediaId, role: 'segment' } as const;
      const context = { device, account, epoch, claimHash, ...place };
      const content = openIn(periods, context, { header, body });
      expect(content).not.toBeNull();
      parts.push(content ?? new Uint8Array(0));
    }
  }
  const path = join(way.folder, `clip-${toHex(records[0]?.hash ?? new Uint8Array(0)).slice(0, 8)}`);
  writeFileSync(path, concat(...parts));
  const args = [
    '-v',
    'error',
    '-count_frames',
    '-show_entries',
    'format=duration:stream=nb_read_frames',
    '-of',
    'json',
  ];
  const probe = spawnSync('ffprobe', [...args, path], { encoding: 'utf8' });
  expect([probe.status, probe.stderr]).toEqual([0, '']);
  const { format, streams } = JSON.parse(probe.stdout) as {
    format: { duration: string };
    streams: { nb_read_frames: string }[];
  };
  return [Number(format.duration), Number(streams[0]?.nb_read_frames)];
}

describeWith('ffmpeg', 'a camera with clips', () => {
  it.each(['h264', 'jpeg'] as const)(
    'films each of its events in %s: every clip opens, plays without a message, and is at least 10 s long',
    async (codec) => {
      const camera = way.startAgent('a', undefined, undefined, { environment: { SEALCAM_CLIP_CODEC: codec } });
      const seen: Seen = { offers: [], sent: [], claim: null };
      await cloudOf(way, owner, camera.code, [1, 2], seen);
      const ended = (): SeenClip[] => clipsIn(seen).filter(({ isEnded }) => isEnded);
      await until('three clips have ended', () => ended().length >= 3, 90_000);
      const clips = ended();
      const here = (): Set<string> =>
        new Set(camera.agent.outbox.segmentsToSend(1000).map(({ bodyHash }) => toHex(bodyHash)));
      const named = clips.flatMap(({ records }) => records.flatMap(({ value: { clip } }) => clip?.segments ?? []));
      await until('they are acknowledged', () => named.every(([, , , hash]) => here().has(toHex(hash))));
      for (const clip of clips) {
        const [seconds, pictures] = await played(camera, seen, clip);
        expect(seconds).toBeGreaterThanOrEqual(10);
        expect(pictures).toBeGreaterThanOrEqual(seconds * (codec === 'jpeg' ? 3 : 8));
      }
      // Each belongs to an event, whose own record came first.
      for (const { event, records } of clips) {
        const start = seen.sent.find(({ record: { value } }) => toHex(value.event?.id ?? new Uint8Array(0)) === event);
        expect(start?.record.value.seq).toBeLessThan(records[0]?.value.seq ?? 0);
      }
      const health = seen.sent.findLast(({ record }) => record.value.kind === 'health')?.record.value.health;
      expect(health).toMatchObject({ ringSeconds: expect.any(Number) as number });
      expect(camera.log.filter(({ level }) => level === 'error')).toEqual([]);

      const at = new TestConsole(camera);
      const [status] = await at.json('clip status');
      expect(status).toMatchObject({ state: 'filming', codec, preroll_ms: 5000, clips_lost: 0, faults: {} });
      expect(status?.['ring_ms']).toBeGreaterThanOrEqual(4000);
      expect(await at.type('clip why')).toContain('the next event has a clip');
      await at.unlock('diagnose');
      expect(await at.type('selftest --min-fps 1', 60_000)).toMatch(new RegExp(`video +pass .*${codec}`));
      expect(camera.agent.outbox.segmentTotals().lost).toBe(0);
    },
  );

  it('has no clip without clip.codec, and says why: the control', async () => {
    const camera = way.startAgent('b');
    const at = new TestConsole(camera);
    expect((await at.json('clip status'))[0]).toMatchObject({ state: 'off' });
    expect(await at.type('clip why')).toContain('clip.codec is off');
  });
});
