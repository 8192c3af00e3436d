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
}

const PAGE_LOOKS_MS = 10_000;
const DAY_MS = 86_400_000;
/** Every camera is up again, and then whoever stands before one without an owner presses its button, once a window. */
const RESTARTED_MS = 130_000;
const CLAIM_AGAIN_MS = 660_000;

/** Sets everything going: weather, blows, life before the lenses, households that claim. `calm` ends what is bad. */
export function faults(stage: Stage): { calm(): void } {
  const { scheduler, dice, cameras, owners, broker, cloud, endMs, setWeather, trace } = stage;
  let isCalm = false;
  let hadCredentials = false;
  let [brokerStops, cloudStops] = [0, 0];
  /** Who is to own a camera. */
  const wanted = new Map<SimCamera, SimOwner>();
  const pick = <T>(items: readonly T[]): T => {
    const item = items[dice.whole(0, items.length - 1)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };

  const again = (fromMs: number, toMs: number, act: () => void): void => {
    scheduler.after(dice.logarithmic(fromMs, toMs), () => {
      if (isCalm) return;
      act();
      again(fromMs, toMs, act);
    });
  };

  const change = (camera: SimCamera): void => {
    const owner = pick(owners);
    const how = dice.one(['reset', 'release', 'same owner', 'same owner'] as const);
    trace.add('world', `ownership of ${camera.name}: ${how}`);
    if (how === 'release') {
      void wanted.get(camera)?.release(camera);
      scheduler.after(dice.between(2000, 20_000), () => {
        camera.press(200);
      });
    } else {
      camera.press(how === 'reset' ? 12_000 : 200);
    }
    if (how !== 'same owner') wanted.set(camera, owner);
    // Something moves while the owner changes.
    for (let i = 0; i < 8; i++) {
      scheduler.after(dice.between(0, 15_000), () => {
        camera.see();
      });
    }
  };

  const blows: readonly (() => void)[] = [
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
      change(pick(cameras));
    },
    () => {
      change(pick(cameras));
    },
    () => {
      pick(cameras).burst(dice.whole(5, 60));
    },
  ];

  for (const [i, camera] of cameras.entries()) {
    wanted.set(camera, owners[i % owners.length] ?? pick(owners));
    scheduler.after(dice.between(0, 3000), () => {
      camera.start();
    });
    const live = (): void => {
      scheduler.after(isCalm ? dice.between(30_000, 90_000) : dice.logarithmic(2000, 240_000), () => {
        camera.see();
        live();
      });
    };
    live();
    const look = (): void => {
      scheduler.after(PAGE_LOOKS_MS, () => {
        void wanted
          .get(camera)
          ?.claim(camera)
          .then(() => {
            look();
          });
      });
    };
    look();
  }
  again(8000, 120_000, () => {
    const mayRefuse = !hadCredentials && scheduler.nowMs < endMs / 2 && dice.chance(0.05);
    hadCredentials ||= mayRefuse;
    setWeather(mayRefuse ? CREDENTIALS : dice.one(SPELLS));
  });
  again(3000, 120_000, () => {
    pick(blows)();
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
        for (const camera of cameras) if (camera.agent?.outbox.currentClaim() === null) camera.press(200);
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
