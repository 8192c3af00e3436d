import { SealcamError } from '../../common/errors.js';

export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** Longest event that is taken, however it comes; a cloud cannot fill the page's memory. */
const EVENT_MAX_CHARACTERS = 256 * 1024;

/** Parses a stream of server-sent events (WHATWG HTML §9.2.6) read through fetch, which EventSource cannot authorize. */
export class EventParser {
  private rest = '';
  private event = '';
  private id: string | null = null;
  private data: string[] = [];
  private dataCharacters = 0;
  /** A line ended with CR at the end of a chunk: an LF that comes next belongs to it. */
  private wasReturn = false;

  /** @throws SealcamError `too-large` */
  push(chunk: string): ServerEvent[] {
    const out: ServerEvent[] = [];
    const fresh = this.wasReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    if (chunk !== '') this.wasReturn = chunk.endsWith('\r');
    const lines = fresh.split(/\r\n|\n|\r/);
    // Only what is new is searched, so that an event that comes byte by byte costs no more than one that comes whole.
    lines[0] = this.rest + (lines[0] ?? '');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(line, out);
    if (this.rest.length + this.dataCharacters > EVENT_MAX_CHARACTERS) tooLong();
    return out;
  }

  private line(line: string, out: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        out.push({ event: this.event === '' ? 'message' : this.event, id: this.id, data: this.data.join('\n') });
      }
      this.event = '';
      this.data = [];
      this.dataCharacters = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'id') this.id = value;
    else if (field === 'data') {
      this.data.push(value);
      // An empty line of data takes memory too.
      this.dataCharacters += value.length + 1;
      if (this.dataCharacters > EVENT_MAX_CHARACTERS) tooLong();
    }
  }
}

function tooLong(): never {
  throw new SealcamError('too-large', 'an event that is too long');
}
