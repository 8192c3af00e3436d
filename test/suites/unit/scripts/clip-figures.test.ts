import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CLIP_CODECS, clipFigures, clipLine, guestClipRuns } from '../../../../scripts/bench/clip-figures.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { until } from '../../../support/runner/wait.js';
import { repository } from '../../../support/vectors.js';

const STOPPED = {
  queued: 0,
  receipted: 40,
  framesSeen: 600,
  framesDropped: 2,
  segmentsReceipted: 0,
  segmentsQueued: 0,
  segmentsLost: 0,
};

/** What the guest prints of one run: own memory in MiB, a sample each. */
function run(codec: string, ownMiB: readonly number[], cpuTicks: number, stopped: object): string[] {
  return [
    ...ownMiB.map((mib, i) => {
      const atS = String(15 * (i + 1));
      return `clips ${codec} ${atS} ${String(mib * 1024)} ${String((mib + 2) * 1024 ** 2)} ${String((mib + 9) * 1024 ** 2)}`;
    }),
    `cpu ${codec} ${String(cpuTicks)}`,
    `stopped ${codec} ${JSON.stringify({ level: 'info', ...stopped })}`,
  ];
}

const LINES = [
  'armed off 1 {}',
  ...run('off', [10, 16, 16], 1000, STOPPED),
  ...run('jpeg', [10, 17, 18], 1100, { ...STOPPED, framesDropped: 5 }),
  ...run('h264', [20, 18, 18], 1500, { ...STOPPED, segmentsReceipted: 9 }),
  'end',
];

describe('what clips cost', () => {
  it('is what a run has more than the one without, once it has settled', () => {
    const figures = clipFigures(guestClipRuns(LINES));
    expect(figures.map(({ codec }) => codec)).toEqual([...CLIP_CODECS]);
    const [off, jpeg, h264] = figures;
    expect(off).toEqual({
      codec: 'off',
      agentRssAnonMiB: 16,
      agentPeakRssAnonMiB: 16,
      groupRssAnonMiB: 18,
      groupPeakRssAnonMiB: 18,
      cgroupMiB: 25,
      cpuS: 10,
      stopped: STOPPED,
    });
    expect(jpeg?.over).toEqual({
      agentRssAnonMiB: 1.5,
      agentPeakRssAnonMiB: 2,
      groupRssAnonMiB: 1.5,
      framesDropped: 3,
      cpuRatio: 1.1,
    });
    expect(h264?.over).toMatchObject({ agentRssAnonMiB: 2, agentPeakRssAnonMiB: 4, framesDropped: 0, cpuRatio: 1.5 });
    expect(h264 === undefined ? '' : clipLine(h264)).toMatch(
      /^h264 .*18\.00 MiB.*2\.00 above .*9 segments at the cloud/,
    );
  });

  it('is not told where a run is missing or too short', () => {
    for (const missing of ['cpu jpeg', 'stopped h264', 'clips off 30'])
      expect(() => clipFigures(guestClipRuns(LINES.filter((line) => !line.startsWith(missing))))).toThrow(
        missing.split(' ')[1],
      );
  });

  it('comes from lines that the guest prints, which runs the codecs in this order', () => {
    const text = readFileSync(join(repository, 'scripts', 'armv7', 'guest', 'clips'), 'utf8');
    expect(text).toContain(`for codec in ${CLIP_CODECS.join(' ')};`);
    for (const line of ['@clips $codec ', '@cpu $codec ', 'stop "stopped $codec"']) expect(text).toContain(line);
  });
});

describe('the stand-in for an encoder', () => {
  it.runIf(process.platform === 'linux')('gives a unit for each picture, where it is asked for', async () => {
    const folder = tempFolder();
    const program = join(folder, 'gst-launch-1.0');
    copyFileSync(join(repository, 'scripts', 'bench', 'stand-in-camera'), program);
    for (const kind of ['frames', 'units']) mkdirSync(join(folder, kind));
    for (const i of ['1', '2']) {
      writeFileSync(join(folder, 'frames', `${i}.jpg`), `frame${i} `);
      writeFileSync(join(folder, 'units', `${i}.h264`), `unit${i} `);
    }
    const heard = async (...args: string[]): Promise<readonly string[]> => {
      const child = spawn('sh', [program, ...args], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
      afterThisTest(() => void child.kill());
      const texts = ['', ''];
      for (const [i, fd] of [1, 3].entries())
        (child.stdio[fd] as Readable).on(
          'data',
          (chunk: Buffer) => (texts[i] = `${texts[i] ?? ''}${chunk.toString()}`),
        );
      await until('three pictures', () => (texts[0]?.split(' ').length ?? 0) > 3);
      child.kill();
      return texts;
    };
    expect(await heard('-q', 'fdsink', 'fd=1', 'fd=3')).toEqual([
      expect.stringMatching(/^frame1 frame2 frame1 /),
      expect.stringMatching(/^unit1 unit2 /),
    ]);
    expect(await heard('-q', 'fdsink', 'fd=1')).toEqual([expect.stringMatching(/^frame1 frame2 frame1 /), '']);
  });
});
