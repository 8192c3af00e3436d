/** What the cloud passes on of a look: frames of a length and that many bytes, untrusted. */
import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import { bodyChunks } from './body.js';

export type LookFrame =
  /** A message of the camera's, as it published it. */
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  /** A sign of life. */
  | { readonly type: 'keep-alive' }
  /** The cloud says why it passes nothing on any longer. */
  | { readonly type: 'closed'; readonly code: string; readonly message: string };

const closing = v.object({
  code: v.pipe(v.string(), v.maxLength(100)),
  message: v.pipe(v.string(), v.maxLength(1000)),
});
/** In place of a length: the reason follows, with a length of its own. */
const CLOSING = 0xffff_ffff;
const LENGTH_BYTES = 4;
const REASON_MAX_BYTES = 4096;

/** Cuts a body into frames, however its bytes arrive. */
export class LookFrameParser {
  private parts: Uint8Array[] = [];
  private length = 0;
  /** Bytes that the next frame needs, with its head; known once its head is here. */
  private needed = LENGTH_BYTES;

  /** Adds a chunk and returns the frames that it completes. @throws SealcamError `too-large`, `malformed` */
  push(chunk: Uint8Array): LookFrame[] {
    this.parts.push(chunk);
    this.length += chunk.length;
    const frames: LookFrame[] = [];
    // Only joined where a frame may be whole, so that one that arrives byte by byte costs no more than one that arrives at once.
    while (this.length >= this.needed) {
      const [first] = this.parts;
      const bytes = first !== undefined && this.parts.length === 1 ? first : concat(...this.parts);
      const { headBytes, bodyBytes, isReason } = headOf(bytes);
      this.needed = headBytes + bodyBytes;
      if (bytes.length < this.needed) {
        this.parts = [bytes];
        break;
      }
      const body = bytes.slice(headBytes, this.needed);
      this.parts = [bytes.subarray(this.needed)];
      this.length -= this.needed;
      this.needed = LENGTH_BYTES;
      frames.push(frameOf(body, isReason));
    }
    return frames;
  }
}

function headOf(bytes: Uint8Array): { headBytes: number; bodyBytes: number; isReason: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0);
  if (length !== CLOSING) {
    if (length > LIMITS.messageMaxBytes) throw new SealcamError('too-large', 'a live message above the size limit');
    return { headBytes: LENGTH_BYTES, bodyBytes: length, isReason: false };
  }
  const headBytes = 2 * LENGTH_BYTES;
  if (bytes.length < headBytes) return { headBytes, bodyBytes: 0, isReason: true };
  const bodyBytes = view.getUint32(LENGTH_BYTES);
  if (bodyBytes > REASON_MAX_BYTES) throw new SealcamError('too-large', 'a reason above the size limit');
  return { headBytes, bodyBytes, isReason: true };
}

function frameOf(body: Uint8Array, isReason: boolean): LookFrame {
  if (!isReason) return body.length === 0 ? { type: 'keep-alive' } : { type: 'message', bytes: body };
  return { type: 'closed', ...reasonIn(body) };
}

function reasonIn(body: Uint8Array): v.InferOutput<typeof closing> {
  try {
    return v.parse(closing, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch (cause) {
    throw new SealcamError('malformed', 'a look that ends with no reason', { cause });
  }
}

/**
 * Yields the frames of a body until it ends or the signal fires. `within` limits each wait.
 * @throws SealcamError `cloud-unreachable`, `too-large`, `malformed`
 */
export async function* lookFrames(
  body: ReadableStream<Uint8Array>,
  within: <T>(wait: Promise<T>) => Promise<T>,
  signal: AbortSignal,
): AsyncGenerator<LookFrame> {
  const parser = new LookFrameParser();
  for await (const chunk of bodyChunks(body, within, signal)) yield* parser.push(chunk);
}
