export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** Longest event that is taken; a cloud cannot fill the page's memory. */
const EVENT_MAX_CHARACTERS = 256 * 1024;

/** Parses a stream of server-sent events (WHATWG HTML §9.2.6) read through fetch, which EventSource cannot authorize. */
export class EventParser {
  private rest = '';
  private event = '';
  private id: string | null = null;
  private data: string[] = [];

  push(chunk: string): ServerEvent[] {
    const out: ServerEvent[] = [];
    const lines = (this.rest + chunk).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? '';
    if (this.rest.length > EVENT_MAX_CHARACTERS) throw new Error('an event that is too long');
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) {
          out.push({ event: this.event === '' ? 'message' : this.event, id: this.id, data: this.data.join('\n') });
        }
        this.event = '';
        this.data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.event = value;
      else if (field === 'data') this.data.push(value);
      else if (field === 'id') this.id = value;
    }
    return out;
  }
}
