import { sleep, type Clock } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { Camera, CameraInfo, Frame } from '../../../hal/camera.js';
import { SCENES, type SceneName } from '../../../hal/mock-scenarios.js';
import { SceneRenderer, type RenderedFrame } from '../../../hal/mock/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';

/** Frames of somebody walking by, with the empty scene before and after. */
export type Clip = readonly [RenderedFrame, ...RenderedFrame[]];

const FRAME_MS = 200;
const CLIP_MS = 4400;
/** The empty scene, slower: nothing moves in it, and 500 cameras share a few cores. Under the agent's stall time. */
const IDLE_MS = 3000;
/** From so many frames the detector learns what it sees. */
const LEARN_FRAMES = 8;

/** Drawn once and shown by every camera of a process: drawing is what a laptop could not do 5000 times a second. */
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

/** A mock camera before which somebody walks by on cue. */
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

  /** Resolves when the scene is empty again. */
  play(): Promise<void> {
    return new Promise((resolve) => {
      this.cues.push(resolve);
      this.wake.abort();
    });
  }

  /** A few frames of the empty scene, as fast as the others. */
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
      // Late frames are for other tests: here each one counts, however many cameras share a few cores.
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
    // Nobody is in the first two frames yet. One alone, again and again, would be a camera that hangs.
    const [empty, alsoEmpty = empty] = this.clip;
    while (!signal.aborted) {
      const cue = this.cues.shift();
      if (cue !== undefined) {
        // A sensor's frames have the time at which they were taken, however late a busy machine gets them.
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
      await sleep(this.clock, this.learnFrames-- > 0 ? FRAME_MS : IDLE_MS, this.wake.signal);
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
