import type { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { RecordScene } from '../../protocol/objects/record.js';

export interface SceneLogDependencies {
  readonly counters: Counters;
  readonly log: Log;
  /** `monotonicMs` is the time of the frame, or of the switch, that showed it. */
  readonly onRecord: (scene: RecordScene, monotonicMs: number) => void;
}

/** A class is recorded no more often; a lamp that flickers meanwhile is counted. */
const RECORD_EVERY_MS = 60_000;

/**
 * Decides which changes of the scene are recorded: each class at most once a minute. A change that lasts is recorded when
 * it begins and, with its duration, when it ends; a recorded beginning always gets its end.
 */
export class SceneLog {
  private readonly deps: SceneLogDependencies;
  private readonly recordedMs = new Map<RecordScene['class'], number>();
  /** Classes that last now, and whether their beginning was recorded. */
  private readonly lasting = new Map<RecordScene['class'], boolean>();

  constructor(deps: SceneLogDependencies) {
    this.deps = deps;
  }

  /** Records a change of the scene, or only counts it. */
  recordScene(scene: RecordScene, monotonicMs: number): void {
    if (!this.isDue(scene, monotonicMs)) return;
    this.deps.log.info({ ...scene }, 'the scene changed');
    this.deps.onRecord(scene, monotonicMs);
  }

  private isDue({ class: name, durationMs }: RecordScene, monotonicMs: number): boolean {
    const wasBeginningRecorded = this.lasting.get(name);
    if (durationMs !== undefined && wasBeginningRecorded !== undefined) {
      this.lasting.delete(name);
      return wasBeginningRecorded;
    }
    this.deps.counters.add(`scenes.${name}`);
    const recordedMs = this.recordedMs.get(name);
    const isRecorded = recordedMs === undefined || monotonicMs - recordedMs >= RECORD_EVERY_MS;
    if (isRecorded) this.recordedMs.set(name, monotonicMs);
    // Of several beginnings the first that was recorded gets the end.
    if (durationMs === undefined && LASTING.includes(name))
      this.lasting.set(name, isRecorded || wasBeginningRecorded === true);
    return isRecorded;
  }
}

/** Classes with a beginning and an end. */
const LASTING: readonly RecordScene['class'][] = ['tamper', 'stall'];
