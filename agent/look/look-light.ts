import type { Indicator, IndicatorState } from '../../hal/peripherals.js';

/** The camera's indicator: while somebody looks it shows that, whatever else there is to show. */
export class LookLight implements Indicator {
  private readonly indicator: Indicator;
  private state: IndicatorState = 'off';
  private isOn = false;

  constructor(indicator: Indicator) {
    this.indicator = indicator;
  }

  get isPresent(): boolean {
    return this.indicator.isPresent;
  }

  show(state: IndicatorState): void {
    this.state = state;
    if (!this.isOn) this.indicator.show(state);
  }

  /** Shows that somebody looks. Resolves when it is to be seen: false where there is a light that cannot be switched. */
  async turnOn(): Promise<boolean> {
    this.isOn = true;
    this.indicator.show('looking');
    return !this.isPresent || (await this.indicator.isShown());
  }

  /** Nobody looks any more. */
  turnOff(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.indicator.show(this.state);
  }

  isShown(): Promise<boolean> {
    return this.indicator.isShown();
  }

  close(): Promise<void> {
    return this.indicator.close();
  }
}
