/** What the console is to do after some input. */
export type EditorEffect =
  | { readonly type: 'write'; readonly text: string }
  | { readonly type: 'line'; readonly text: string }
  /** Ctrl-C: the running command is to stop. */
  | { readonly type: 'interrupt' }
  /** A line was longer than {@link LINE_MAX}; it was dropped up to its end. */
  | { readonly type: 'overlong' };

/** Returns what may follow the text before the cursor. */
export type Complete = (text: string) => readonly string[];

/** Characters of a line. An unlock token has about 350. */
export const LINE_MAX = 1024;
const HISTORY_LINES_MAX = 50;
const ESCAPE_LENGTH_MAX = 8;

const KEYS: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[3~': 'delete',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
};

/**
 * Edits a line as on a VT100: echo, cursor keys, history, completion. Does no I/O: bytes in, effects out.
 * Only printable ASCII enters a line; any other byte is part of a known key, or ignored.
 */
export class LineEditor {
  private readonly prompt: () => string;
  private readonly complete: Complete;
  private readonly history: string[] = [];
  private text = '';
  private at = 0;
  private historyAt = 0;
  private escape: string | null = null;
  private dropping = false;
  private lastWasReturn = false;
  private effects: EditorEffect[] = [];

  constructor(prompt: () => string, complete: Complete) {
    this.prompt = prompt;
    this.complete = complete;
  }

  /** Processes input and returns its effects in order. */
  push(bytes: Uint8Array): EditorEffect[] {
    this.effects = [];
    for (const byte of bytes) this.processByte(byte);
    return this.effects;
  }

  /** The line as it is typed so far. */
  get typed(): string {
    return this.text;
  }

  /** Returns what redraws the prompt and the line typed so far. */
  render(): string {
    const back = this.text.length - this.at;
    return `\r\u001b[K${this.prompt()}${this.text}${back > 0 ? `\u001b[${String(back)}D` : ''}`;
  }

  private processByte(byte: number): void {
    const wasReturn = this.lastWasReturn;
    this.lastWasReturn = byte === 0x0d;
    if (byte === 0x0d || (byte === 0x0a && !wasReturn)) {
      this.endLine();
      return;
    }
    if (this.dropping || byte === 0x0a) return;
    if (this.escape !== null) {
      this.continueEscape(byte);
      return;
    }
    if (byte >= 0x20 && byte < 0x7f) this.insert(String.fromCharCode(byte));
    else this.pressControl(byte);
  }

  private pressControl(byte: number): void {
    switch (byte) {
      case 0x1b:
        this.escape = '';
        return;
      case 0x08:
      case 0x7f:
        if (this.at > 0) this.replace(this.text.slice(0, this.at - 1) + this.text.slice(this.at), this.at - 1);
        return;
      case 0x01:
        this.pressKey('home');
        return;
      case 0x05:
        this.pressKey('end');
        return;
      case 0x15:
        this.replace(this.text.slice(this.at), 0);
        return;
      case 0x17: {
        const left = this.text.slice(0, this.at).replace(/\S+\s*$/, '');
        this.replace(left + this.text.slice(this.at), left.length);
        return;
      }
      case 0x03:
        this.write('^C\r\n');
        this.text = '';
        this.at = 0;
        this.effects.push({ type: 'interrupt' });
        return;
      case 0x09:
        this.completeLine();
    }
  }

  private continueEscape(byte: number): void {
    const sequence = (this.escape ?? '') + String.fromCharCode(byte);
    this.escape = sequence;
    const key = KEYS[sequence];
    // A sequence ends with a letter or ~. An unknown one is ignored, and so is one too long for any key.
    const isOver = /^(\[[0-9;]*[A-Za-z~]|O[A-Za-z]|[^[O])$/.test(sequence);
    if (isOver || sequence.length > ESCAPE_LENGTH_MAX) this.escape = null;
    if (key !== undefined) this.pressKey(key);
  }

  private pressKey(name: string): void {
    switch (name) {
      case 'left':
        this.replace(this.text, Math.max(0, this.at - 1));
        return;
      case 'right':
        this.replace(this.text, Math.min(this.text.length, this.at + 1));
        return;
      case 'home':
        this.replace(this.text, 0);
        return;
      case 'end':
        this.replace(this.text, this.text.length);
        return;
      case 'delete':
        this.replace(this.text.slice(0, this.at) + this.text.slice(this.at + 1), this.at);
        return;
      case 'up':
        this.recall(-1);
        return;
      case 'down':
        this.recall(1);
    }
  }

  private recall(step: number): void {
    this.historyAt = Math.min(this.history.length, Math.max(0, this.historyAt + step));
    const line = this.history[this.historyAt] ?? '';
    this.replace(line, line.length);
  }

  private completeLine(): void {
    const typed = this.text.slice(0, this.at);
    const found = this.complete(typed);
    const [only] = found;
    if (only === undefined) return;
    const shared = found.reduce((a, b) => {
      let length = 0;
      while (length < a.length && a[length] === b[length]) length++;
      return a.slice(0, length);
    }, only);
    const ending = found.length === 1 ? `${shared} ` : shared;
    if (ending !== '') {
      this.insert(ending);
      return;
    }
    const word = /\S*$/.exec(typed)?.[0] ?? '';
    this.write(`\r\n${found.map((rest) => word + rest).join('  ')}\r\n${this.render()}`);
  }

  private insert(text: string): void {
    if (this.text.length + text.length > LINE_MAX) {
      this.text = '';
      this.at = 0;
      this.dropping = true;
      return;
    }
    const atEnd = this.at === this.text.length;
    this.text = this.text.slice(0, this.at) + text + this.text.slice(this.at);
    this.at += text.length;
    this.write(atEnd ? text : this.render());
  }

  private replace(text: string, at: number): void {
    this.text = text;
    this.at = at;
    this.write(this.render());
  }

  private endLine(): void {
    this.escape = null;
    this.write('\r\n');
    if (this.dropping) {
      this.dropping = false;
      this.effects.push({ type: 'overlong' });
      return;
    }
    const line = this.text.trim();
    this.text = '';
    this.at = 0;
    // The arrow keys must not bring back an unlock token.
    if (line !== '' && line !== this.history.at(-1) && !line.startsWith('unlock ')) this.history.push(line);
    if (this.history.length > HISTORY_LINES_MAX) this.history.shift();
    this.historyAt = this.history.length;
    this.effects.push({ type: 'line', text: line });
  }

  private write(text: string): void {
    this.effects.push({ type: 'write', text });
  }
}
