/** `npm run qa-console`: tests one camera on a production line through its debug console. */
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { realClock } from '../common/adapters/real-clock.js';
import { asSealcamError } from '../common/errors.js';
import { VERSION } from '../common/version.js';
import { openSerialLine } from '../hal/linux/serial-line.js';
import { CommandFailure, runCommand, TOOL_MISSING_STATUS, wholeNumber } from './command.js';
import { junitReport, type TestCase } from './qa/junit.js';
import { makeToken, qaSigner } from './qa/keys.js';
import { QaSession, type Answer } from './qa/session.js';

const HELP = `npm run --silent qa-console -- --port TTY [options]

Drives the debug console of one camera for a production line: unlocks it, runs the self-test, writes a JUnit report.

  --port TTY        the serial port, such as /dev/ttyUSB0
  --baud N          default 115200
  --key FILE        the maker's QA key; without it the development key of mock cameras
  --report FILE     JUnit XML; default qa-report.xml. It names the camera and its version, this program's, the host, the time, the station
  --station NAME    name of the place on the line, for the report; default the host's name
  --min-fps N       fail a camera that delivers fewer frames per second; default half of what it was asked for
  --max-seconds N   fail a self-test that takes longer, up to 180; default 120
  --json            print one JSON object per test instead of text
  --help            print this text

Exit status: 0 all tests passed, 1 a test failed, 2 wrong usage, 4 the port cannot be opened.
`;

const ANSWER_TIMEOUT_MS = 20_000;
const SELFTEST_TIMEOUT_MS = 200_000;
const TOKEN_LIFETIME_S = 600;

interface Options {
  readonly port: string;
  readonly baud: number;
  readonly key: string | undefined;
  readonly report: string;
  readonly station: string;
  /** Options of the camera's own `selftest`. */
  readonly limits: string;
  readonly json: boolean;
}

interface SelfTestStep {
  readonly step: string;
  readonly outcome: 'pass' | 'fail' | 'none';
  readonly detail: string;
  readonly ms: number;
}

/** The tests of one camera, and their outcomes. */
class QaBench {
  private readonly options: Options;
  private readonly cases: TestCase[] = [];
  private device = 'unknown';
  private version = 'unknown';
  private readonly startedMs = realClock.wallMs();

  constructor(options: Options) {
    this.options = options;
  }

  /** Runs every test; one that fails does not end the others, unless they cannot be run without it. */
  async run(): Promise<void> {
    const line = await openSerialLine(this.options.port, this.options.baud, realClock);
    try {
      await this.runSession(new QaSession(line));
    } finally {
      await line.close();
    }
  }

  /** Writes the report of tests that could not be finished. */
  abandon(why: string): void {
    this.addCase({ name: 'the whole test', seconds: 0, failure: why });
    this.finish();
  }

  /** Writes the report. Returns whether every test passed. */
  finish(): boolean {
    const { port, report, station, json } = this.options;
    const hasPassed = this.cases.every(({ failure }) => failure === null);
    const { device, version } = this;
    const properties = { device, version, 'qa-console': VERSION, station, port };
    const facts = { name: 'sealcam qa', host: hostname(), startedMs: this.startedMs, properties };
    writeFileSync(report, junitReport(facts, this.cases));
    if (!json) process.stdout.write(`${hasPassed ? 'PASS' : 'FAIL'}: ${report}\n`);
    return hasPassed;
  }

  private async runSession(session: QaSession): Promise<void> {
    const ask = async (command: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<Answer> =>
      requireOk(await session.ask(command, timeoutMs));

    const isThere = await this.test('answers', async () => {
      this.device = String((await ask('id'))['device']);
      this.version = String((await ask('status'))['version']);
      return `${this.device}, version ${this.version}`;
    });
    if (!isThere) return;
    await this.test('is locked', async () => {
      const { code } = await session.ask('bundle', ANSWER_TIMEOUT_MS);
      if (code !== 'console-locked') throw new Error('a locked console answered `bundle`');
      return 'refuses what it must';
    });
    const isOpen = await this.test('unlocks', async () => {
      const { nonce } = await ask('unlock');
      const challenge = { device: this.device, nonce: String(nonce) };
      const token = makeToken(qaSigner(this.options.key), challenge, ['diagnose'], TOKEN_LIFETIME_S);
      const { scopes } = await ask(`unlock ${token}`);
      return `scopes ${String(scopes)}`;
    });
    if (!isOpen) return;
    let steps: readonly SelfTestStep[] = [];
    await this.test('runs the self-test', async () => {
      const answer = await ask(`selftest${this.options.limits}`, SELFTEST_TIMEOUT_MS);
      steps = answer['steps'] as readonly SelfTestStep[];
      return `${String(steps.length)} steps`;
    });
    for (const { step, outcome, detail, ms } of steps) {
      this.addCase({
        name: step,
        seconds: ms / 1000,
        failure: outcome === 'fail' ? detail : null,
        detail,
        skipped: outcome === 'none',
      });
    }
    await this.test('locks again', async () => {
      await ask('lock');
      return 'locked';
    });
  }

  /** Runs one test, which passes unless its body throws; the detail is what the body returns. */
  private async test(name: string, body: () => Promise<string>): Promise<boolean> {
    const startedMs = realClock.monotonicMs();
    const seconds = (): number => (realClock.monotonicMs() - startedMs) / 1000;
    try {
      const detail = await body();
      this.addCase({ name, seconds: seconds(), failure: null, detail });
      return true;
    } catch (error) {
      this.addCase({ name, seconds: seconds(), failure: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }

  private addCase(test: TestCase): void {
    this.cases.push(test);
    const passed = test.skipped === true ? 'none' : 'pass';
    const result = test.failure === null ? passed : 'FAIL';
    const detail = test.failure ?? test.detail ?? '';
    process.stdout.write(
      this.options.json
        ? `${JSON.stringify({ test: test.name, result, seconds: test.seconds, detail })}\n`
        : `${result.padEnd(5)} ${test.name.padEnd(16)} ${detail}\n`,
    );
  }
}

function limitText(name: string, value: string | undefined, max: number): string {
  return value === undefined ? '' : ` --${name} ${String(wholeNumber(name, value, 1, max))}`;
}

/** @throws Error with the message and code of an answer that is a refusal */
function requireOk(answer: Answer): Answer {
  if (answer['ok'] !== true) throw new Error(`${String(answer['message'])} [${String(answer['code'])}]`);
  return answer;
}

await runCommand({
  name: 'qa-console',
  help: HELP,
  options: {
    port: { type: 'string' },
    baud: { type: 'string', default: '115200' },
    key: { type: 'string' },
    report: { type: 'string', default: 'qa-report.xml' },
    station: { type: 'string', default: hostname() },
    'min-fps': { type: 'string' },
    'max-seconds': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  readOptions: ({ port, baud, key, report, station, json, ...limits }): Options => {
    if (port === undefined) throw new Error('--port is required');
    return {
      port,
      baud: wholeNumber('baud', baud, 50, 4_000_000),
      key,
      report,
      station,
      limits: limitText('min-fps', limits['min-fps'], 120) + limitText('max-seconds', limits['max-seconds'], 180),
      json,
    };
  },
  main: async (options) => {
    const bench = new QaBench(options);
    await bench.run().catch((error: unknown) => {
      const { code, message, hint } = asSealcamError(error);
      // What was found up to then is reported too: a camera that dies in its test has failed it.
      if (code !== 'serial-unavailable') bench.abandon(message);
      const status = code === 'serial-unavailable' ? TOOL_MISSING_STATUS : 1;
      throw new CommandFailure(status, `${message} [${code}]\n  ${hint}`);
    });
    return bench.finish() ? 0 : 1;
  },
});
