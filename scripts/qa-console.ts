import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { realClock } from '../common/adapters/real-clock.js';
import { asSealcamError } from '../common/errors.js';
import { openSerialLine } from '../hal/linux/serial-line.js';
import { junitReport, type TestCase } from './qa/junit.js';
import { makeToken, qaSigner } from './qa/keys.js';
import { QaSession, type Answer } from './qa/session.js';

const HELP = `npm run --silent qa-console -- --port TTY [options]

Drives the debug console of one camera for a production line: unlocks it, runs the self-test, writes a JUnit report.

  --port TTY        the serial port, as /dev/ttyUSB0
  --baud N          default 115200
  --key FILE        the maker's QA key; without it the development key of mock cameras
  --report FILE     JUnit XML; default qa-report.xml
  --json            one JSON object a test on stdout instead of text
  --help            this text

Exit status: 0 all passed, 1 a test failed, 2 wrong usage, 4 the port cannot be opened.
`;

const ANSWER_LIMIT_MS = 20_000;
const SELFTEST_LIMIT_MS = 200_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    baud: { type: 'string', default: '115200' },
    key: { type: 'string' },
    report: { type: 'string', default: 'qa-report.xml' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface SelfTestStep {
  readonly step: string;
  readonly outcome: 'pass' | 'fail' | 'none';
  readonly detail: string;
  readonly ms: number;
}

const cases: TestCase[] = [];
let device = 'unknown';

function report(test: TestCase): void {
  cases.push(test);
  const result = test.failure !== null ? 'FAIL' : test.skipped === true ? 'none' : 'pass';
  const detail = test.failure ?? test.detail ?? '';
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ test: test.name, result, seconds: test.seconds, detail })}\n`
      : `${result.padEnd(5)} ${test.name.padEnd(16)} ${detail}\n`,
  );
}

/** One test: passes unless its body throws; what it returns is the detail. */
async function test(name: string, body: () => Promise<string>): Promise<boolean> {
  const begunMs = realClock.monotonicMs();
  const seconds = (): number => (realClock.monotonicMs() - begunMs) / 1000;
  try {
    const detail = await body();
    report({ name, seconds: seconds(), failure: null, detail });
    return true;
  } catch (error) {
    report({ name, seconds: seconds(), failure: error instanceof Error ? error.message : String(error) });
    return false;
  }
}

function wellOf(answer: Answer): Answer {
  if (answer['ok'] !== true) throw new Error(`${String(answer['message'])} [${String(answer['code'])}]`);
  return answer;
}

async function run(port: string): Promise<void> {
  const line = await openSerialLine(port, Number(values.baud), realClock);
  try {
    const session = new QaSession(line);
    const ask = async (command: string, limitMs = ANSWER_LIMIT_MS): Promise<Answer> =>
      wellOf(await session.ask(command, limitMs));

    const isThere = await test('answers', async () => {
      device = String((await ask('id'))['device']);
      return device;
    });
    if (!isThere) return;
    await test('is locked', async () => {
      const { code } = await session.ask('bundle', ANSWER_LIMIT_MS);
      if (code !== 'console-locked') throw new Error('a locked console answered `bundle`');
      return 'refuses what it must';
    });
    const isOpen = await test('unlocks', async () => {
      const { nonce } = await ask('unlock');
      const token = makeToken(qaSigner(values.key), { device, nonce: String(nonce) }, ['diagnose'], 600);
      const { scopes } = await ask(`unlock ${token}`);
      return `scopes ${String(scopes)}`;
    });
    if (!isOpen) return;
    let steps: readonly SelfTestStep[] = [];
    await test('runs the self-test', async () => {
      const answer = await ask('selftest', SELFTEST_LIMIT_MS);
      steps = answer['steps'] as readonly SelfTestStep[];
      return `${String(steps.length)} steps`;
    });
    for (const { step, outcome, detail, ms } of steps) {
      report({
        name: step,
        seconds: ms / 1000,
        failure: outcome === 'fail' ? detail : null,
        detail,
        skipped: outcome === 'none',
      });
    }
    await test('locks again', async () => {
      await ask('lock');
      return 'locked';
    });
  } finally {
    await line.close();
  }
}

if (values.help || values.port === undefined) {
  (values.help ? process.stdout : process.stderr).write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    await run(values.port);
    const failed = cases.filter(({ failure }) => failure !== null).length;
    writeFileSync(values.report, junitReport('sealcam qa', cases, { device, port: values.port }));
    if (!values.json) process.stdout.write(`${failed === 0 ? 'PASS' : 'FAIL'}: ${values.report}\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  } catch (error) {
    const { code, message, hint } = asSealcamError(error);
    process.stderr.write(`qa-console: ${message} [${code}]\n  ${hint}\n`);
    process.exitCode = code === 'serial-unavailable' ? 4 : 1;
  }
}
