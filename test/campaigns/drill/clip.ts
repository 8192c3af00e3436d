import { sleep, type Clock } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { Camera, CameraInfo, Frame } from '../../../hal/camera.js';
import { SCENES, type SceneName } from '../../../hal/mock-scenarios.js';
import { SceneRenderer, type RenderedFrame } from '../../../hal/mock/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';

/** Frames of a person walking by, with the empty scene before and after. */
export type Clip = readonly [RenderedFrame, ...RenderedFrame[]];

const FRAME_MS = 200;
const CLIP_MS = 4400;
/** Frame interval of the empty scene: long, because 500 cameras share a few cores, but below the agent's stall time. */
const IDLE_FRAME_MS = 3000;
/** Frames that the detector needs to learn the background. */
const LEARN_FRAMES = 8;

/** Draws one clip per scene. Every camera of a process shows them, since a laptop cannot draw 5000 frames a second. */
export async function drawClips(): Promise<readonly Clip[]> {
  return Promise.all(SCENES.map((scene, i) => drawClip(scene, 100 + i)));
}

async function drawClip(scene: SceneName, look: number): Promise<Clip> {
  const happenings = [{ kind: 'person', fromMs: 400, toMs: 3400, path: 'cross', look } as const];
  const renderer = new SceneRenderer({ scene, seed: look, noise: 2, happenings, repeatMs: null });
  const first = await renderer.render(0);
  const rest: RenderedFrame[] = [];
  for (let timeMs = FRAME_MS; timeMs < CLIP_MS; timeMs += FRAME_MS) rest.push(await renderer.render(timeMs));
  return [first, ...rest];
}

/** A mock camera in front of which a person walks by on cue. */
export class ClipCamera implements Camera {
  private readonly clip: Clip;
  private readonly clock: Clock;
  private cues: (() => void)[] = [];
  private wake = new AbortController();
  private learnFrames = LEARN_FRAMES;

  constructor(clip: Clip, clock: Clock) {
    this.clip = clip;
    this.clock = clock;
  }

  /** Shows the clip. Resolves when the scene is empty again. */
  play(): Promise<void> {
    return new Promise((resolve) => {
      this.cues.push(resolve);
      this.wake.abort();
    });
  }

  /** Shows some frames of the empty scene at the clip's frame rate, for the detector to learn. */
  learn(): void {
    this.learnFrames = LEARN_FRAMES;
    this.wake.abort();
  }

  open(): Promise<CameraInfo> {
    return Promise.resolve({
      driver: 'mock',
      model: 'a clip',
      width: SCENE_WIDTH,
      height: SCENE_HEIGHT,
      // With a recorded time base the agent uses every frame, however late a busy machine delivers it.
      framesPerSecond: 1000 / FRAME_MS,
      timeBase: 'recorded',
    });
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    const stop = (): void => {
      this.wake.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    let index = 0;
    // The first two frames are empty. Both are shown in turn, because one repeated frame counts as a frozen camera.
    const [empty, alsoEmpty = empty] = this.clip;
    while (!signal.aborted) {
      const cue = this.cues.shift();
      if (cue !== undefined) {
        // Frames carry the times at which they were due, however late a busy machine delivers them.
        const begunMs = this.clock.monotonicMs();
        for (const [i, frame] of this.clip.entries()) {
          yield this.frame(frame, index++, begunMs + i * FRAME_MS);
          await sleep(this.clock, Math.max(0, begunMs + (i + 1) * FRAME_MS - this.clock.monotonicMs()), signal);
        }
        cue();
        continue;
      }
      this.wake = new AbortController();
      yield this.frame(index % 2 === 0 ? empty : alsoEmpty, index++, this.clock.monotonicMs());
      await sleep(this.clock, this.learnFrames-- > 0 ? FRAME_MS : IDLE_FRAME_MS, this.wake.signal);
    }
  }

  still(): Promise<Frame> {
    return Promise.reject(new SealcamError('camera-unavailable', 'a clip has no stills'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private frame({ jpeg, luma }: RenderedFrame, index: number, takenMs: number): Frame {
    return { jpeg, luma, monotonicMs: Math.floor(takenMs), index };
  }
}
