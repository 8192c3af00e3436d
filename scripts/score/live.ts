import { basename, extname, join } from 'node:path';
import { Capture } from '../../agent/capture/capture.js';
import { loadAgentConfig } from '../../agent/config/keys.js';
import { captureSettings } from '../../agent/main/settings.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { Counters } from '../../common/counters.js';
import { silentLog } from '../../common/log.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import type { LabelledClip } from './rules.js';

export interface LivePlay {
  /**
   * A JSON line for each event. Its first frame is the frame at the time of the decision, as a live camera would date
   * it.
   */
  readonly events: string;
  readonly frames: number;
  /** Frames that were not inspected. */
  readonly unwatched: number;
}

/** Plays a clip as a live camera sees it: at a low frame rate while nothing moves. */
export async function playLive(folder: string, { file }: LabelledClip): Promise<LivePlay> {
  const path = join(folder, file);
  const camera = new ReplayCamera({ path, clock: realClock, folderFramesPerSecond: 10, pace: 'fast', loop: false });
  const { signal } = new AbortController();
  const info = await camera.open(signal);
  const counters = new Counters();
  const lines: string[] = [];
  let now = 0;
  let startFrame = 0;
  const clip = basename(file, extname(file));
  const capture = new Capture(
    { ...info, timeBase: 'live' },
    captureSettings(loadAgentConfig({ file: null, environment: {} })),
    {
      counters,
      log: silentLog,
      onScene: () => undefined,
      wallMsOf: () => null,
      onTransition: (one) => {
        if (one.type === 'start') startFrame = now;
        if (one.type !== 'end') return;
        const event = {
          clip,
          event_id: `${clip} ${String(startFrame)}`,
          start_frame: startFrame,
          end_frame: one.endFrame,
        };
        lines.push(`${JSON.stringify(event)}\n`);
      },
    },
  );
  for await (const frame of camera.frames(signal)) {
    now = frame.index;
    await capture.inspectFrame(frame, frame.monotonicMs);
  }
  capture.finish();
  return { events: lines.join(''), frames: counters.get('frames.seen'), unwatched: counters.get('frames.unwatched') };
}
