import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  readonly windowMs: number;
  readonly json: boolean;
  readonly save: boolean;
  readonly say: (text: string) => void;
}

type Curve = Pick<Outcome, 'name' | 'perSecond' | 'peakPerS' | 'peakToMean' | 't99S' | 'attemptsPerDevice'>;

/** Handshakes a second of the simulated broker: far more than come, as on this machine. */
const CAPACITY_PER_S = 1000;
const SEEDS = [1, 2, 3];

/** `npm run herd -- --sockets N`: the same outage measured and simulated. Answers the exit status. */
export async function runSockets(options: SocketsOptions): Promise<number> {
  const { cameras, processes, outageMs, windowMs, json, save, say } = options;
  const missing = missingTool(['mosquitto', 'openssl']);
  if (missing !== null) {
    say(`herd: ${missing}`);
    return 4;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-herd-'));
  try {
    const measured = await realSockets({ cameras, processes, outageMs, windowMs, folder, say });
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
    const command = `npm run herd -- --sockets ${String(cameras)} --outage ${String(outageMs / 1000)} --window ${String(windowMs / 1000)}`;
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
    if (save) {
      saveResult('herd-sockets', result);
      writePart('docs/herd.md', 'sockets', markdown(command, measured, [simulated, measured], records));
      const title = `Connects a second, ${cameras.toLocaleString('en')} cameras on real sockets: simulated and measured`;
      const seconds = Math.ceil((outageMs + 1.5 * windowMs) / 60_000) * 60;
      plot({ name: 'herd-sockets', title, seconds, outageMs: measured.outageMs, capacityPerS: null }, [
        simulated,
        measured,
      ]);
    }
    process.stdout.write(
      json ? `${JSON.stringify(result)}\n` : `${markdown(command, measured, [simulated, measured], records)}\n`,
    );
    return complaint(measured, say) ? 1 : 0;
  } catch (error) {
    say(`herd: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function complaint({ bound, doubled, produced }: SocketsOutcome, say: (text: string) => void): boolean {
  const isWrong = bound.lost + doubled + bound.misbound + bound.waiting > 0 || bound.records !== produced;
  if (isWrong) say('herd: records were lost, doubled, mis-bound or still wait');
  return isWrong;
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
    `The outage lasted ${(outageMs / 1000).toFixed(1)} s, in both. Records: ${Object.entries(records)
      .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
      .join(', ')} (\`${command}\`).`,
  ].join('\n');
}
