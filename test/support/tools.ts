import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';
import { isCi } from './vectors.js';

/** Tools of the system that some suites need, and how to get them. scripts/test.mjs has the same list for its summary. */
const TOOLS = {
  ffmpeg: ['ffmpeg', ['-version'], 'apt install ffmpeg, or brew install ffmpeg'],
  mosquitto: ['mosquitto', ['-h'], 'apt install mosquitto, or brew install mosquitto'],
  chromium: ['chromium', ['--version'], 'apt install chromium, or set SEALCAM_CHROMIUM'],
} as const;

export type Tool = keyof typeof TOOLS;

export function hasTool(tool: Tool): boolean {
  const [command, args] = TOOLS[tool];
  return spawnSync(command, [...args], { stdio: 'ignore' }).error === undefined;
}

/** A suite that needs a tool: a failure on CI where it is missing, elsewhere a named skip. */
export function describeWith(tool: Tool, title: string, body: () => void): void {
  if (hasTool(tool) || isCi) describe(title, body);
  else describe.skip(`${title} (not run: ${tool} is missing; ${TOOLS[tool][2]})`, body);
}
