/** What a process did when it died. */
export type Moment = string;

/**
 * One run of the agent's process. It can die at its n-th touch of the world; from then on nothing that it does has an effect,
 * whatever code is still on the stack.
 */
export class Life {
  readonly number: number;
  isDead = false;
  steps = 0;
  private diesAtStep = Infinity;
  private readonly onDeath: (moment: Moment) => void;

  constructor(number: number, onDeath: (moment: Moment) => void) {
    this.number = number;
    this.onDeath = onDeath;
  }

  /** Counts a touch of the world. Every effect of the agent passes here first; returns false once it is dead. */
  touch(moment: Moment): boolean {
    if (this.isDead) return false;
    this.steps++;
    if (this.steps < this.diesAtStep) return true;
    this.die(moment);
    return false;
  }

  dieIn(steps: number): void {
    this.diesAtStep = Math.min(this.diesAtStep, this.steps + Math.max(1, Math.round(steps)));
  }

  die(moment: Moment): void {
    if (this.isDead) return;
    this.isDead = true;
    this.onDeath(moment);
  }
}
