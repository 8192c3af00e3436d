import { sleep } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import { plainJson } from '../../../common/plain-json.js';
import type { LastInspection } from '../../capture/capture.js';
import { REASON_TEXTS } from '../../capture/detect/reasons.js';
import type { ConsoleCommand, ConsoleContext, LogLevel } from '../command.js';
import { rows, wrap } from '../layout.js';
import { redact } from '../redact.js';
import { parseWholeNumber } from '../words.js';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const WATCH_MAX_S = 600;
const MOTION_POLL_MS = 100;
const LOG_LINES_MAX = 500;
const BUNDLE_LOG_LINES = 100;

/** Commands of the scope `diagnose`: why the detector decided as it did, the log, the network. */
export const DIAGNOSTIC_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'motion why',
    usage: 'motion why',
    scope: 'diagnose',
    examples: ['motion why'],
    help: 'why the last frame was, or was not, part of an event',
    run: ({ agent }, _words, output) => {
      const inspection = agent.lastInspection;
      if (inspection === null) throw new SealcamError('camera-unavailable', 'no frame was inspected yet');
      output.print(fieldsOf(inspection), rows(rowsOf(inspection)));
    },
  },
  {
    name: 'motion watch',
    usage: 'motion watch [SECONDS]',
    scope: 'diagnose',
    limitMs: (WATCH_MAX_S + 5) * 1000,
    help: "a line for each change of the detector's reason; Ctrl-C stops",
    examples: ['motion watch 30'],
    run: async ({ agent, clock }, { positional }, output) => {
      const seconds = parseWholeNumber(positional[0], { name: 'SECONDS', min: 1, max: WATCH_MAX_S, fallback: 60 });
      const endMs = clock.monotonicMs() + 1000 * seconds;
      let before = '';
      while (!output.signal.aborted && clock.monotonicMs() < endMs) {
        const inspection = agent.lastInspection;
        if (inspection !== null && inspection.observation.reason !== before) {
          before = inspection.observation.reason;
          output.print(fieldsOf(inspection), [`frame ${String(inspection.index)}: ${sentence(inspection)}`]);
        }
        await sleep(clock, MOTION_POLL_MS, output.signal);
      }
    },
  },
  {
    name: 'log tail',
    usage: 'log tail [LINES] [--follow]',
    scope: 'diagnose',
    limitMs: 3_600_000,
    help: 'the last lines of the log; --follow prints new ones until Ctrl-C',
    examples: ['log tail 20', 'log tail --follow'],
    run: async (context, { positional, flags }, output) => {
      const count = parseWholeNumber(positional[0], { name: 'LINES', min: 1, max: LOG_LINES_MAX, fallback: 10 });
      const printLine = (line: string): void => {
        const text = redact(context, line);
        output.print({ line: text }, wrap(text));
      };
      for (const line of context.log.last(count)) printLine(line);
      if (!flags.has('follow')) return;
      const stop = context.log.subscribe(printLine);
      await new Promise<void>((resolve) => {
        if (output.signal.aborted) resolve();
        output.signal.addEventListener('abort', () => {
          resolve();
        });
      });
      stop();
    },
  },
  {
    name: 'log level',
    usage: 'log level [debug|info|warn|error]',
    scope: 'diagnose',
    help: 'show or set the lowest level that is logged, until a restart',
    examples: ['log level', 'log level debug'],
    run: ({ log }, { positional }, output) => {
      const [wanted] = positional;
      if (wanted !== undefined) {
        const level = LEVELS.find((name) => name === wanted);
        if (level === undefined) throw new SealcamError('usage-invalid', `levels are ${LEVELS.join(', ')}`);
        log.setLevel(level);
      }
      output.print({ level: log.level }, rows([['level', log.level]]));
    },
  },
  {
    name: 'net',
    usage: 'net',
    scope: 'diagnose',
    examples: ['net'],
    help: 'interfaces with their addresses, and the broker; no network names',
    run: ({ network, brokerUrl }, _words, output) => {
      const interfaces = network();
      const { protocol, hostname, port } = new URL(brokerUrl);
      const broker = `${hostname}${port === '' ? '' : `:${port}`}`;
      output.print({ interfaces, broker, tls: protocol === 'mqtts:' }, [
        ...rows(interfaces.map(({ name, addresses }) => [name, addresses.join(' ')])),
        ...rows([['broker', `${broker}${protocol === 'mqtts:' ? ', TLS' : ', no TLS'}`]]),
      ]);
    },
  },
  {
    name: 'bundle',
    usage: 'bundle',
    scope: 'diagnose',
    examples: ['bundle'],
    help: 'all diagnostics as one line of JSON; no keys, pictures or addresses',
    run: async (context, _words, output) => {
      const bundle = await bundleOf(context);
      output.print({ bundle }, [plainJson(bundle)]);
    },
  },
];

async function bundleOf(context: ConsoleContext): Promise<Readonly<Record<string, unknown>>> {
  const { agent, hal, log, settings } = context;
  const parts = {
    version: agent.version,
    settings,
    camera: { state: agent.camera.state, info: agent.camera.info },
    uplink: agent.uplink.status(),
    queue: agent.outbox.totals(),
    owned: agent.ownership.facts().ownerKey !== null,
    clock: hal.clock.wall(),
    health: await agent.health(),
    counters: agent.counters.snapshot(),
    motion: agent.lastInspection === null ? null : fieldsOf(agent.lastInspection),
    log: log.last(BUNDLE_LOG_LINES),
  };
  return JSON.parse(redact(context, plainJson(parts))) as Readonly<Record<string, unknown>>;
}

function sentence({ observation }: LastInspection): string {
  const percent = (observation.area * 100).toFixed(2);
  return `${observation.reason} – ${REASON_TEXTS[observation.reason]} (${percent} % of the picture)`;
}

function fieldsOf({ index, monotonicMs, observation, ...view }: LastInspection): Readonly<Record<string, unknown>> {
  const { motion, reason, area, box, zones, sinceFrame } = observation;
  const seen = { frame: index, monotonic_ms: monotonicMs, motion, reason, area, box, zones, since_frame: sinceFrame };
  return { ...seen, frozen: view.isFrozen, tampered_since_ms: view.tamperedSinceMs };
}

/** Describes whether the camera sees its scene at all. */
function viewOf({ monotonicMs, isFrozen, tamperedSinceMs }: LastInspection): string {
  if (isFrozen) return 'frozen: every frame is the same picture';
  if (tamperedSinceMs === null) return 'clear';
  const seconds = Math.round((monotonicMs - tamperedSinceMs) / 1000);
  return `covered, blurred or turned for ${String(seconds)} s`;
}

function formatBox(box: NonNullable<LastInspection['observation']['box']>): string {
  return Object.values(box)
    .map((part) => Number(part).toFixed(2))
    .join(' ');
}

function rowsOf(inspection: LastInspection): readonly (readonly [string, string])[] {
  const { motion, reason, area, box, zones } = inspection.observation;
  return [
    ['motion', motion ? 'yes' : 'no'],
    ['because', `${reason}: ${REASON_TEXTS[reason]}`],
    ['view', viewOf(inspection)],
    ['area', `${(area * 100).toFixed(2)} % of the picture`],
    ['box', box === null ? '–' : formatBox(box)],
    ['zones', zones.length === 0 ? '–' : zones.join(', ')],
    ['frame', String(inspection.index)],
  ];
}
