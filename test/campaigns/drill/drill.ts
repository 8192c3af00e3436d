import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, wholeNumber, type Surroundings } from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { missingTool } from '../../support/engines/programs.js';
import { runFaults } from './faults/index.js';
import { Incident, type Engines } from './incident.js';
import { complaints, markdown, stormFault, table, type DrillResult } from './report.js';

const HELP = `npm run drill [-- options]

The incident of February 2024 replayed: cameras, Mosquitto and cloud on this machine; an outage of broker and cloud,
everybody back at once, and a caching client that crosses its answers. Ingest that believes the cache is the control.
Then other mix-ups and lies, each on purpose. docs/drill.md says what each figure means.

  --cameras N     complete agents (default 500)
  --accounts M    whose they are (default: two for every five cameras)
  --processes P   in which the agents run, 1 to 8 (default 4)
  --store KIND    sqlite or postgres (default sqlite)
  --broker KIND   mosquitto, or nats: a cluster of three nodes (default mosquitto)
  --seed S        of the cache's faults and of when people walk by (default 1)
  --json          one JSON object on stdout
  --save          also into docs/results/drill.json, with commit and date, and into the README;
                  on other engines into docs/results/drill-STORE-BROKER.json alone
  --help          this text

Exit status: 0 the control leaked, and of ours nothing was mis-bound, opened by a stranger or lost, and every injected
fault was alarmed; 1 not so, or the drill could not end; 2 wrong usage; 4 Mosquitto, PostgreSQL or NATS is missing.
`;

interface Options extends Engines {
  readonly cameras: number;
  readonly accounts: number;
  readonly processes: number;
  readonly seed: number;
  readonly json: boolean;
  readonly save: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      cameras: { type: 'string', default: '500' },
      accounts: { type: 'string' },
      processes: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' },
      store: { type: 'string', default: 'sqlite' },
      broker: { type: 'string', default: 'mosquitto' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { store, broker } = values;
  if (store !== 'sqlite' && store !== 'postgres') throw new Error('--store takes sqlite or postgres');
  if (broker !== 'mosquitto' && broker !== 'nats') throw new Error('--broker takes mosquitto or nats');
  const cameras = wholeNumber('cameras', values.cameras, 4, 2000);
  return {
    cameras,
    store,
    broker,
    json: values.json,
    save: values.save,
    accounts: wholeNumber('accounts', values.accounts ?? String(Math.max(2, Math.round(cameras * 0.4))), 2, cameras),
    processes: wholeNumber('processes', values.processes, 1, 8),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
  };
}

async function drill(options: Options, { folder, say, onInterrupt }: Surroundings): Promise<DrillResult> {
  const { cameras, accounts, processes, seed, store, broker } = options;
  const begun = performance.now();
  const incident = await Incident.prepare({ folder, cameras, accounts, processes, seed, store, broker, say });
  onInterrupt(() => incident.end());
  const replayed = await incident.run().finally(() => incident.end());
  mkdirSync(join(folder, 'faults'));
  const faults = await runFaults(join(folder, 'faults'), say);
  const engines = isDefault(options) ? '' : ` --store ${store} --broker ${broker}`;
  return {
    cameras,
    accounts,
    store,
    broker,
    control: replayed.control,
    sealcam: replayed.sealcam,
    faults: [stormFault(replayed), ...faults],
    seconds: Math.round((performance.now() - begun) / 1000),
    command: `npm run drill -- --cameras ${String(cameras)} --accounts ${String(accounts)} --seed ${String(seed)}${engines}`,
  };
}

/** The engines whose figures are in the README. */
function isDefault({ store, broker }: Engines): boolean {
  return store === 'sqlite' && broker === 'mosquitto';
}

async function main(options: Options, surroundings: Surroundings): Promise<number> {
  const { store, broker } = options;
  const tool = missingTool([broker, ...(store === 'postgres' ? (['postgres'] as const) : [])]);
  if (tool !== null) {
    process.stderr.write(`drill: ${tool}\n`);
    return 4;
  }
  const result = await drill(options, surroundings);
  if (options.save) {
    saveResult(isDefault(options) ? 'drill' : `drill-${store}-${broker}`, { ...result });
    if (isDefault(options)) writePart('README.md', 'drill', markdown(result));
  }
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${table(result)}\n`);
  const wrong = complaints(result);
  for (const complaint of wrong) process.stderr.write(`drill: ${complaint}\n`);
  return wrong.length === 0 ? 0 : 1;
}

await runCommand('drill', readOptions, main);
