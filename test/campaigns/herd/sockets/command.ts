import {
  commandLine,
  CommandFailure,
  printResult,
  TOOL_MISSING_STATUS,
  type CommandContext,
} from '../../../../scripts/command.js';
import { saveResult, writePart } from '../../../../scripts/results.js';
import { missingTool } from '../../../support/engines/programs.js';
import { plot } from '../plot.js';
import { sealcam } from '../policies.js';
import { worstOf, type Outcome, type Scenario } from '../simulate.js';
import { realSockets, type SocketsOutcome } from './real-sockets.js';

export interface SocketsOptions {
  readonly cameras: number;
  readonly processes: number;
  readonly outageMs: number;
  /** Null for 120 s. */
  readonly windowMs: number | null;
  readonly json: boolean;
  readonly save: boolean;
}

type Curve = Pick<Outcome, 'name' | 'perSecond' | 'peakPerS' | 'peakToMean' | 't99S' | 'attemptsPerDevice'>;

const DEFAULT_WINDOW_MS = 120_000;
/** Handshakes a second of the simulated broker: never the limit, as it is not on this machine. */
const CAPACITY_PER_S = 1000;
const SEEDS = [1, 2, 3];

/**
 * `npm run herd -- --sockets N`: measures an outage on real sockets, and simulates the same outage. Returns the exit
 * status.
 */
export async function runSockets(options: SocketsOptions, context: CommandContext): Promise<number> {
  const { cameras, processes, outageMs, json, save } = options;
  const { folder, progress } = context;
  const windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  const missing = missingTool(['mosquitto', 'openssl']);
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const measured = await realSockets({ cameras, processes, outageMs, windowMs, folder, progress });
  const scenario: Scenario = {
    devices: cameras,
    outageMs: measured.outageMs,
    windowMs,
    capacityPerS: CAPACITY_PER_S,
    isBoot: false,
    hints: true,
    credentialsFailMs: 0,
  };
  const simulated = { ...worstOf(scenario, sealcam, SEEDS), name: 'simulated' };
  const command = commandLine('herd');
  const { bound, produced, doubled } = measured;
  const records = {
    produced,
    stored: bound.records,
    waiting: bound.waiting,
    lost: bound.lost,
    doubled,
    misbound: bound.misbound,
  };
  const result = {
    command,
    cameras,
    processes,
    outage_s: measured.outageMs / 1000,
    window_s: windowMs / 1000,
    simulated: figures(simulated),
    measured: figures(measured),
    records,
  };
  const text = markdown(command, measured, [simulated, measured], records);
  if (save) {
    saveResult('herd-sockets', result);
    writePart('docs/herd.md', 'sockets', text);
    const title = `Connects a second, ${cameras.toLocaleString('en')} cameras on real sockets: simulated and measured`;
    const seconds = Math.ceil((outageMs + 1.5 * windowMs) / 60_000) * 60;
    plot({ name: 'herd-sockets', title, seconds, outageMs: measured.outageMs, capacityPerS: null }, [
      simulated,
      measured,
    ]);
  }
  printResult(json, result, text);
  const isWrong = bound.lost + doubled + bound.misbound + bound.waiting > 0 || bound.records !== produced;
  if (isWrong) progress('records were lost, doubled, mis-bound or still wait');
  return isWrong ? 1 : 0;
}

function figures({ peakPerS, peakToMean, t99S, attemptsPerDevice }: Curve): object {
  const round = (value: number, digits: number): number => Number(value.toFixed(digits));
  return {
    peak_per_s: peakPerS,
    peak_to_mean: round(peakToMean, 2),
    t99_s: round(t99S, 1),
    attempts_per_device: round(attemptsPerDevice, 2),
  };
}

function markdown(
  command: string,
  { outageMs }: SocketsOutcome,
  curves: readonly Curve[],
  records: Readonly<Record<string, number>>,
): string {
  return [
    '| | peak, connects a second | peak / mean | 99 % back after, s | attempts a camera |',
    '|---|---|---|---|---|',
    ...curves.map(
      ({ name, peakPerS, peakToMean, t99S, attemptsPerDevice }) =>
        `| ${name} | ${String(peakPerS)} | ${peakToMean.toFixed(2)} | ${t99S.toFixed(0)} | ${attemptsPerDevice.toFixed(2)} |`,
    ),
    '',
    `The outage lasted ${(outageMs / 1000).toFixed(1)} s in both. Records: ${Object.entries(records)
      .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
      .join(', ')} (\`${command}\`).`,
  ].join('\n');
}
