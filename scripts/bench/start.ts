import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess } from '../end-process.js';
import { freePort } from '../free-port.js';
import { drawFrames, fillOutbox, makeClaimedData } from './claimed-data.js';
import { figureOf, type Figure } from './measure.js';
import { ARMED_TIMEOUT_MS, cameraSettings, installProgram, lineOf, within } from './packaged-camera.js';

const RECIPIENTS = 8;
const FRAMES = 20;
const EMPTY_NODE = 'node -e 0';
const EMPTY_OUTBOX = 'armed, nothing queued';

export interface StartOptions {
  /** Version of the claim. */
  readonly protocol: 1 | 2;
  /** Records in the full outbox. */
  readonly queued: number;
  readonly rounds: number;
}

/**
 * Times starts of the packaged program on this machine: the version; armed with an empty outbox, beside an empty Node; armed with
 * a full one, beside the empty one. In turns, so that other load meets all of them. The frames in which the detector learns
 * the scene do not count.
 */
export async function benchStart(
  folder: string,
  { protocol, queued, rounds }: StartOptions,
  progress: (text: string) => void,
  onInterrupt: (end: () => Promise<void>) => void,
): Promise<Figure[]> {
  progress('packing the program …');
  const program = await installProgram(join(folder, 'usr'), '');
  const [empty, full, frames] = ['empty', 'full', 'frames'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await drawFrames(frames, FRAMES);
  makeClaimedData(empty, RECIPIENTS, join(folder, 'cloud'), protocol);
  cpSync(empty, full, { recursive: true });
  fillOutbox(full, queued, progress);
  // Nobody listens there: what is queued stays.
  const port = await freePort();
  let agent: ChildProcess | null = null;
  onInterrupt(async () => {
    if (agent !== null) await endProcess(agent, 'SIGTERM');
  });
  const armedUs = async (data: string): Promise<number> => {
    const startedMs = Date.now();
    agent = spawn(program, ['run'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cameraSettings(data, frames, port),
    });
    const armed = lineOf(agent, (line) => line.includes('the camera is armed'));
    const { time, learntMs } = JSON.parse(await within(ARMED_TIMEOUT_MS, armed)) as { time: string; learntMs: number };
    await endProcess(agent, 'SIGTERM');
    return 1000 * (Date.parse(time) - startedMs - learntMs);
  };
  const times: Record<'node' | 'version' | 'empty' | 'full', number>[] = [];
  // The first round fills the page cache.
  for (let round = 0; round <= rounds; round++) {
    progress(`starts, round ${String(round)} of ${String(rounds)} …`);
    const node = usOf(() => spawnSync(process.execPath, ['-e', '0']));
    const version = usOf(() => spawnSync(program, ['--version']));
    times.push({ node, version, empty: await armedUs(empty), full: await armedUs(full) });
  }
  const counted = times.slice(1);
  return [
    figureOf(
      'sealcam --version',
      EMPTY_NODE,
      counted.map((us) => [us.version, us.node]),
    ),
    figureOf(
      EMPTY_OUTBOX,
      EMPTY_NODE,
      counted.map((us) => [us.empty, us.node]),
    ),
    figureOf(
      `armed, ${String(queued)} records queued`,
      EMPTY_OUTBOX,
      counted.map((us) => [us.full, us.empty]),
    ),
  ];
}

function usOf(work: () => unknown): number {
  const startedUs = Number(process.hrtime.bigint()) / 1000;
  work();
  return Number(process.hrtime.bigint()) / 1000 - startedUs;
}
