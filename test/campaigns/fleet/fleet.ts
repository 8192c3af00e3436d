/** `npm run fleet`: several ingest workers under load and under faults. docs/operations.md explains the figures. */
import {
  commandLine,
  CommandFailure,
  messageOf,
  printResult,
  reportViolations,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { missingTool, type ToolName } from '../../support/engines/programs.js';
import { mediaRateRun, type MediaRateResult } from './media-rates.js';
import { markdown, mediaMarkdown, table, violationsOf, type FleetResult } from './report.js';
import { rateRun, type RateResult, type RateSettings } from './rates.js';
import { endAll, faultRun, type FaultResult } from './runs.js';

const HELP = `npm run fleet [-- options]

Measures ingest with several workers on this machine: signing cameras, a broker (Mosquitto, or three NATS nodes), ingest
workers as processes of their own, SQLite or PostgreSQL. Measures records a second first, beside what the same worker
carries without verifying, then bodies of clips a second in the same way, in files and in S3, then injects faults under
load. docs/operations.md explains each figure.

  --cameras N     cameras that sign and send (default 200)
  --records N     records of each camera, beside its accept (default 20)
  --rounds N      pairs of rates, verifying and not, of which the median counts (default 3)
  --resend S      seconds after which a camera sends again what has no receipt; an agent waits at least 60 s (default 5)
  --clips N       clips of each of eight cameras that upload (default 3)
  --only PART     rates, media (or media-files, media-s3), worker, postgres or broker
  --json          print one JSON object on stdout
  --save          also write docs/results/fleet.json and fleet-media.json, with commit and date, and the tables in
                  docs/operations.md
  --help          print this text

Exit status: 0 nothing was lost, doubled or mis-bound; 1 otherwise, or a run could not finish; 2 wrong usage;
4 Mosquitto, PostgreSQL, NATS or Ceph's gateway is missing.
`;

interface Options {
  readonly cameras: number;
  readonly records: number;
  readonly rounds: number;
  readonly clips: number;
  readonly resendS: number;
  readonly only: string | null;
  readonly json: boolean;
  readonly save: boolean;
}

const PARTS = ['rates', 'media', 'media-files', 'media-s3', 'worker', 'postgres', 'broker'];
/** One address may have sixteen uploads under way. */
const UPLOADING_CAMERAS = 8;
const closers: (() => Promise<unknown>)[] = [];

async function fleet(options: Options, settings: RateSettings): Promise<FleetResult> {
  const { only, cameras, records, rounds, clips, resendS } = options;
  const { folder, progress } = settings;
  const startedMs = performance.now();
  const isWanted = (part: string): boolean => only === null || only === part;
  const rates: RateResult[] = [];
  const media: MediaRateResult[] = [];
  const faults: FaultResult[] = [];
  // A run that cannot finish is reported, and the others go on.
  const failures: string[] = [];
  const keep = async <T>(results: T[], run: () => Promise<T>): Promise<void> => {
    try {
      const result = await run();
      results.push(result);
      settings.progress(`  ${JSON.stringify(result)}`);
    } catch (error) {
      failures.push(messageOf(error));
      settings.progress(`  could not finish: ${messageOf(error)}`);
    }
  };
  if (isWanted('rates')) {
    for (const store of ['sqlite', 'postgres'] as const) {
      for (const workers of [1, 2]) await keep(rates, () => rateRun(settings, store, workers));
    }
  }
  const uploading = { folder, cameras: UPLOADING_CAMERAS, clips, rounds, progress };
  const keepCloser = (close: () => Promise<unknown>): void => void closers.unshift(close);
  for (const store of ['files', 's3'] as const) {
    if (isWanted('media') || only === `media-${store}`)
      await keep(media, () => mediaRateRun(uploading, store, keepCloser));
  }
  const two = { store: 'postgres', workers: 2 } as const;
  if (isWanted('worker')) {
    for (const broker of ['mosquitto', 'nats'] as const) {
      await keep(faults, () => faultRun(settings, 'worker killed', { ...two, broker }));
    }
  }
  if (isWanted('postgres'))
    await keep(faults, () => faultRun(settings, 'postgres crashed', { ...two, broker: 'mosquitto' }));
  if (isWanted('broker'))
    await keep(faults, () => faultRun(settings, 'broker node killed', { ...two, broker: 'nats' }));
  return {
    cameras,
    records: records + 1,
    resend_s: resendS,
    rates,
    media,
    faults,
    failures,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    command: commandLine('fleet'),
  };
}

async function main(options: Options, { folder, progress, onInterrupt }: CommandContext): Promise<number> {
  const isOnlyMedia = options.only?.startsWith('media') === true;
  const needed: ToolName[] = isOnlyMedia ? [] : ['mosquitto', 'nats', 'postgres'];
  if ([null, 'media', 'media-s3'].includes(options.only)) needed.push('radosgw');
  const missing = missingTool(needed);
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  onInterrupt(async () => {
    await endAll();
    await Promise.all(closers.map((close) => close()));
  });
  const { cameras, records, rounds, resendS } = options;
  const result = await fleet(options, { folder, cameras, records, rounds, resendMs: resendS * 1000, progress });
  if (options.save) {
    const { media, command, ...others } = result;
    if (media.length > 0) {
      saveResult('fleet-media', { command, media });
      writePart('docs/operations.md', 'fleet-media', mediaMarkdown(result));
    }
    if (!isOnlyMedia) {
      saveResult('fleet', { command, ...others });
      writePart('docs/operations.md', 'fleet', markdown(result));
    }
  }
  printResult(options.json, result, table(result));
  return reportViolations('fleet', violationsOf(result));
}

await runCommand({
  name: 'fleet',
  help: HELP,
  options: {
    cameras: { type: 'string', default: '200' },
    records: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    clips: { type: 'string', default: '3' },
    resend: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ cameras, records, rounds, clips, resend, only, json, save }): Options => {
    if (only !== undefined && !PARTS.includes(only)) throw new Error(`--only takes ${PARTS.join(', ')}`);
    return {
      cameras: wholeNumber('cameras', cameras, 1, 5000),
      records: wholeNumber('records', records, 1, 10_000),
      rounds: wholeNumber('rounds', rounds, 1, 99),
      clips: wholeNumber('clips', clips, 1, 100),
      resendS: wholeNumber('resend', resend, 1, 900),
      only: only ?? null,
      json,
      save,
    };
  },
  main,
});
