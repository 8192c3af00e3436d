import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SealcamError, systemCode } from '../../common/errors.js';

const STDERR_MAX_BYTES = 16 * 1024;
const PROBE_TIMEOUT_MS = 20_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs ffmpeg or ffprobe to its end, for 20 s at most. @throws SealcamError `ffmpeg-missing`, `video-unreadable` (time limit) */
export async function runTool(
  tool: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  signal: AbortSignal,
): Promise<Finished> {
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, timeout: PROBE_TIMEOUT_MS });
  const stdout: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  const stderr = collectText(child.stderr);
  const code = await exitOf(child, tool);
  if (code === null && !signal.aborted) {
    throw new SealcamError('video-unreadable', `${tool} did not answer within ${String(PROBE_TIMEOUT_MS)} ms`);
  }
  return { code, stdout: new Uint8Array(Buffer.concat(stdout)), stderr: stderr() };
}

export type StreamingChild = ChildProcessByStdio<null, Readable, Readable>;

/** Starts ffmpeg with pipes on 1 (stdout), 2 (stderr) and, from 3 on, one for each extra output. */
export function startFfmpeg(
  args: readonly string[],
  extraOutputs: number,
): { readonly child: StreamingChild; readonly extra: readonly Readable[]; readonly exit: Promise<number | null> } {
  const extraPipes = Array.from({ length: extraOutputs }, () => 'pipe' as const);
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe', ...extraPipes] }) as StreamingChild;
  return { child, extra: child.stdio.slice(3) as Readable[], exit: exitOf(child, 'ffmpeg') };
}

function exitOf(child: StreamingChild, tool: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (systemCode(error) === 'ENOENT') reject(new SealcamError('ffmpeg-missing', `${tool} is not installed`));
      else if (error.name === 'AbortError') resolve(null);
      else
        reject(
          new SealcamError('video-unreadable', `${tool} could not be started: ${error.message}`, { cause: error }),
        );
    });
    child.once('close', (code) => {
      resolve(code);
    });
  });
}

/** Collects a stream of text. Returns a function that returns its last 16 KiB. */
export function collectText(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-STDERR_MAX_BYTES);
  });
  return () => text.trim();
}
