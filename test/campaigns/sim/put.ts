import { SealcamError } from '../../../common/errors.js';
import type { PutBody, Upload, UploadAnswer } from '../../../agent/upload/put.js';
import type { ObservedCamera } from './observed.js';
import type { SimCloud } from './cloud.js';
import type { Life } from './life.js';
import type { Oracle } from './oracle.js';
import type { Scheduler } from './scheduler.js';
import type { Dice, Weather } from './weather.js';

export interface PutDependencies {
  readonly life: Life;
  readonly camera: ObservedCamera;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: () => Weather;
  readonly cloud: SimCloud;
  readonly oracle: Oracle;
}

/** A cloud that died while it had a request does not answer it. */
const ANSWER_MAX_MS = 60_000;

/** The way of the bodies of clips: HTTP as far as the upload loop sees it, over the same network as the messages. */
export class SimPut implements PutBody {
  private readonly deps: PutDependencies;

  constructor(deps: PutDependencies) {
    this.deps = deps;
  }

  async put(upload: Upload): Promise<UploadAnswer | null> {
    const { life, camera, cloud, oracle, scheduler, dice, weather } = this.deps;
    if (!life.touch('an upload')) return never();
    const isCut = dice.chance(weather().dropConnection);
    const hasArrived = dice.chance(0.5);
    const isAnswerLost = dice.chance(weather().loseDown);
    await this.way();
    const body = upload.read();
    if (!life.touch('a body that leaves')) return never();
    if (body === null) return null;
    await upload.giveWay();
    if (!life.touch('a body on its way')) return never();
    oracle.checkUploaded(camera, upload.path, body);
    if (isCut && !hasArrived) throw unreachable();
    const late = scheduler.sleep(ANSWER_MAX_MS).then(() => null);
    const answer = await Promise.race([cloud.receive(upload.path, body), late]);
    await this.way();
    if (!life.touch('the answer to an upload')) return never();
    if (answer === null || isCut || isAnswerLost) throw unreachable();
    return answer;
  }

  close(): void {
    // A process of a simulated world is killed.
  }

  private way(): Promise<void> {
    const { scheduler, dice, weather } = this.deps;
    return scheduler.sleep(dice.between(1, weather().slowestMs));
  }
}

function unreachable(): SealcamError {
  return new SealcamError('cloud-unreachable', 'simulated');
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
