import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { isCi, repository } from './vectors.js';

interface Tool {
  /** A command that ends with 0 where the tool is there. */
  readonly probe: readonly [string, ...string[]];
  /** Names another program to use. */
  readonly variable?: string;
  readonly get: string;
}

type ToolName =
  | 'ffmpeg'
  | 'mosquitto'
  | 'postgres'
  | 'nats'
  | 'openssl'
  | 'chromium'
  | 'python'
  | 'socat'
  | 'systemd-notify'
  | 'zbarimg';

/** Tools of the system that some suites need; scripts/setup-debian installs what this list names. */
const TOOLS = JSON.parse(readFileSync(join(repository, 'test', 'tools.json'), 'utf8')) as Record<ToolName, Tool>;

/** The program of a tool: the developer's own where the variable names one. */
export function program(name: ToolName): string {
  const { probe, variable } = TOOLS[name];
  return (variable === undefined ? undefined : process.env[variable]) ?? probe[0];
}

function hasTool(name: ToolName): boolean {
  const [, ...args] = TOOLS[name].probe;
  const { error, status } = spawnSync(program(name), args, { stdio: 'ignore' });
  // mosquitto answers -h with 3.
  return error === undefined && (status === 0 || name === 'mosquitto');
}

/** A suite that needs a tool: a failure on CI where it is missing, elsewhere a named skip. */
export function describeWith(name: ToolName, title: string, body: () => void): void {
  const isMissing = !isCi && !hasTool(name);
  describe.skipIf(isMissing)(isMissing ? `${title} (not run: ${name} is missing; ${TOOLS[name].get})` : title, body);
}
