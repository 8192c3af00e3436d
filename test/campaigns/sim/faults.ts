import type { SimBroker } from './broker.js';
import type { SimCamera } from './camera.js';
import type { SimCloud } from './cloud.js';
import type { SimOwner } from './owner.js';
import type { Scheduler } from './scheduler.js';
import type { Trace } from './trace.js';
import { CALM, CREDENTIALS, SPELLS, type Dice, type Weather } from './weather.js';

export interface Stage {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly broker: SimBroker;
  readonly cloud: SimCloud;
  readonly cameras: readonly SimCamera[];
  readonly owners: readonly SimOwner[];
  readonly endMs: number;
  readonly setWeather: (weather: Weather) => void;
  /** Lets the cloud delete clips older than this; null in a world without clips. */
  readonly expireClips: ((periodMs: number) => void) | null;
}

const CLAIM_POLL_MS = 10_000;
const DAY_MS = 86_400_000;
/** When every camera is up again; then the button of one without an owner is pressed, once in each claim window. */
const RESTARTED_MS = 130_000;
const CLAIM_AGAIN_MS = 660_000;

/** Schedules weather, faults, motion and claims. `calm` ends the faults. */
export function scheduleFaults(stage: Stage): { calm(): void } {
  const { scheduler, dice, cameras, owners, broker, cloud, endMs, setWeather, expireClips, trace } = stage;
  let isCalm = false;
  let hadCredentials = false;
  let brokerStops = 0;
  let cloudStops = 0;
  /** The owner that each camera should have. */
  const wanted = new Map<SimCamera, SimOwner>();
  const pick = <T>(items: readonly T[]): T => {
    const item = items[dice.whole(0, items.length - 1)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };

  const repeat = (fromMs: number, toMs: number, act: () => void): void => {
    scheduler.after(dice.logarithmic(fromMs, toMs), () => {
      if (isCalm) return;
      act();
      repeat(fromMs, toMs, act);
    });
  };

  const changeOwner = (camera: SimCamera): void => {
    const owner = pick(owners);
    const how = dice.one(['reset', 'release', 'same owner', 'same owner'] as const);
    trace.add('world', `ownership of ${camera.name}: ${how}`);
    if (how === 'release') {
      void wanted.get(camera)?.release(camera);
      scheduler.after(dice.between(2000, 20_000), () => {
        camera.pressButton(200);
      });
    } else {
      camera.pressButton(how === 'reset' ? 12_000 : 200);
    }
    if (how !== 'same owner') wanted.set(camera, owner);
    // Motion while the owner changes.
    for (let i = 0; i < 8; i++) {
      scheduler.after(dice.between(0, 15_000), () => {
        camera.triggerMotion();
      });
    }
  };

  const faultActions: readonly (() => void)[] = [
    () => {
      pick(cameras).kill('crash', dice.logarithmic(1, 3000));
    },
    () => {
      pick(cameras).kill('crash', 1);
    },
    () => {
      pick(cameras).kill('power cut', dice.logarithmic(1, 3000));
    },
    () => {
      cloud.kill();
      const stop = ++cloudStops;
      scheduler.after(dice.logarithmic(500, 120_000), () => {
        if (stop === cloudStops) cloud.start();
      });
    },
    () => {
      broker.stop();
      const stop = ++brokerStops;
      scheduler.after(dice.logarithmic(500, 180_000), () => {
        if (stop === brokerStops) broker.start();
      });
    },
    () => {
      const camera = pick(cameras);
      camera.wall.offsetMs += dice.one([-1, 1]) * dice.logarithmic(500, 400 * DAY_MS);
      camera.wall.quality = dice.one(['ntp', 'ntp', 'rtc', 'unset']);
      trace.add('world', `the clock of ${camera.name} is set: ${camera.wall.quality}`);
    },
    () => {
      cloud.setWall(dice.one([-1, 1]) * dice.logarithmic(500, 30 * DAY_MS));
    },
    () => {
      const { disk, name } = pick(cameras);
      disk.isFull = true;
      trace.add('world', `the disk of ${name} is full`);
      scheduler.after(dice.logarithmic(1000, 180_000), () => {
        disk.isFull = false;
      });
    },
    () => {
      changeOwner(pick(cameras));
    },
    () => {
      changeOwner(pick(cameras));
    },
    () => {
      pick(cameras).recordBurst(dice.whole(5, 60));
    },
    ...(expireClips === null
      ? []
      : [
          () => {
            expireClips(dice.logarithmic(5000, 600_000));
          },
        ]),
  ];

  for (const [i, camera] of cameras.entries()) {
    wanted.set(camera, owners[i % owners.length] ?? pick(owners));
    scheduler.after(dice.between(0, 3000), () => {
      camera.start();
    });
    const moveAgain = (): void => {
      scheduler.after(isCalm ? dice.between(30_000, 90_000) : dice.logarithmic(2000, 240_000), () => {
        camera.triggerMotion();
        moveAgain();
      });
    };
    moveAgain();
    const pollOffer = (): void => {
      scheduler.after(CLAIM_POLL_MS, () => {
        void wanted
          .get(camera)
          ?.claim(camera)
          .then(() => {
            pollOffer();
          });
      });
    };
    pollOffer();
  }
  repeat(8000, 120_000, () => {
    const mayRefuse = !hadCredentials && scheduler.nowMs < endMs / 2 && dice.chance(0.05);
    hadCredentials ||= mayRefuse;
    setWeather(mayRefuse ? CREDENTIALS : dice.one(SPELLS));
  });
  repeat(3000, 120_000, () => {
    pick(faultActions)();
  });

  return {
    calm: () => {
      isCalm = true;
      setWeather(CALM);
      for (const camera of cameras) {
        camera.disk.isFull = false;
        camera.wall.quality = 'ntp';
      }
      const claimAgain = (): void => {
        for (const camera of cameras) if (camera.agent?.outbox.currentClaim() === null) camera.pressButton(200);
        scheduler.after(CLAIM_AGAIN_MS, claimAgain);
      };
      scheduler.after(RESTARTED_MS, claimAgain);
      if (brokerStops > 0) broker.start();
      if (cloudStops > 0) {
        cloud.kill();
        cloud.start();
      }
    },
  };
}
