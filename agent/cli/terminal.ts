import type { Console } from '../console/console.js';

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/**
 * The terminal in which a camera runs: log and claim sheet go there, and while a console is attached they are printed above
 * what is being typed. A log that is redirected to a file goes on going there.
 */
export class Terminal {
  private readonly output: Output;
  private readonly errors: Output;
  private console: Pick<Console, 'printAbove'> | null = null;

  constructor(output: Output = process.stdout, errors: Output = process.stderr) {
    this.output = output;
    this.errors = errors;
  }

  attach(console: Pick<Console, 'printAbove'>): void {
    this.console = console;
  }

  detach(): void {
    this.console = null;
  }

  /** Takes lines of the log. */
  write(text: string): void {
    if (this.console !== null && this.errors.isTTY === true && this.output.isTTY === true) this.above(text);
    else this.errors.write(text);
  }

  /** Shows text for the person at the terminal. */
  show(text: string): void {
    if (this.console === null) this.output.write(text);
    else this.above(text);
  }

  private above(text: string): void {
    this.console?.printAbove(text.replace(/\r?\n/g, '\r\n'));
  }
}
