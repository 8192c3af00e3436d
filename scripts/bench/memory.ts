import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { readProcessMemory } from '../../hal/linux/process-memory.js';
import { checkout } from '../checkout.js';
import { endProcess } from '../end-process.js';
import { freePort } from '../free-port.js';
import { watchChildren } from './children-memory.js';
import { drawFrames, makeClaimedData } from './claimed-data.js';
import { ARMED_TIMEOUT_MS, cameraSettings, installProgram, lineOf, within } from './packaged-camera.js';
import { memoryFigures, type MemoryFigures, type MemorySample } from './memory-figures.js';

export interface MemoryOptions {
  readonly minutes: number;
  readonly sampleS: number;
  /** Added to the packaged options of Node, for trials. */
  readonly nodeOptions: string;
  /** Version of the claim. */
  readonly protocol: 1 | 2;
}

export interface MemoryResult extends MemoryFigures, Pick<MemoryOptions, 'minutes' | 'nodeOptions' | 'protocol'> {
  /** The highest own memory of the process that wraps a period's key; 0 where none is started, in version 1. */
  readonly wrapPeakRssAnonMiB: number;
  readonly recorded: number;
  readonly receipted: number;
  readonly queued: number;
}

const RECIPIENTS = 8;
const FRAMES = 240;

/**
 * Runs the packaged program, with its launcher, on this machine: claimed by eight, replaying two frames a second, published
 * and receipted. Samples what the kernel says of its memory.
 */
export async function benchMemory(
  folder: string,
  { minutes, sampleS, nodeOptions, protocol }: MemoryOptions,
  progress: (text: string) => void,
  onInterrupt: (end: () => Promise<void>) => void,
): Promise<MemoryResult> {
  progress('drawing frames …');
  const program = await installProgram(join(folder, 'usr'), nodeOptions);
  const data = join(folder, 'data');
  const cloudFolder = join(folder, 'cloud');
  makeClaimedData(data, RECIPIENTS, cloudFolder, protocol);
  await drawFrames(join(folder, 'frames'), FRAMES);
  const port = await freePort();
  const script = join(checkout, 'dist', 'scripts', 'bench', 'guest-cloud.js');
  const ports = [String(port), String(await freePort())];
  const cloud = spawn(process.execPath, [script, cloudFolder, ...ports], { stdio: ['ignore', 'pipe', 'inherit'] });
  let agent: ChildProcess | null = null;
  onInterrupt(async () => {
    if (agent !== null) await endProcess(agent, 'SIGTERM');
    await endProcess(cloud, 'SIGTERM');
  });
  try {
    await lineOf(cloud, (line) => line === 'receiving');
    agent = spawn(program, ['run'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cameraSettings(data, join(folder, 'frames'), port),
    });
    const wrapPeakMiB = watchChildren(agent.pid ?? 0);
    let recorded = 0;
    const isRecorded = (line: string): boolean => line.includes('"msg":"recorded"');
    const stopped = lineOf(agent, (line) => {
      if (isRecorded(line)) recorded++;
      return line.includes('"msg":"sealcam stopped"');
    });
    // Awaited at the end; an agent that ends early is reported by what waits for it now.
    stopped.catch(() => undefined);
    await within(
      ARMED_TIMEOUT_MS,
      lineOf(agent, (line) => line.includes('the camera is armed')),
    );
    progress(`${String(minutes)} minutes of memory …`);
    const samples = await sampleMemory(agent.pid ?? 0, minutes, sampleS);
    await endProcess(agent, 'SIGTERM');
    const { receipted, queued } = JSON.parse(await stopped) as Pick<MemoryResult, 'receipted' | 'queued'>;
    return {
      minutes,
      nodeOptions,
      protocol,
      recorded,
      receipted,
      queued,
      wrapPeakRssAnonMiB: wrapPeakMiB(),
      ...memoryFigures(samples),
    };
  } finally {
    if (agent !== null) await endProcess(agent, 'SIGKILL');
    await endProcess(cloud, 'SIGTERM');
  }
}

async function sampleMemory(pid: number, minutes: number, sampleS: number): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  const startedMs = performance.now();
  for (let atS = sampleS; atS <= 60 * minutes; atS += sampleS) {
    await new Promise((resolve) => setTimeout(resolve, startedMs + 1000 * atS - performance.now()));
    const memory = readProcessMemory(pid);
    if (memory === null) throw new Error('the memory of the agent cannot be read; this needs Linux');
    const rssKiB = memory.memoryBytes / 1024;
    const anonKiB = memory.ownMemoryBytes / 1024;
    samples.push({ atS, anonKiB, fileKiB: rssKiB - anonKiB, rssKiB, cgroupKiB: null });
  }
  return samples;
}
