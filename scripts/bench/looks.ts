import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { readChildrenMemory, readProcessMemory } from '../../hal/linux/process-memory.js';
import { readProcessorSeconds } from '../../hal/linux/process-time.js';
import { checkout } from '../checkout.js';
import { endProcess } from '../end-process.js';
import { freePort } from '../free-port.js';
import { watchChildren } from './children-memory.js';
import { makeClaimedData } from './claimed-data.js';
import { stoppedAgent } from './clip-figures.js';
import {
  LOOK_CODECS,
  LOOK_SIDES,
  lookFigures,
  readLooked,
  type LookFigures,
  type LookRun,
  type LookSample,
} from './look-figures.js';
import { writeLookerFile } from './looker-file.js';
import { ARMED_TIMEOUT_MS, cameraSettings, installProgram, lineOf, within } from './packaged-camera.js';
import { makeStandInCamera, STAND_IN_SETTINGS } from './stand-in-camera.js';

const RECIPIENTS = 8;
const SAMPLE_MS = 1000;
/** Until the process that wraps the first period's key is gone. */
const SETTLE_MS = 20_000;

/**
 * Runs the packaged program four times at once on one cloud: with JPEG files and with H.264, each looked through by its owner all the
 * time, and by nobody. Samples the own memory of each agent and of the processes below it, and their processor time.
 */
export async function benchLooks(
  folder: string,
  minutes: number,
  progress: (text: string) => void,
  onInterrupt: (end: () => Promise<void>) => void,
): Promise<readonly LookFigures[]> {
  progress('drawing and encoding frames …');
  const program = await installProgram(join(folder, 'usr'), '');
  const camera = join(folder, 'camera');
  await makeStandInCamera(camera);
  const cloudFolder = join(folder, 'cloud');
  const runs = LOOK_CODECS.flatMap((codec) => LOOK_SIDES.map((side) => ({ codec, side, name: `${codec}-${side}` })));
  for (const { name } of runs) {
    const claimed = makeClaimedData(join(folder, name), RECIPIENTS, cloudFolder);
    writeLookerFile(join(folder, `${name}.looker`), claimed);
  }
  const [brokerPort, httpPort] = [await freePort(), await freePort()];
  const script = (name: string): string => join(checkout, 'dist', 'scripts', 'bench', name);
  const children: ChildProcess[] = [];
  const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    children.unshift(child);
    return child;
  };
  const end = async (): Promise<void> => {
    for (const child of children) await endProcess(child, 'SIGTERM');
  };
  onInterrupt(end);
  try {
    const cloud = start(process.execPath, [
      script('guest-cloud.js'),
      cloudFolder,
      String(brokerPort),
      String(httpPort),
    ]);
    await lineOf(cloud, (line) => line === 'receiving');
    progress(`${String(minutes)} minutes of looking and idling …`);
    return lookFigures(
      await Promise.all(
        runs.map(async ({ codec, side, name }): Promise<LookRun> => {
          const agent = start(program, ['run'], {
            ...cameraSettings(join(folder, name), '', brokerPort),
            ...STAND_IN_SETTINGS,
            PATH: `${camera}:${process.env['PATH'] ?? ''}`,
            SEALCAM_CLIP_CODEC: codec,
            SEALCAM_CLIP_UPLOAD_URL: `http://127.0.0.1:${String(httpPort)}`,
          });
          const stopped = lineOf(agent, (line) => line.includes('"msg":"sealcam stopped"'));
          // Awaited at the end; an agent that ends early is reported by what waits for it now.
          stopped.catch(() => undefined);
          await within(
            ARMED_TIMEOUT_MS,
            lineOf(agent, (line) => line.includes('the camera is armed')),
          );
          await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
          const pid = agent.pid ?? 0;
          const looker = join(folder, `${name}.looker`);
          const kemPeakMiB = watchChildren(pid);
          // A little longer than the samples.
          const seconds = String(60 * minutes + 5);
          const viewer =
            side === 'idle' ? null : start(process.execPath, [script('looker.js'), looker, String(httpPort), seconds]);
          const came = viewer === null ? null : lineOf(viewer, (line) => line.startsWith('{'));
          came?.catch(() => undefined);
          if (viewer !== null) await lineOf(viewer, (line) => line === 'looking');
          const peakKiB = 1024 * kemPeakMiB();
          const beforeS = readProcessorSeconds(pid);
          const samples = await sample(pid, minutes);
          const cpuS = readProcessorSeconds(pid) - beforeS;
          const looked = came === null ? null : readLooked(await came);
          await endProcess(agent, 'SIGTERM');
          const kemPeakKiB = side === 'idle' ? null : peakKiB;
          const rest = { cpuS, seconds: 60 * minutes, kemPeakKiB, looked, stopped: stoppedAgent(await stopped) };
          return { codec, side, samples, ...rest };
        }),
      ),
    );
  } finally {
    await end();
  }
}

async function sample(pid: number, minutes: number): Promise<LookSample[]> {
  const samples: LookSample[] = [];
  const startedMs = performance.now();
  for (let atMs = SAMPLE_MS; atMs <= 60_000 * minutes; atMs += SAMPLE_MS) {
    await new Promise((resolve) => setTimeout(resolve, startedMs + atMs - performance.now()));
    const memory = readProcessMemory(pid);
    if (memory === null) throw new Error('the memory of the agent cannot be read; this needs Linux');
    const anonKiB = memory.ownMemoryBytes / 1024;
    samples.push({ anonKiB, groupAnonKiB: anonKiB + readChildrenMemory(pid) / 1024 });
  }
  return samples;
}
