import { SealcamError } from '../../common/errors.js';
import { bodyChunks } from './body.js';

export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** Longest event accepted, however it arrives, so that a cloud cannot exhaust the page's memory. */
const EVENT_MAX_CHARACTERS = 256 * 1024;

/**
 * Parses server-sent events (WHATWG HTML §9.2.6) from a fetch body; EventSource cannot send an authorization header.
 */
export class EventParser {
  private rest = '';
  private event = '';
  private id: string | null = null;
  private data: string[] = [];
  private dataCharacters = 0;
  /** Whether the last chunk ended with CR; an LF at the start of the next belongs to it. */
  private endedWithReturn = false;

  /** Adds a chunk and returns the events it completes. @throws SealcamError `too-large` */
  push(chunk: string): ServerEvent[] {
    const out: ServerEvent[] = [];
    const fresh = this.endedWithReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    if (chunk !== '') this.endedWithReturn = chunk.endsWith('\r');
    const lines = fresh.split(/\r\n|\n|\r/);
    // Only the new chunk is searched, so that an event arriving byte by byte costs no more than one arriving whole.
    lines[0] = this.rest + (lines[0] ?? '');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(line, out);
    if (this.rest.length + this.dataCharacters > EVENT_MAX_CHARACTERS) refuseTooLong();
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
      // An empty data line takes memory too.
      this.dataCharacters += value.length + 1;
      if (this.dataCharacters > EVENT_MAX_CHARACTERS) refuseTooLong();
    }
  }
}

function refuseTooLong(): never {
  throw new SealcamError('too-large', 'an event above the size limit');
}

/**
 * Yields the events of a fetch body until it ends or the signal fires. `within` limits each wait.
 * @throws SealcamError `cloud-unreachable`, `too-large`
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  within: <T>(wait: Promise<T>) => Promise<T>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  const parser = new EventParser();
  // Pings are comments, which the parser drops; that they arrive is what counts.
  for await (const chunk of bodyChunks(body, within, signal))
    yield* parser.push(decoder.decode(chunk, { stream: true }));
}
