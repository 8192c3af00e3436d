/**
 * `npm run drill`: replays the incident of February 2024 with and without sealcam. docs/drill.md explains the figures.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  commandLine,
  CommandFailure,
  printResult,
  reportViolations,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { missingTool } from '../../support/engines/programs.js';
import { runFaults } from './faults/index.js';
import { Incident, type Engines } from './incident.js';
import { clipsOf, markdown, stormFault, table, violationsOf, type DrillResult } from './report.js';

const HELP = `npm run drill [-- options]

Replays the incident of February 2024: cameras, Mosquitto and cloud on this machine; an outage of broker and cloud, all
cameras back at the same time, and a caching client that mixes up its answers. The control is an ingest that trusts the
cache. Then injects other mix-ups and lies, one by one. docs/drill.md explains each figure.

  --cameras N     complete agents (default 500)
  --accounts M    accounts that own them (default: two for every five cameras)
  --processes P   processes that the agents run in, 1 to 8 (default 4)
  --store KIND    sqlite or postgres (default sqlite)
  --broker KIND   mosquitto, or nats: a cluster of three nodes (default mosquitto)
  --seed S        of the cache's faults and of the times at which people walk by (default 1)
  --json          print one JSON object on stdout
  --save          also write docs/results/drill.json, with commit and date, and the README's table;
                  with another store or broker only docs/results/drill-STORE-BROKER.json
  --help          print this text

Exit status: 0 the control leaked; with sealcam no record was mis-bound or lost, no stranger opened a picture, and every
injected fault raised an alarm; 1 otherwise, or the drill could not finish; 2 wrong usage; 4 Mosquitto, PostgreSQL or NATS
is missing.
`;

interface Options extends Engines {
  readonly cameras: number;
  readonly accounts: number;
  readonly processes: number;
  readonly seed: number;
  readonly json: boolean;
  readonly save: boolean;
}

function readOptions(values: {
  readonly cameras: string;
  readonly accounts?: string | undefined;
  readonly processes: string;
  readonly seed: string;
  readonly store: string;
  readonly broker: string;
  readonly json: boolean;
  readonly save: boolean;
}): Options {
  const { store, broker, json, save } = values;
  if (store !== 'sqlite' && store !== 'postgres') throw new Error('--store takes sqlite or postgres');
  if (broker !== 'mosquitto' && broker !== 'nats') throw new Error('--broker takes mosquitto or nats');
  const cameras = wholeNumber('cameras', values.cameras, 4, 2000);
  const accounts = values.accounts ?? String(Math.max(2, Math.round(cameras * 0.4)));
  return {
    cameras,
    store,
    broker,
    json,
    save,
    accounts: wholeNumber('accounts', accounts, 2, cameras),
    processes: wholeNumber('processes', values.processes, 1, 8),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
  };
}

async function drill(options: Options, { folder, progress, onInterrupt }: CommandContext): Promise<DrillResult> {
  const { cameras, accounts, store, broker } = options;
  const startedMs = performance.now();
  const incident = await Incident.prepare({ ...options, folder, progress });
  onInterrupt(() => incident.end());
  const replayed = await incident.run().finally(() => incident.end());
  mkdirSync(join(folder, 'faults'));
  const faults = await runFaults(join(folder, 'faults'), progress);
  return {
    cameras,
    accounts,
    store,
    broker,
    versions: replayed.versions,
    walks: replayed.walks,
    control: replayed.control,
    sealcam: replayed.sealcam,
    faults: [stormFault(replayed), ...faults],
    clips: clipsOf(faults),
    seconds: Math.round((performance.now() - startedMs) / 1000),
    command: commandLine('drill'),
  };
}

/** The engines whose figures are in the README. */
function isDefault({ store, broker }: Engines): boolean {
  return store === 'sqlite' && broker === 'mosquitto';
}

async function main(options: Options, context: CommandContext): Promise<number> {
  const { store, broker } = options;
  const missing = missingTool(store === 'postgres' ? [broker, 'postgres'] : [broker]);
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const result = await drill(options, context);
  if (options.save) {
    saveResult(isDefault(options) ? 'drill' : `drill-${store}-${broker}`, { ...result });
    if (isDefault(options)) writePart('README.md', 'drill', markdown(result));
  }
  printResult(options.json, result, table(result));
  return reportViolations('drill', violationsOf(result));
}

await runCommand({
  name: 'drill',
  help: HELP,
  options: {
    cameras: { type: 'string', default: '500' },
    accounts: { type: 'string' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string', default: 'sqlite' },
    broker: { type: 'string', default: 'mosquitto' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: (values) => readOptions(values),
  main,
});
