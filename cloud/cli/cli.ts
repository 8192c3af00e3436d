#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { surviveBrokenPipe } from '../../common/adapters/broken-pipe.js';
import type { ConfigSource } from '../../common/config/load.js';
import { ERROR_CODES } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';
import { VERSION } from '../../common/version.js';
import { archiveCommand, type ArchiveOptions } from './access.js';
import { affectedCommand, type AffectedOptions } from './affected.js';
import { deletionsCommand } from './deletions.js';
import { alarmsCommand, quarantineCommand } from './inspect.js';
import { pauseCommand, readsStatusCommand, resumeCommand, type ReadsOptions } from './reads.js';
import { revokeImportCommand, revokeStatusCommand } from './revoke.js';
import { receiptKeysCommand, rotateCommand } from './receipt-keys.js';
import { serveCommand } from './serve.js';

interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  sealcam-cloud serve --config cloud.toml           receive records from a broker, serve the API
  SEALCLOUD_MQTT_EMBEDDED=true sealcam-cloud serve  the same with its own broker, for a laptop
  sealcam-cloud affected --since 2026-02-16T09:00:00Z --until 2026-02-16T12:00:00Z
  sealcam-cloud access archive --before 2026-02-01 --to /srv/access-log
  sealcam-cloud alarms --since 2026-02-16T09:00:00Z
  sealcam-cloud quarantine --limit 20 --json
  sealcam-cloud deletions
  sealcam-cloud receipt-keys rotate
  sealcam-cloud revoke import revoked.list
  sealcam-cloud reads pause --all --sentence "We are looking into a fault. Your cameras keep recording."

Settings come from defaults, then the file, then SEALCLOUD_… in the environment; docs/configuration.md lists them.
Exit status: 0 success, 1 internal fault, 2 wrong usage or configuration, 3 input refused, 4 something outside is missing.
`;

function sourceOf(options: CommonOptions): ConfigSource {
  return {
    file: options.config ?? process.env['SEALCLOUD_CONFIG'] ?? null,
    environment: process.env,
    warn: (text) => process.stderr.write(`sealcam-cloud: warning: ${text}\n`),
  };
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1');
  return value;
}

async function runReported(json: boolean, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    const { code, message, hint } = asSealcamError(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
    else process.stderr.write(`sealcam-cloud: ${message} [${code}]\n  ${hint}\n`);
    process.exitCode = ERROR_CODES[code].exit;
  }
}

const program = new Command('sealcam-cloud')
  .description('Receives signed records of cameras, binds each to its owner, and serves them to the owner.')
  .version(VERSION)
  .addHelpText('after', EXAMPLES)
  .exitOverride();

const configOption = ['-c, --config <file>', 'TOML file with settings (or SEALCLOUD_CONFIG)'] as const;
const jsonOption = ['--json', 'one JSON object a line instead of text'] as const;

program
  .command('serve')
  .description('receive records from the broker and serve the API, until SIGTERM')
  .option(...configOption)
  .action((options: CommonOptions) => runReported(false, () => serveCommand(sourceOf(options))));

program
  .command('affected')
  .description('list which accounts were shown what of which camera; readers that the claim does not name come first')
  .requiredOption('--since <time>', 'start of the time (ISO 8601 with zone; times are printed in this zone)')
  .requiredOption('--until <time>', 'end of the time, excluded')
  .option('--device <hex>', 'this camera only')
  .option('--account <hex>', "this account's cameras, and what was shown to it")
  .option('--archive <folder>', 'read the days that were archived there, too')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & Omit<AffectedOptions, 'json'>) =>
    runReported(options.json === true, () =>
      affectedCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

const access = program.command('access').description('the access log: who was shown what');

access
  .command('archive')
  .description('move the lines of whole days into one file a day; may be repeated and interrupted')
  .requiredOption('--before <date>', 'the UTC day, like 2026-02-01, that is the first to stay')
  .requiredOption('--to <folder>', 'folder of the files access-<day>.jsonl.gz')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & Omit<ArchiveOptions, 'json'>) =>
    runReported(options.json === true, () =>
      archiveCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

program
  .command('alarms')
  .description("list refusals at ingest, at a read or on an owner's page that point to a mix-up, newest first")
  .option('--since <time>', 'start of the time (ISO 8601 with zone)')
  .option('--limit <n>', 'most entries to print', positiveInteger, 200)
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & { readonly since?: string; readonly limit: number }) =>
    runReported(options.json === true, () =>
      alarmsCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

program
  .command('quarantine')
  .description('list refused messages and records, newest first')
  .option('--limit <n>', 'most entries to print', positiveInteger, 50)
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & { readonly limit: number }) =>
    runReported(options.json === true, () =>
      quarantineCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

program
  .command('deletions')
  .description('list what owners deleted and what is not erased yet, the next due first')
  .option('--limit <n>', 'most accounts and most ranges to print', positiveInteger, 200)
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & { readonly limit: number }) =>
    runReported(options.json === true, () =>
      deletionsCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

const receiptKeys = program
  .command('receipt-keys')
  .description('list the keys that sign receipts, with the open claims that still need them')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) =>
    runReported(options.json === true, () => receiptKeysCommand(sourceOf(options), { json: options.json === true })),
  );

receiptKeys
  .command('rotate')
  .description('retire the current key, make its successor current and create a new successor')
  .action((_: unknown, command: Command) => {
    // The options belong to the parent command, which reads them wherever they stand.
    const options: CommonOptions = command.optsWithGlobals();
    return runReported(options.json === true, () => rotateCommand(sourceOf(options), { json: options.json === true }));
  });

const revoke = program.command('revoke').description("the maker's list of revoked devices");

revoke
  .command('import')
  .description('import a signed list; its version must be above the last')
  .argument('<file>', 'the list, raw or in base64, as `npm run revoke` writes it')
  .option(...configOption)
  .option(...jsonOption)
  .action((file: string, options: CommonOptions) =>
    runReported(options.json === true, () =>
      revokeImportCommand(sourceOf(options), file, { json: options.json === true }),
    ),
  );

revoke
  .command('status')
  .description('print the newest list')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) =>
    runReported(options.json === true, () => revokeStatusCommand(sourceOf(options), { json: options.json === true })),
  );

const reads = program.command('reads').description('the kill switch: stop all reading, for one account or for all');
const scopeOptions = [
  ['--all', 'all accounts'],
  ['--account <hex>', 'one account: its own reads, and what others read of its cameras'],
] as const;

reads
  .command('pause')
  .description('pause reading from the next read on; ingest and receipts continue')
  .option(...scopeOptions[0])
  .option(...scopeOptions[1])
  .requiredOption('--sentence <text>', 'the sentence that owners see')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & Omit<ReadsOptions, 'json'> & { readonly sentence: string }) =>
    runReported(options.json === true, () =>
      pauseCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

reads
  .command('resume')
  .description('resume reading')
  .option(...scopeOptions[0])
  .option(...scopeOptions[1])
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions & Omit<ReadsOptions, 'json'>) =>
    runReported(options.json === true, () =>
      resumeCommand(sourceOf(options), { ...options, json: options.json === true }),
    ),
  );

reads
  .command('status')
  .description('print what is paused, and the last changes')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) =>
    runReported(options.json === true, () => readsStatusCommand(sourceOf(options), { json: options.json === true })),
  );

surviveBrokenPipe();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
