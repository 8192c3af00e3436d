/** What the console does with what was typed. */
export type EditorEffect =
  | { readonly type: 'write'; readonly text: string }
  | { readonly type: 'line'; readonly text: string }
  /** Ctrl-C: whatever runs is to stop. */
  | { readonly type: 'interrupt' }
  /** More than a line may hold came without an end; everything up to the next end of line is dropped. */
  | { readonly type: 'overlong' };

/** Endings for what is typed so far. */
export type Complete = (text: string) => readonly string[];

/** A token of an unlock is some 350 characters. */
export const LINE_MAX = 1024;
const HISTORY_MAX = 50;
const ESCAPE_MAX = 8;

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
 * A line as one types it on a VT100: echo, cursor keys, history, completion. Pure: bytes in, effects out.
 * Only printable ASCII becomes a part of a line; everything else is a key that is known, or nothing.
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

  push(bytes: Uint8Array): EditorEffect[] {
    this.effects = [];
    for (const byte of bytes) this.byte(byte);
    return this.effects;
  }

  /** The prompt and what is typed so far, on a line of their own. */
  render(): string {
    const back = this.text.length - this.at;
    return `\r\u001b[K${this.prompt()}${this.text}${back > 0 ? `\u001b[${String(back)}D` : ''}`;
  }

  private byte(byte: number): void {
    const wasReturn = this.lastWasReturn;
    this.lastWasReturn = byte === 0x0d;
    if (byte === 0x0d || (byte === 0x0a && !wasReturn)) {
      this.enter();
      return;
    }
    if (this.dropping || byte === 0x0a) return;
    if (this.escape !== null) {
      this.escaped(byte);
      return;
    }
    if (byte >= 0x20 && byte < 0x7f) this.insert(String.fromCharCode(byte));
    else this.control(byte);
  }

  private control(byte: number): void {
    switch (byte) {
      case 0x1b:
        this.escape = '';
        return;
      case 0x08:
      case 0x7f:
        if (this.at > 0) this.replace(this.text.slice(0, this.at - 1) + this.text.slice(this.at), this.at - 1);
        return;
      case 0x01:
        this.key('home');
        return;
      case 0x05:
        this.key('end');
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
        this.tab();
    }
  }

  private escaped(byte: number): void {
    const sequence = (this.escape ?? '') + String.fromCharCode(byte);
    this.escape = sequence;
    const key = KEYS[sequence];
    // A sequence ends with a letter or ~; what is not known, or too long for any, is forgotten.
    const isOver = /^(\[[0-9;]*[A-Za-z~]|O[A-Za-z]|[^[O])$/.test(sequence);
    if (isOver || sequence.length > ESCAPE_MAX) this.escape = null;
    if (key !== undefined) this.key(key);
  }

  private key(name: string): void {
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

  private tab(): void {
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

  private enter(): void {
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
    // A token must not be had again by pressing a key.
    if (line !== '' && line !== this.history.at(-1) && !line.startsWith('unlock ')) this.history.push(line);
    if (this.history.length > HISTORY_MAX) this.history.shift();
    this.historyAt = this.history.length;
    this.effects.push({ type: 'line', text: line });
  }

  private write(text: string): void {
    this.effects.push({ type: 'write', text });
  }
}
