import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ClipExport } from '../../../agent/cli/clip-export.js';
import { openCommand } from '../../../agent/cli/open.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { concat, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { clipVectors, exportOf } from '../../support/clip-vectors.js';
import { runPython } from '../../support/engines/python.js';
import { hasTool } from '../../support/engines/programs.js';
import { describeWith } from '../../support/engines/tools.js';
import { tempFolder } from '../../support/runner/temp.js';
import { hex } from '../../support/vectors.js';
import { scenePictures, segmentsOf } from '../../support/worlds/filmed-clip.js';

interface InPython {
  readonly status: number | null;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly files: Files;
}

/** SHA-256 of files, by the end of their names. */
type Files = Readonly<Record<string, string>>;

function filesIn(folder: string): Files {
  const hashes = readdirSync(folder).map((name) => [name.slice(-3), hashOf(readFileSync(join(folder, name)))]);
  return Object.fromEntries(hashes) as Files;
}

function hashOf(...parts: readonly Uint8Array[]): string {
  return toHex(nodeSuite.sha256(concat(...parts)));
}

function openInPython(path: string, master: Uint8Array): InPython & { readonly folder: string } {
  const folder = tempFolder();
  const key = join(tempFolder(), 'owner.key');
  writeFileSync(key, toHex(master));
  const { status, out } = runPython('open_clips.py', path, key, folder);
  const lines = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
  return { status, lines, files: filesIn(folder), folder };
}

/** Returns what ffprobe says of the files in a folder: nothing but their lengths in seconds. */
function secondsOf(folder: string): readonly number[] {
  return readdirSync(folder).map((name) => {
    const args = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', join(folder, name)];
    const { status, stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return Number(stdout);
  });
}

describeWith('python', 'clips, opened from the documents alone', () => {
  const contents = clipVectors.clips.map(({ segments }) => segments.map(({ content }) => hex(content)));
  const exported = (name: string): string => {
    const one = clipVectors.cases.find((each) => each.name === name);
    if (one === undefined) throw new Error(`no case ${name}`);
    const path = join(tempFolder(), 'export.jsonl');
    writeFileSync(path, exportOf(nodeSuite, one).join('\n'));
    return path;
  };
  const master = hex(clipVectors.master);

  it('are the bytes that were sealed, in either codec, and play without a message', () => {
    const { status, lines, files, folder } = openInPython(exported('h264, whole'), master);
    expect(status).toBe(0);
    expect(lines.map(({ ended }) => ended)).toEqual([true, true]);
    const [h264 = [], jpeg = []] = contents;
    expect(files).toEqual({ mp4: hashOf(...h264), mov: hashOf(...jpeg) });
    if (hasTool('ffmpeg')) expect([...secondsOf(folder)].sort()).toEqual([4, 6]);
  });

  it('end before the first part that is missing, and open for nobody else: the control', () => {
    const cut = openInPython(exported('crossed'), master);
    expect(cut.status).toBe(1);
    expect(cut.lines[0]).toMatchObject({ segments: ['here', 'here', 'media-missing', 'here'] });
    expect(cut.files['mp4']).toBe(hashOf(...(contents[0] ?? []).slice(0, 2)));
    const stranger = openInPython(exported('h264, whole'), realRandom.bytes(32));
    expect([stranger.status, stranger.files]).toEqual([1, {}]);
  });

  describeWith('ffmpeg', 'of a camera', () => {
    it('are those of sealcam open, 10 s and longer, in either codec', async () => {
      const path = join(tempFolder(), 'clips.jsonl');
      const owner = realRandom.bytes(32);
      const file = new ClipExport(path, owner);
      const second = await scenePictures(1);
      const pictures = Array.from({ length: 11 }, () => second).flat();
      for (const codec of ['h264', 'jpeg'] as const) {
        const clip = { eventId: realRandom.bytes(16), number: 0, atMs: 11_000 };
        const segments = segmentsOf(codec, pictures);
        await file.addPart({ ...clip, phase: 'start', firstIndex: 0, segments: segments.slice(0, 3) });
        await file.addPart({ ...clip, phase: 'end', firstIndex: 3, segments: segments.slice(3) });
      }
      const inPython = openInPython(path, owner);
      expect(inPython.status).toBe(0);
      const lengths = secondsOf(inPython.folder);
      expect(lengths).toHaveLength(2);
      for (const seconds of lengths) expect(seconds).toBeGreaterThanOrEqual(10);
      const [key, out] = [join(tempFolder(), 'owner.key'), join(tempFolder(), 'opened')];
      writeFileSync(key, owner);
      const silent = { json: false, printLine: () => undefined, emit: () => undefined };
      expect(await openCommand(path, { key, out }, silent)).toBe(0);
      expect(filesIn(out)).toEqual(inPython.files);
    });
  });
});
