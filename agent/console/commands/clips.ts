import type { ClipsStatus } from '../../clip/clips.js';
import type { ConsoleCommand } from '../command.js';
import type { ConsolePort } from '../console-port.js';
import { rows, wrap } from '../layout.js';

/** Why there is no clip, or a short one, as sentences. */
const STATE_TEXTS = {
  filming: 'The ring holds the last seconds, and the next event has a clip.',
  'camera-closed': 'The camera is not open.',
  'no-owner': 'The camera has no owner: there is nobody to film for.',
  'version-1': 'The claim is of version 1, which has no clips. A claim from an up-to-date page changes that.',
  'no-video': 'No video comes from the camera.',
  privacy: 'The owner ordered privacy: nothing is filmed.',
  'off-schedule': 'It is outside motion.schedule: nothing is filmed, and no event is raised.',
  masked: 'privacy.masks are set, and an encoder sees what they hide. Set clip.codec to jpeg.',
} as const satisfies Record<ClipsStatus['state'], string>;

/** The ring counts as full where another picture or two would not fit. */
const FULL_SHARE = 0.8;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Commands about clips, allowed while the console is locked: nothing that they print shows a picture. */
export const CLIP_COMMANDS: readonly ConsoleCommand[] = [
  {
    name: 'clip status',
    usage: 'clip status',
    scope: null,
    examples: ['clip status', 'clip status --json'],
    help: 'the video, what the ring holds, and the clips so far',
    run: ({ agent }, _words, output) => {
      const { clips, counters } = agent;
      if (clips === null) {
        output.print({ state: 'off' }, rows([['clips', 'off: clip.codec']]));
        return;
      }
      const { state, info, heldMs, heldBytes, limits, runningMs, waitingBytes } = clips.status();
      const [started, lost] = [counters.get('clips.started'), counters.get('clips.lost')];
      const segments = counters.get('clips.segments');
      const { codec, width, height, framesPerSecond } = info ?? {};
      const fields = {
        state,
        codec: codec ?? null,
        width: width ?? null,
        height: height ?? null,
        frames_per_second: framesPerSecond ?? null,
        ring_ms: Math.round(heldMs),
        ring_bytes: heldBytes,
        ring_max_bytes: limits.maxBytes,
        preroll_ms: limits.prerollMs,
        running_ms: runningMs.map(Math.round),
        waiting_bytes: waitingBytes,
        clips_started: started,
        clips_lost: lost,
        segments,
        faults: faultsOf(agent),
      };
      output.print(
        fields,
        rows([
          ['clips', state],
          ['video', info === null ? null : `${info.codec}, ${String(info.width)} × ${String(info.height)}`],
          ['ring', `${seconds(heldMs)} of ${seconds(limits.prerollMs)}, ${share(heldBytes, limits.maxBytes)} full`],
          ['running', runningMs.length === 0 ? 'none' : runningMs.map(seconds).join(', ')],
          ['waiting', `${String(waitingBytes)} bytes for a key to seal with`],
          ['so far', `${String(started)} clips in ${String(segments)} segments, ${String(lost)} lost`],
        ]),
      );
    },
  },
  {
    name: 'clip why',
    usage: 'clip why',
    scope: null,
    examples: ['clip why'],
    help: 'why there is no clip, or why it begins late',
    run: ({ agent }, _words, output) => {
      const reasons = reasonsOf(agent.clips?.status() ?? null);
      output.print(
        { reasons },
        reasons.flatMap(({ code, text }) => wrap(`${text}${code === null ? '' : ` [${code}]`}`)),
      );
    },
  },
];

interface Reason {
  readonly code: string | null;
  readonly text: string;
}

function reasonsOf(status: ClipsStatus | null): readonly Reason[] {
  if (status === null) return [{ code: null, text: 'clip.codec is off.' }];
  const { state, fault, lastLoss, heldMs, heldBytes, limits } = status;
  const reasons: Reason[] = [{ code: null, text: STATE_TEXTS[state] }];
  if (fault !== null) reasons.push({ code: fault.code, text: `The video failed: ${fault.message}. ${fault.hint}` });
  if (state === 'filming' && heldMs < limits.prerollMs - 1000) {
    const isFull = heldBytes >= FULL_SHARE * limits.maxBytes;
    const why = isFull
      ? 'clip.ringBytes is full: raise it, or lower the size or the bit rate of the video.'
      : 'It fills since the camera was opened, or since it was emptied.';
    reasons.push({ code: null, text: `The ring holds ${seconds(heldMs)} of ${seconds(limits.prerollMs)}. ${why}` });
  }
  if (lastLoss !== null) reasons.push({ code: null, text: `The last clip that was lost: ${lastLoss}.` });
  return reasons;
}

/** Returns how often the video failed, by code. */
function faultsOf({ counters }: ConsolePort): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters.snapshot())
      .filter(([name]) => name.startsWith('video.'))
      .map(([name, count]) => [name.slice('video.'.length), count]),
  );
}

function share(part: number, whole: number): string {
  return `${String(Math.round((100 * part) / whole))} %`;
}
