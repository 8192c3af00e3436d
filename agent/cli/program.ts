import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { realClock } from '../../common/adapters/real-clock.js';
import { SealcamError } from '../../common/errors.js';
import { VERSION } from '../../common/version.js';
import { runReported, sourceOf, type CommonOptions } from './common.js';
import type { EvidenceOptions } from './evidence.js';
import type { OpenOptions } from './open.js';
import { processOutput } from './output.js';
import type { ReplayOptions } from './replay.js';
import { runCamera } from './run-camera.js';
import type { VerifyPageOptions } from './verify-page.js';

type VerifyArguments = CommonOptions & Partial<VerifyPageOptions>;
type ReplayArguments = CommonOptions & Omit<ReplayOptions, 'framesPerSecond'> & { readonly fps: number };

const EXAMPLES = `
Examples:
  sealcam keygen                        create this camera's keys, show its claim code
  sealcam run                           run a mock camera that publishes to mqtt://127.0.0.1:1883
  sealcam run --config camera.toml      run with settings from a file
  sealcam replay clip.mp4 --json        print the events of a video, one JSON object per line
  sealcam verify export.jsonl           verify everything in an account's export
  sealcam open export.jsonl --recovery recovery.json --out pictures
                                        write the pictures that the owner's recovery file opens
  sealcam evidence export.jsonl         list the events of an export; with --event ID make a file that proves one
  sealcam verify sealcam-1f2e3d4c.evidence
                                        verify such a file, without any other key
  sealcam verify --page https://home.example/ --key RW…
                                        compare every file of the owner's page with its maker's signed list
  sealcam doctor                        check what the camera needs

Settings come from defaults, then the file, then SEALCAM_… in the environment; docs/configuration.md lists them.
Exit status: 0 done, 1 internal error, 2 wrong usage or configuration, 3 input refused, 4 something outside is missing.
`;

function frameRate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 120)) throw new InvalidArgumentError('expected frames per second, above 0 and up to 120');
  return value;
}

function atLeast(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0');
  return value;
}

const program = new Command('sealcam')
  .description('A home camera that seals every picture to its owner and signs every record.')
  .version(VERSION)
  .addHelpText('after', EXAMPLES)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

const configOption = ['-c, --config <file>', 'TOML file with settings (or SEALCAM_CONFIG)'] as const;
const jsonOption = ['--json', 'print one JSON object per line instead of text'] as const;

program
  .command('run')
  .description('run the camera until SIGTERM; SIGHUP reloads the configuration, all or nothing')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) => runCamera(options));

program
  .command('replay')
  .argument('<video>', 'a video file, a folder of JPEG files, or a mock scenario: mock:walk')
  .description("play a video through the camera's detector and print its events; nothing is published")
  .option(...configOption)
  .option(...jsonOption)
  .option('--fps <n>', 'frames per second of a folder of JPEG files', frameRate, 10)
  .option(
    '--explain <folder>',
    'write a sheet of each event and of each near miss, with the reasons, into an empty folder',
  )
  .option('--contact-sheet <file>', 'draw the pictures of all events into one PNG file')
  .option('--clips <folder>', 'write the clips of all events, sealed, into an empty folder, with a new key beside them')
  .option('--open <file>', "with --clips: seal them to this owner's master key instead, and write them opened too")
  .action((video: string, { fps, ...options }: ReplayArguments) => {
    const output = processOutput(options.json === true);
    return runReported(options.json === true, async () => {
      const { replayCommand } = await import('./replay.js');
      return replayCommand(video, sourceOf(options), { framesPerSecond: fps, ...options }, output);
    });
  });

program
  .command('verify')
  .argument('[file]', "a signed object (raw or base64), an account's export, or an evidence file")
  .description('verify signatures, owners and history, or a page; status 3 if anything is refused')
  .option('--page <url>', "instead of a file: every file of the owner's page as it is served there")
  .addOption(
    new Option('--key <key>', "with --page: the maker's public key, a .pub file of minisign or its second line").env(
      'SEALCAM_PAGE_KEY',
    ),
  )
  .option('--least <n>', 'with --page: the lowest number of a list that counts, as an earlier run printed it', atLeast)
  .option(...jsonOption)
  .action((file: string | undefined, { page, ...options }: VerifyArguments) =>
    runReported(options.json === true, async () => {
      const output = processOutput(options.json === true);
      if (page !== undefined && file === undefined) {
        const { verifyPageCommand } = await import('./verify-page.js');
        return verifyPageCommand({ page, ...options }, output, { fetch, clock: realClock });
      }
      if (file === undefined || page !== undefined) {
        throw new SealcamError('usage-invalid', 'give a file, or --page with an address');
      }
      const { verifyCommand } = await import('./verify.js');
      return verifyCommand(file, output);
    }),
  );

const keyOptions = [
  new Option('--recovery <file>', "the owner's recovery file, as the page saved it"),
  new Option('--passphrase-file <file>', 'its passphrase, in the first line of a file; else it is asked for'),
  new Option('--key <file>', "instead: the owner's master key, 32 bytes or hex"),
];

const openProgram = program
  .command('open')
  .argument('<file>', "an account's export, with the camera's key records; or an evidence file, which needs no key")
  .description("write the pictures and clips of an export that the owner's key opens; status 3 if any does not open")
  .requiredOption('--out <folder>', 'folder for the files, empty or new')
  .option(...jsonOption)
  .action((file: string, options: CommonOptions & OpenOptions) =>
    runReported(options.json === true, async () => {
      const { openCommand } = await import('./open.js');
      return openCommand(file, options, processOutput(options.json === true));
    }),
  );

const evidenceProgram = program
  .command('evidence')
  .argument('<export>', "an account's export")
  .description('list the events of an export, or write one into a file that anybody can verify')
  .option('--event <id>', 'the event: its id, or how the id begins; without it the events are listed')
  .option('--out <file>', 'the file to write (sealcam-ID.evidence)')
  .option(...jsonOption)
  .action((file: string, options: CommonOptions & EvidenceOptions) =>
    runReported(options.json === true, async () => {
      const { evidenceCommand } = await import('./evidence.js');
      return evidenceCommand(file, options, processOutput(options.json === true));
    }),
  );
for (const option of keyOptions) {
  openProgram.addOption(option);
  evidenceProgram.addOption(option);
}

program
  .command('keygen')
  .description("create this camera's keys in the data folder, or show the existing ones, with the claim code")
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) =>
    runReported(options.json === true, async () => {
      const { keygenCommand } = await import('./keygen.js');
      return keygenCommand(sourceOf(options), processOutput(options.json === true));
    }),
  );

program
  .command('doctor')
  .description('check everything the camera needs; for what is missing, print what to do')
  .option(...configOption)
  .option(...jsonOption)
  .action((options: CommonOptions) =>
    runReported(options.json === true, async () => {
      const { doctorCommand } = await import('./doctor.js');
      return doctorCommand(sourceOf(options), processOutput(options.json === true));
    }),
  );

/** Runs the command that the arguments name, and sets the exit status. */
export async function runProgram(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version exit with 0; anything else that commander throws is wrong usage.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}
