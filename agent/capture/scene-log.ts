import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { RecordScene } from '../../protocol/objects/record.js';

export interface SceneLogDependencies {
  readonly counters: Counters;
  readonly log: Log;
  /** `monotonicMs` is the time of the frame, or of the switch, that showed it. */
  readonly say: (scene: RecordScene, monotonicMs: number) => void;
}

/** A lamp that flickers is said once a minute, and counted. */
const SAY_EVERY_MS = 60_000;

/**
 * What is said of the scene as a whole: each class once a minute at most. What lasts is said when it begins, and again,
 * with its duration, when it ends: a beginning that was said is never left without its end.
 */
export class SceneLog {
  private readonly deps: SceneLogDependencies;
  private readonly saidMs = new Map<RecordScene['class'], number>();
  /** What lasts, and whether its beginning was said. */
  private readonly lasting = new Map<RecordScene['class'], boolean>();

  constructor(deps: SceneLogDependencies) {
    this.deps = deps;
  }

  recordScene(scene: RecordScene, monotonicMs: number): void {
    if (!this.isToBeSaid(scene, monotonicMs)) return;
    this.deps.log.info({ ...scene }, 'the scene changed');
    this.deps.say(scene, monotonicMs);
  }

  private isToBeSaid({ class: name, durationMs }: RecordScene, monotonicMs: number): boolean {
    const wasBeginningSaid = this.lasting.get(name);
    if (durationMs !== undefined && wasBeginningSaid !== undefined) {
      this.lasting.delete(name);
      return wasBeginningSaid;
    }
    this.deps.counters.add(`scenes.${name}`);
    const saidMs = this.saidMs.get(name);
    const isSaid = saidMs === undefined || monotonicMs - saidMs >= SAY_EVERY_MS;
    if (isSaid) this.saidMs.set(name, monotonicMs);
    // Of several beginnings the first that was said is ended.
    if (durationMs === undefined && LASTING.includes(name)) this.lasting.set(name, isSaid || wasBeginningSaid === true);
    return isSaid;
  }
}

const LASTING: readonly RecordScene['class'][] = ['tamper', 'stall'];
