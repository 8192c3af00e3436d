/** What a process was doing when it died. */
export type Moment = string;

/**
 * One run of the agent's process. It may be told to die at its n-th touch of the world: from that moment nothing it does
 * reaches anything any more, whatever code is still on the stack.
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

  /** Every way out of the agent passes here. False in the afterlife. */
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
