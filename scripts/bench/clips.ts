import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { readChildrenMemory, readProcessMemory } from '../../hal/linux/process-memory.js';
import { readProcessorSeconds } from '../../hal/linux/process-time.js';
import { checkout } from '../checkout.js';
import { endProcess } from '../end-process.js';
import { freePort } from '../free-port.js';
import { makeClaimedData } from './claimed-data.js';
import {
  CLIP_CODECS,
  clipFigures,
  stoppedAgent,
  type ClipFigures,
  type ClipRun,
  type ClipSample,
} from './clip-figures.js';
import { ARMED_TIMEOUT_MS, cameraSettings, installProgram, lineOf, within } from './packaged-camera.js';
import { makeStandInCamera, STAND_IN_SETTINGS } from './stand-in-camera.js';

const RECIPIENTS = 8;
const SAMPLE_MS = 1000;

/**
 * Runs the packaged program without clips, with clips of JPEG files and with clips of H.264, all at the same time, on one cloud that
 * takes the bodies. Samples the own memory of each agent, and of the processes below it.
 */
export async function benchClips(
  folder: string,
  minutes: number,
  progress: (text: string) => void,
  onInterrupt: (end: () => Promise<void>) => void,
): Promise<readonly ClipFigures[]> {
  progress('drawing and encoding frames …');
  const program = await installProgram(join(folder, 'usr'), '');
  const camera = join(folder, 'camera');
  await makeStandInCamera(camera);
  const cloudFolder = join(folder, 'cloud');
  for (const codec of CLIP_CODECS) makeClaimedData(join(folder, codec), RECIPIENTS, cloudFolder);
  const [brokerPort, httpPort] = [await freePort(), await freePort()];
  const script = join(checkout, 'dist', 'scripts', 'bench', 'guest-cloud.js');
  const ports = [String(brokerPort), String(httpPort)];
  const cloud = spawn(process.execPath, [script, cloudFolder, ...ports], { stdio: ['ignore', 'pipe', 'inherit'] });
  const agents: ChildProcess[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(agents.map((agent) => endProcess(agent, 'SIGTERM')));
    await endProcess(cloud, 'SIGTERM');
  };
  onInterrupt(end);
  try {
    await lineOf(cloud, (line) => line === 'receiving');
    const runs = CLIP_CODECS.map(async (codec): Promise<ClipRun> => {
      const agent = spawn(program, ['run'], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...cameraSettings(join(folder, codec), '', brokerPort),
          ...STAND_IN_SETTINGS,
          PATH: `${camera}:${process.env['PATH'] ?? ''}`,
          SEALCAM_CLIP_CODEC: codec,
          SEALCAM_CLIP_UPLOAD_URL: `http://127.0.0.1:${String(httpPort)}`,
        },
      });
      agents.push(agent);
      const stopped = lineOf(agent, (line) => line.includes('"msg":"sealcam stopped"'));
      // Awaited at the end; an agent that ends early is reported by what waits for it now.
      stopped.catch(() => undefined);
      await within(
        ARMED_TIMEOUT_MS,
        lineOf(agent, (line) => line.includes('the camera is armed')),
      );
      const pid = agent.pid ?? 0;
      const samples = await sample(pid, minutes);
      const cpuS = readProcessorSeconds(pid);
      await endProcess(agent, 'SIGTERM');
      return { codec, samples, cpuS, stopped: stoppedAgent(await stopped) };
    });
    progress(`${String(minutes)} minutes of memory …`);
    return clipFigures(await Promise.all(runs));
  } finally {
    await end();
  }
}

async function sample(pid: number, minutes: number): Promise<ClipSample[]> {
  const samples: ClipSample[] = [];
  const startedMs = performance.now();
  for (let atMs = SAMPLE_MS; atMs <= 60_000 * minutes; atMs += SAMPLE_MS) {
    await new Promise((resolve) => setTimeout(resolve, startedMs + atMs - performance.now()));
    const memory = readProcessMemory(pid);
    if (memory === null) throw new Error('the memory of the agent cannot be read; this needs Linux');
    const anonKiB = memory.ownMemoryBytes / 1024;
    const groupAnonKiB = anonKiB + readChildrenMemory(pid) / 1024;
    samples.push({ atS: atMs / 1000, anonKiB, groupAnonKiB, cgroupKiB: null });
  }
  return samples;
}
