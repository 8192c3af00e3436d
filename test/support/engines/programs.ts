import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../../scripts/checkout.js';

interface Tool {
  /** A command that ends with 0 where the tool is installed. */
  readonly probe: readonly [string, ...string[]];
  /** An environment variable that names another program. */
  readonly variable?: string;
  readonly get: string;
}

export type ToolName =
  | 'cc'
  | 'ffmpeg'
  | 'rtsp'
  | 'mosquitto'
  | 'postgres'
  | 'minisign'
  | 'nats'
  | 'openssl'
  | 'chromium'
  | 'python'
  | 'radosgw'
  | 'socat'
  | 'systemd-notify'
  | 'zbarimg';

/** Tools of the system that some suites need; scripts/setup-debian installs what this list names. */
const TOOLS = JSON.parse(readFileSync(join(checkout, 'test', 'tools.json'), 'utf8')) as Record<ToolName, Tool>;

/** Returns the program of a tool: the developer's own where the variable names one. */
export function program(name: ToolName): string {
  const { probe, variable } = TOOLS[name];
  return (variable === undefined ? undefined : process.env[variable]) ?? probe[0];
}

/** Returns whether a tool is installed. */
export function hasTool(name: ToolName): boolean {
  const [, ...args] = TOOLS[name].probe;
  const { error, status } = spawnSync(program(name), args, { stdio: 'ignore' });
  // mosquitto answers -h with 3.
  return error === undefined && (status === 0 || name === 'mosquitto');
}

/** Returns how to get a tool. */
export function remedyOf(name: ToolName): string {
  return TOOLS[name].get;
}

/** Returns an error message for the first of these that is missing, or null. */
export function missingTool(names: readonly ToolName[]): string | null {
  const missing = names.find((name) => !hasTool(name));
  return missing === undefined ? null : `${missing} is missing; ${TOOLS[missing].get}`;
}
