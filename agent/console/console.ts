import { copyOf, utf8 } from '../../common/bytes.js';
import type { CancelTimer } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { plainJson } from '../../common/plain-json.js';
import type { Log } from '../../common/log.js';
import type { SerialLine, Unsubscribe } from '../../hal/peripherals.js';
import type { CommandOutput, ConsoleCommand, ConsoleContext, Fields } from './command.js';
import { completions, findCommand } from './commands/index.js';
import { wrap } from './layout.js';
import { LineEditor, LINE_MAX } from './line-editor.js';
import { wordsFor } from './usage.js';
import { splitWords } from './words.js';

/** Lines that wait while a command runs: a script may send ahead. Further ones are dropped. */
const WAITING_LINES_MAX = 16;
/** Output that the line has not taken. Further output is dropped, and the next line says how much. */
const UNWRITTEN_MAX_BYTES = 256 * 1024;
/** Input is processed in pieces, so that a megabyte on the line does not delay the camera. */
const INPUT_PIECE_BYTES = 4096;
const INPUT_WAITING_MAX_BYTES = 64 * 1024;
const COMMAND_LIMIT_MS = 15_000;
/** An unlocked console at which nobody types locks itself. */
const IDLE_LOCK_MS = 5 * 60_000;

/**
 * The debug console on one serial line. No input can disturb the agent: input, output, waiting lines and the time of each
 * command are bounded, and an error in a command ends only that command.
 */
export class Console {
  private readonly line: SerialLine;
  private readonly context: ConsoleContext;
  private readonly log: Log;
  private readonly editor: LineEditor;
  private readonly unsubscribe: Unsubscribe[] = [];
  private readonly waiting: string[] = [];
  private readonly input: Uint8Array[] = [];
  private inputBytes = 0;
  private isReading = false;
  private unwritten = 0;
  private dropped = 0;
  private running: AbortController | null = null;
  /** Whether the running command needs an unlock token. */
  private isRunningUnlocked = false;
  private isClosed = false;
  private cancelIdle: CancelTimer = () => undefined;

  constructor(line: SerialLine, context: ConsoleContext, log: Log) {
    this.line = line;
    this.context = context;
    this.log = log;
    // While a command runs there is no prompt, only what is typed ahead.
    this.editor = new LineEditor(() => (this.running === null ? this.prompt() : ''), completions);
  }

  /** Prints the prompt and accepts input. */
  start(): void {
    this.unsubscribe.push(
      this.line.onData((data) => {
        this.onData(data);
      }),
      this.line.onClose(() => {
        this.stop();
      }),
    );
    this.write(`\r\nsealcam ${this.context.agent.version}, \`help\` lists commands\r\n${this.prompt()}`);
    this.log.info({ line: this.line.name }, 'the console is ready');
  }

  /** Aborts the running command and locks the console. The caller closes the line. */
  stop(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.running?.abort();
    this.cancelIdle();
    this.waiting.length = 0;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    // The next person at the line starts locked.
    this.context.lock.lock();
  }

  /** Whether a command is running. */
  get isBusy(): boolean {
    return this.running !== null;
  }

  /** Prints text that no command asked for, such as a log line, above what is being typed. */
  printAbove(text: string): void {
    const { typed } = this.editor;
    if (this.running !== null && typed === '') this.write(text);
    else this.write(`\r\u001b[K${text}${this.editor.render()}`);
  }

  private prompt(): string {
    return this.context.lock.state() === null ? 'sealcam (locked)> ' : 'sealcam> ';
  }

  private onData(data: Uint8Array): void {
    if (this.inputBytes + data.length > INPUT_WAITING_MAX_BYTES) {
      this.context.agent.counters.add('console.input-dropped', data.length);
      return;
    }
    this.noteUse();
    this.input.push(copyOf(data));
    this.inputBytes += data.length;
    if (!this.isReading) void this.processInput();
  }

  /** Restarts the time without input, after which the console locks. A person who left it open may not come back. */
  private noteUse(): void {
    this.cancelIdle();
    this.cancelIdle = this.context.clock.after(IDLE_LOCK_MS, () => {
      if (this.isClosed || this.context.lock.state() === null) return;
      this.context.lock.lock();
      if (this.isRunningUnlocked) this.running?.abort();
      this.waiting.length = 0;
      this.printAbove(`[locked: no input for ${String(IDLE_LOCK_MS / 60_000)} minutes]\r\n`);
    });
  }

  private async processInput(): Promise<void> {
    this.isReading = true;
    for (let chunk = this.input.shift(); chunk !== undefined && !this.isClosed; chunk = this.input.shift()) {
      this.inputBytes -= chunk.length;
      for (let from = 0; from < chunk.length; from += INPUT_PIECE_BYTES) {
        this.processPiece(chunk.subarray(from, from + INPUT_PIECE_BYTES));
        if (chunk.length > INPUT_PIECE_BYTES)
          await new Promise<void>((resolve) => this.context.clock.after(0, resolve));
      }
    }
    this.isReading = false;
  }

  private processPiece(bytes: Uint8Array): void {
    let echo = '';
    for (const effect of this.editor.push(bytes)) {
      switch (effect.type) {
        case 'write':
          echo += effect.text;
          break;
        case 'interrupt':
          this.running?.abort();
          this.waiting.length = 0;
          if (this.running === null) echo += this.prompt();
          break;
        case 'overlong':
          this.write(echo);
          echo = '';
          this.printError(new SealcamError('usage-invalid', `a line holds ${String(LINE_MAX)} characters`), false);
          this.showPrompt();
          break;
        case 'line':
          this.write(echo);
          echo = '';
          this.enqueue(effect.text);
      }
    }
    this.write(echo);
  }

  private enqueue(text: string): void {
    if (this.running === null && this.waiting.length === 0) {
      void this.runLine(text);
      return;
    }
    if (this.waiting.length < WAITING_LINES_MAX) this.waiting.push(text);
    else this.context.agent.counters.add('console.lines-dropped');
  }

  private async runLine(text: string): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    let isJson = false;
    let cancel: CancelTimer = () => undefined;
    try {
      const words = splitWords(text);
      isJson = words.includes('--json');
      if (words.length > 0) {
        const { command, rest } = findCommand(words.filter((word) => word !== '--json'));
        this.authorize(command);
        const understood = wordsFor(command, rest);
        this.isRunningUnlocked = command.scope !== null;
        cancel = this.context.clock.after(command.limitMs ?? COMMAND_LIMIT_MS, () => {
          controller.abort();
        });
        await command.run(this.context, understood, this.output(command, isJson, controller.signal));
      }
    } catch (error) {
      this.printError(error, isJson);
    } finally {
      cancel();
      this.running = null;
      this.isRunningUnlocked = false;
    }
    const next = this.waiting.shift();
    if (next !== undefined && !this.isClosed) void this.runLine(next);
    else this.showPrompt();
  }

  private authorize({ name, scope }: ConsoleCommand): void {
    if (scope === null || this.context.lock.allows(scope)) return;
    this.context.agent.counters.add('console.console-locked');
    throw new SealcamError('console-locked', `${name} needs an unlock token with scope ${scope}`);
  }

  private output({ name }: ConsoleCommand, isJson: boolean, signal: AbortSignal): CommandOutput {
    return {
      signal,
      print: (fields: Fields, lines: readonly string[]) => {
        const text = isJson ? plainJson({ ok: true, command: name, ...fields }) : lines.join('\r\n');
        const bytes = utf8(text).length;
        if (bytes > UNWRITTEN_MAX_BYTES) {
          throw new SealcamError(
            'too-large',
            `${name} gave ${String(bytes)} bytes, the line takes ${String(UNWRITTEN_MAX_BYTES)}`,
          );
        }
        this.printAbove(`${text}\r\n`);
      },
    };
  }

  private printError(error: unknown, isJson: boolean): void {
    const { code, message, hint } = asSealcamError(error);
    if (code === 'internal') this.log.error({ code }, `console: ${message}`);
    if (isJson) this.write(`${plainJson({ ok: false, code, message, hint })}\r\n`);
    else this.write([...wrap(`error: ${message} [${code}]`), ...wrap(hint)].map((line) => `${line}\r\n`).join(''));
  }

  private showPrompt(): void {
    if (this.running === null) this.write(this.editor.render());
  }

  private write(text: string): void {
    if (text === '' || this.isClosed) return;
    const notice =
      this.dropped === 0 ? '' : `\r\n[${String(this.dropped)} bytes of output were dropped: the line is too slow]\r\n`;
    const bytes = utf8(notice + text);
    if (this.unwritten + bytes.length > UNWRITTEN_MAX_BYTES) {
      this.dropped += utf8(text).length;
      this.context.agent.counters.add('console.output-dropped', utf8(text).length);
      return;
    }
    this.dropped = 0;
    this.unwritten += bytes.length;
    this.line
      .write(bytes)
      .catch(() => undefined)
      .finally(() => {
        this.unwritten -= bytes.length;
      });
  }
}
