import { parseArgs } from 'node:util';
import { runCommand, wholeNumber, type Surroundings } from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { missingTool } from '../../support/engines/programs.js';
import { complaints, markdown, table, type FleetResult } from './report.js';
import { endAll, faultRun, rateRun, type FaultResult, type FleetSettings, type RateResult } from './runs.js';

const HELP = `npm run fleet [-- options]

Ingest past one machine, on this one: signing cameras, a broker (Mosquitto, or three NATS nodes), several ingest workers
as processes of their own, SQLite or PostgreSQL. First records a second, then faults under load. docs/operations.md
says what each figure means.

  --cameras N     that sign and send (default 200)
  --records N     of each, beside its accept (default 20)
  --resend S      seconds after which a camera sends again what has no receipt; an agent waits 60 s at least (default 5)
  --only WHAT     rates, worker, postgres or broker, and no more
  --json          one JSON object on stdout
  --save          also into docs/results/fleet.json, with commit and date, and into docs/operations.md
  --help          this text

Exit status: 0 nothing was lost, doubled or mis-bound; 1 not so, or a run could not end; 2 wrong usage; 4 Mosquitto,
PostgreSQL or NATS is missing.
`;

interface Options {
  readonly cameras: number;
  readonly records: number;
  readonly resendS: number;
  readonly only: string | null;
  readonly json: boolean;
  readonly save: boolean;
}

const PARTS = ['rates', 'worker', 'postgres', 'broker'];

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      cameras: { type: 'string', default: '200' },
      records: { type: 'string', default: '20' },
      resend: { type: 'string', default: '5' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  if (values.only !== undefined && !PARTS.includes(values.only)) throw new Error(`--only takes ${PARTS.join(', ')}`);
  return {
    cameras: wholeNumber('cameras', values.cameras, 1, 5000),
    records: wholeNumber('records', values.records, 1, 10_000),
    resendS: wholeNumber('resend', values.resend, 1, 900),
    only: values.only ?? null,
    json: values.json,
    save: values.save,
  };
}

async function fleet(options: Options, settings: FleetSettings): Promise<FleetResult> {
  const { only, cameras, records, resendS } = options;
  const begun = performance.now();
  const isAsked = (part: string): boolean => only === null || only === part;
  const rates: RateResult[] = [];
  const faults: FaultResult[] = [];
  // One that cannot end is said, and takes no other with it.
  const failures: string[] = [];
  const keep = async <T>(results: T[], run: () => Promise<T>): Promise<void> => {
    try {
      const result = await run();
      results.push(result);
      settings.say(`  ${JSON.stringify(result)}`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      settings.say(`  could not end: ${failures.at(-1) ?? ''}`);
    }
  };
  if (isAsked('rates')) {
    for (const store of ['sqlite', 'postgres'] as const) {
      for (const workers of [1, 2]) await keep(rates, () => rateRun(settings, store, workers));
    }
  }
  const two = { store: 'postgres', workers: 2 } as const;
  if (isAsked('worker')) {
    for (const broker of ['mosquitto', 'nats'] as const) {
      await keep(faults, () => faultRun(settings, 'worker killed', { ...two, broker }));
    }
  }
  if (isAsked('postgres'))
    await keep(faults, () => faultRun(settings, 'postgres crashed', { ...two, broker: 'mosquitto' }));
  if (isAsked('broker')) await keep(faults, () => faultRun(settings, 'broker node killed', { ...two, broker: 'nats' }));
  const args = `--cameras ${String(cameras)} --records ${String(records)} --resend ${String(resendS)}`;
  return {
    cameras,
    records: records + 1,
    resend_s: resendS,
    rates,
    faults,
    failures,
    seconds: Math.round((performance.now() - begun) / 1000),
    command: `npm run fleet -- ${args}${only === null ? '' : ` --only ${only}`}`,
  };
}

async function main(options: Options, { folder, say, onInterrupt }: Surroundings): Promise<number> {
  const tool = missingTool(['mosquitto', 'nats', 'postgres']);
  if (tool !== null) {
    process.stderr.write(`fleet: ${tool}\n`);
    return 4;
  }
  onInterrupt(endAll);
  const { cameras, records, resendS } = options;
  const result = await fleet(options, { folder, cameras, records, resendMs: resendS * 1000, say });
  if (options.save) {
    saveResult('fleet', { ...result });
    writePart('docs/operations.md', 'fleet', markdown(result));
  }
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${table(result)}\n`);
  const wrong = complaints(result);
  for (const complaint of wrong) process.stderr.write(`fleet: ${complaint}\n`);
  return wrong.length === 0 ? 0 : 1;
}

await runCommand('fleet', readOptions, main);
