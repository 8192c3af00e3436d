import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  guestLookRuns,
  LOOK_CODECS,
  LOOK_SIDES,
  lookFigures,
  lookLine,
} from '../../../../scripts/bench/look-figures.js';
import { repository } from '../../../support/vectors.js';

const STOPPED = { queued: 0, receipted: 40, framesSeen: 600, framesDropped: 2 };
const LOOKED = { messages: 240, bytes: 5000, orders: 2 };

/** What the guest prints of one run: own memory in MiB, a sample each, half a MiB of it beside that of the children. */
function run(name: string, ownMiB: readonly number[], cpuTicks: number): string[] {
  return [
    ...ownMiB.map((mib) => `looks ${name} ${String(mib * 1024)} ${String((mib + 0.5) * 1024 ** 2)}`),
    `cpu ${name} ${String(cpuTicks)} 60`,
    `stopped ${name} ${JSON.stringify({ level: 'info', ...STOPPED })}`,
  ];
}

const LINES = [
  ...run('off-idle', [10, 16, 16], 600),
  'kem off-looked 9000',
  'kem off-looked 10240',
  ...run('off-looked', [10, 17, 18], 900),
  `looked off-looked ${JSON.stringify(LOOKED)}`,
  ...run('h264-idle', [20, 18, 18], 1200),
  ...run('h264-looked', [20, 21, 19], 1260),
  `looked h264-looked ${JSON.stringify(LOOKED)}`,
  'end',
];

describe('what a look costs', () => {
  it('is what a camera has more that is looked through than one that is not, once it has settled', () => {
    const [off, h264] = lookFigures(guestLookRuns(LINES));
    expect(off?.idle).toEqual({
      agentRssAnonMiB: 16,
      agentPeakRssAnonMiB: 16,
      childrenRssAnonMiB: 0.5,
      cpuMsPerSecond: 100,
      framesSeen: 600,
      framesDropped: 2,
    });
    expect(off?.looked).toMatchObject({ agentRssAnonMiB: 17.5, kemPeakRssAnonMiB: 10, ...LOOKED });
    expect(off?.over).toEqual({
      agentRssAnonMiB: 1.5,
      agentPeakRssAnonMiB: 2,
      cpuMsPerSecond: 50,
      cpuRatio: 1.5,
    });
    expect(h264?.over).toMatchObject({ agentRssAnonMiB: 2, agentPeakRssAnonMiB: 1, cpuRatio: 1.05 });
    expect(h264?.looked.kemPeakRssAnonMiB).toBeNull();
    expect(off === undefined ? '' : lookLine(off)).toMatch(/^off .*17\.50 MiB, 1\.50 above .*at most 10\.00 MiB; 240 /);
  });

  it.each([
    ['cpu off-idle', 'off idle'],
    ['stopped h264-looked', 'h264 looked'],
    ['looks off-looked 17', 'off looked'],
    ['looked h264-looked', 'nothing came of the look with h264'],
  ])('is not told without the line %s', (missing, why) => {
    expect(() => lookFigures(guestLookRuns(LINES.filter((line) => !line.startsWith(missing))))).toThrow(why);
  });

  it('is not told where the viewer saw nothing', () => {
    const blind = LINES.map((line) => line.replace('"messages":240', '"messages":0'));
    expect(() => lookFigures(guestLookRuns(blind))).toThrow('nothing came');
  });

  it('comes from lines that the guest prints, which runs the cameras in this order', () => {
    const text = readFileSync(join(repository, 'scripts', 'armv7', 'guest', 'looks'), 'utf8');
    expect(text).toContain(`for codec in ${LOOK_CODECS.join(' ')};`);
    expect(text).toContain(`for side in ${LOOK_SIDES.join(' ')};`);
    for (const line of ['@looks $name ', '@cpu $name ', '@looked $name ', '@kem $1 ', 'stop "stopped $name"'])
      expect(text).toContain(line);
  });
});
