/** The attackers, in a process of their own that yields the processor to the honest side and to the cloud. */
import { setPriority } from 'node:os';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { serve } from '../common/remote.js';
import { attackOf, type Attack, type AttackSetup } from './attacks.js';

const STEP_MS = 20;
const NICENESS = 10;
/** What clients may send at once is used up by then. */
const FORCE_STEPS = 75;

let attack: Attack | null = null;
let isOn = false;
let steps = 0;

async function run(): Promise<void> {
  for (;;) {
    if (isOn) {
      attack?.step();
      steps++;
    }
    await sleep(realClock, STEP_MS);
  }
}

const procedures = {
  prepare: async (setup: AttackSetup): Promise<void> => {
    attack = attackOf(setup);
    await attack.prepare();
  },
  /** Goes on, and resolves once it is in full force. */
  begin: async (_: null): Promise<void> => {
    isOn = true;
    const from = steps;
    while (steps < from + FORCE_STEPS) await sleep(realClock, STEP_MS);
  },
  pause: async (_: null): Promise<void> => {
    isOn = false;
    return Promise.resolve();
  },
  refused: async (_: null): Promise<number> => Promise.resolve(attack?.refused() ?? 0),
  stop: async (_: null): Promise<void> => {
    isOn = false;
    attack?.stop();
    return Promise.resolve();
  },
};
export type AttackProcedures = typeof procedures;

setPriority(NICENESS);
void run();
serve(procedures);
