/** `npm run reads`: what each read costs in a small and in a large store. */
import { join } from 'node:path';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { STORE_KINDS, type StoreKind } from '../../../cloud/store/kinds.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import {
  commandLine,
  CommandFailure,
  printResult,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { missingTool } from '../../support/engines/programs.js';
import { postgres } from '../../support/engines/postgres.js';
import { READ_CASES, type ReadCase } from './cases.js';
import { filled, fillPostgres, fillSqlite, type FillSettings } from './fill.js';

const HELP = `npm run reads [-- options]

Fills a SQLite and a PostgreSQL store with records, small and large, and prints what each read takes in both, in
microseconds, as the median of its repetitions, and the ratio.

  --small N       records of the small store (default 10000)
  --large N       records of the large store (default 1000000)
  --repeat N      repetitions of each read (default 60)
  --only KIND     sqlite or postgres
  --json          print one JSON object on stdout
  --save          also write docs/results/reads.json, with commit and date, and the table in docs/operations.md
  --help          print this text

Exit status: 0 done, 2 wrong usage, 4 PostgreSQL is missing.
`;

interface Options {
  readonly small: number;
  readonly large: number;
  readonly repeat: number;
  readonly only: StoreKind | null;
  readonly json: boolean;
  readonly save: boolean;
}

interface ReadResult {
  readonly store: StoreKind;
  readonly read: string;
  readonly small_us: number;
  readonly large_us: number;
  readonly ratio: number;
}

interface ReadsResult {
  readonly small: number;
  readonly large: number;
  readonly reads: readonly ReadResult[];
  readonly seconds: number;
  readonly command: string;
}

interface Opened {
  readonly store: CloudStore;
  readonly settings: FillSettings;
}

/** Returns the median time of a read in each store, in microseconds. They take turns, so that both see the same machine. */
async function timesOf({ read }: ReadCase, stores: readonly Opened[], repeat: number): Promise<readonly number[]> {
  const times = stores.map((): number[] => []);
  for (let i = 0; i < repeat; i++) {
    for (const [place, { store, settings }] of stores.entries()) {
      const at = filled(settings);
      const middle = 1000 + Math.floor(((at.highest - 1000) * i) / repeat);
      const lastId = await store.records.lastId();
      const startedNs = process.hrtime.bigint();
      await read(store, { ...at, middle, middleId: middle, lastId, nowMs: settings.nowMs });
      times[place]?.push(Number(process.hrtime.bigint() - startedNs) / 1000);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0);
}

async function measure(
  kind: StoreKind,
  { small, large, repeat }: Options,
  { folder, progress, onInterrupt }: CommandContext,
): Promise<ReadResult[]> {
  const server = kind === 'postgres' ? postgres(folder) : null;
  onInterrupt(async () => server?.stop());
  const opened: Opened[] = [];
  const columns: (readonly number[])[] = [];
  try {
    await server?.start();
    for (const records of [small, large]) {
      progress(`${kind}: ${String(records)} records`);
      const settings = { records, nowMs: Date.UTC(2026, 10, 21, 12) };
      const path = join(folder, `${String(records)}.db`);
      const url = (await server?.database(`reads_${String(records)}`)) ?? null;
      const open = async (): Promise<CloudStore> =>
        url === null ? openSqliteStore(path) : openPostgresStore({ url, password: undefined, connections: 2 });
      await (await open()).close();
      if (url === null) fillSqlite(path, settings);
      else await fillPostgres(url, settings);
      opened.push({ store: await open(), settings });
    }
    progress(`${kind}: reading`);
    for (const one of READ_CASES) columns.push(await timesOf(one, opened, repeat));
  } finally {
    for (const { store } of opened) await store.close();
    await server?.stop();
  }
  return READ_CASES.map(({ name }, i) => {
    const [smallUs, largeUs] = columns[i] ?? [];
    return {
      store: kind,
      read: name,
      small_us: Math.round(smallUs ?? 0),
      large_us: Math.round(largeUs ?? 0),
      ratio: Number(((largeUs ?? 0) / (smallUs ?? 1)).toFixed(2)),
    };
  });
}

function table({ reads }: ReadsResult): string {
  const lines = reads.map(({ store, read, small_us, large_us, ratio }) =>
    [store.padEnd(10), read.padEnd(46), ...[small_us, large_us, ratio].map((n) => String(n).padStart(10))].join(''),
  );
  return [
    `${' '.repeat(56)}${'small, µs'.padStart(10)}${'large, µs'.padStart(10)}${'ratio'.padStart(10)}`,
    ...lines,
    '',
  ].join('\n');
}

function markdown({ reads, command, small, large }: ReadsResult): string {
  const number = (value: number): string => value.toLocaleString('en');
  const of = (store: StoreKind, name: string): string => {
    const found = reads.find((one) => one.store === store && one.read === name);
    return found === undefined
      ? ' | | '
      : `${number(found.small_us)} | ${number(found.large_us)} | ${String(found.ratio)}`;
  };
  return [
    `\`${command}\` ([result](results/reads.json)), medians in µs at ${number(small)} and ${number(large)} records:`,
    '',
    '| read | SQLite, small | large | ratio | PostgreSQL, small | large | ratio |',
    '|---|---|---|---|---|---|---|',
    ...READ_CASES.map(({ name }) => `| ${name} | ${of('sqlite', name)} | ${of('postgres', name)} |`),
  ].join('\n');
}

async function main(options: Options, context: CommandContext): Promise<number> {
  const { small, large, only } = options;
  const kinds = STORE_KINDS.filter((kind) => only === null || kind === only);
  const missing = kinds.includes('postgres') ? missingTool(['postgres']) : null;
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const startedMs = performance.now();
  const reads: ReadResult[] = [];
  for (const kind of kinds) reads.push(...(await measure(kind, options, context)));
  const result: ReadsResult = {
    small,
    large,
    reads,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    command: commandLine('reads'),
  };
  if (options.save) {
    saveResult('reads', { ...result });
    writePart('docs/operations.md', 'reads', markdown(result));
  }
  printResult(options.json, result, table(result));
  return 0;
}

await runCommand({
  name: 'reads',
  help: HELP,
  options: {
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '1000000' },
    repeat: { type: 'string', default: '60' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ small, large, repeat, only, json, save }): Options => {
    const kind = STORE_KINDS.find((one) => one === only) ?? null;
    if (only !== undefined && kind === null) throw new Error(`--only takes ${STORE_KINDS.join(' or ')}`);
    return {
      small: wholeNumber('small', small, 4000, 10_000_000),
      large: wholeNumber('large', large, 4000, 10_000_000),
      repeat: wholeNumber('repeat', repeat, 1, 10_000),
      only: kind,
      json,
      save,
    };
  },
  main,
});
