import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { guestFigures, startFigures } from '../../../../scripts/bench/guest-figures.js';
import { memoryFigures, type MemorySample } from '../../../../scripts/bench/memory-figures.js';
import { repository } from '../../../support/vectors.js';

function sample(atS: number, anonMiB: number): MemorySample {
  return { atS, anonKiB: anonMiB * 1024, fileKiB: 50 * 1024, rssKiB: (50 + anonMiB) * 1024, cgroupKiB: 30 * 1024 };
}

describe('the figures of a memory run', () => {
  it('compare the last third with the middle one, and give the slope of both', () => {
    // Two MiB an hour after the first third.
    const samples = [10, 12, 20, 20.25, 20.5, 20.75].map((anonMiB, i) => sample(450 * (i + 1), anonMiB));
    expect(memoryFigures(samples)).toEqual({
      agentRssAnonMiB: 20.63,
      agentRssFileMiB: 50,
      agentRssMiB: 70.63,
      cgroupMiB: 30,
      agentPeakRssAnonMiB: 20.75,
      thirdsRssAnonMiB: [11, 20.13, 20.63],
      lastOverMiddleMiB: 0.5,
      slopeMiBPerHour: 2,
      samples,
    });
  });

  it('need three samples, and have no control group where none was measured', () => {
    expect(() => memoryFigures([sample(1, 10), sample(2, 10)])).toThrow('less than three');
    const samples = [1, 2, 3].map((atS) => ({ ...sample(atS, 10), cgroupKiB: null }));
    expect(memoryFigures(samples)).toMatchObject({ cgroupMiB: null, slopeMiBPerHour: null });
  });
});

const STOPPED = { queued: 1, receipted: 40, framesSeen: 200, framesDropped: 3, framesDecoded: 120 };
/** Returns the line of a start, which ends with the agent's own line in its log. */
function armed(label: string, fromMs: number, atMs: number, learntMs: number): string {
  const line = { level: 'info', time: new Date(atMs).toISOString(), learntMs, msg: 'the camera is armed' };
  return `armed ${label} ${String(fromMs)} ${JSON.stringify(line)}`;
}
const GUEST = [
  'start node 0 1.00 9.00',
  'start sealcam 0 9.00 29.00',
  ...[1, 2, 3].flatMap((round) => [
    `start node ${String(round)} 30.00 32.00`,
    `start sealcam ${String(round)} 40.00 43.00`,
  ]),
  'rss node 40960 6144',
  armed('first', 50_000, 90_000, 2000),
  `first ${JSON.stringify(STOPPED)}`,
  armed('again', 100_000, 109_500, 1500),
  'memory 30 20480 71680 26214400',
  'memory 60 20480 71680 26214400',
  'memory 90 20480 71680 26214400',
  'recorded 12',
  'peak 72704',
  'cgroupPeak 41943040',
  'wrap 11264',
  `stopped ${JSON.stringify(STOPPED)}`,
  armed('busy', 300_000, 310_000, 1000),
  `busy ${JSON.stringify(STOPPED)}`,
  'busyUntil 369000',
];

describe('the figures of the emulated machine', () => {
  it('are ratios to an empty Node, without the time in which the scene is learnt', () => {
    const { samples, ...figures } = guestFigures(GUEST);
    expect(figures).toEqual({
      nodeRssMiB: 40,
      nodeRssAnonMiB: 6,
      agentPeakRssMiB: 71,
      cgroupPeakMiB: 40,
      wrapPeakRssAnonMiB: 11,
      recorded: 12,
      receipted: 40,
      queued: 1,
      startRatio: 1.5,
      armedRatio: 4,
      nodeS: 2,
      learntS: 1.5,
      frames: { seen: 200, dropped: 3 },
      busyFramesPerSecond: 2,
    });
    expect(memoryFigures(samples)).toMatchObject({ agentRssAnonMiB: 20, agentRssFileMiB: 50, cgroupMiB: 25 });
  });

  it('of starts alone are medians, and need no other line', () => {
    const starts = GUEST.filter((line) => line.startsWith('start ') || line.startsWith('armed again'));
    const slow = [armed('again', 0, 30_000, 1500), armed('again', 0, 12_500, 1500)];
    expect(startFigures([...starts, ...slow])).toEqual({ startRatio: 1.5, armedRatio: 5.5, nodeS: 2, learntS: 1.5 });
  });

  it('are refused where a line is missing', () => {
    for (const missing of ['armed again', 'stopped', 'peak'])
      expect(() => guestFigures(GUEST.filter((line) => !line.startsWith(missing)))).toThrow(missing.split(' ')[0]);
  });

  it('come from lines that the first process of that machine prints', () => {
    const init = readFileSync(join(repository, 'scripts', 'armv7', 'guest', 'init'), 'utf8');
    for (const kind of ['start', 'rss', 'armed', 'memory', 'recorded', 'peak', 'cgroupPeak', 'busyUntil'])
      expect(init).toContain(`@${kind} `);
    for (const kind of ['first', 'stopped', 'busy']) expect(init).toContain(`stop ${kind}\n`);
  });
});

/** Begins a child of another name that stays; then one that wraps, with 8 MiB of its own, which ends with a line on stdin. */
const PARENT = `
  const { spawn } = require('node:child_process');
  const other = spawn(process.execPath, ['-e', 'const b = Buffer.alloc(64 << 20, 1); process.stdin.once("end", () => b).resume()']);
  const big = spawn(process.execPath, ['-e', 'const b = Buffer.alloc(8 << 20, 1); process.stdin.once("end", () => b).resume()', 'wrap']);
  process.stdin.once('data', () => (big.kill(), other.kill())).once('end', () => process.exit());
`;

describe('the process that wraps, on the emulated machine', () => {
  it.runIf(process.platform === 'linux')('is seen among the children of the agent, from the first on', async () => {
    const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['pipe', 'ignore', 'inherit'] });
    const guest = join(repository, 'scripts', 'armv7', 'guest');
    const rss = /^rss\(\) .*$/m.exec(readFileSync(join(guest, 'init'), 'utf8'))?.[0] ?? '';
    const script = `${rss}\n. "${join(guest, 'watch-wrap')}"\nwatch_wrap ${String(parent.pid)}`;
    const watch = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: watch.stdout })) {
      lines.push(line);
      if (Number(/: (\d+) KiB/.exec(line)?.[1]) > 8192) parent.stdin.write('end\n');
    }
    parent.stdin.end();
    expect(Number(/^@wrap (\d+)$/.exec(lines.at(-1) ?? '')?.[1])).toBeGreaterThan(8192);
    expect(Number(/^@wrap (\d+)$/.exec(lines.at(-1) ?? '')?.[1])).toBeLessThan(65_536);
  });
});
