/** MQTT 5 §1.5.5: bits of a remaining length in each byte, and the most bytes it may have. */
const LENGTH_BITS = 7;
const LENGTH_BYTES_MAX = 4;

/**
 * Checks the lengths of MQTT packets in a stream, and nothing else of them. The parser behind it buffers a packet of up to
 * 256 MiB before it looks at the size, which would fill a camera's memory.
 */
export class PacketGuard {
  private readonly maxBytes: number;
  /** Bytes of the packet's body still to come; null while its header is read. */
  private leftBytes: number | null = null;
  private lengthBytes = 0;
  private length = 0;
  private isInLength = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Returns false when the bytes start a packet over the maximum, or one with an invalid length. */
  accepts(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.leftBytes !== null) {
        const skipped = Math.min(this.leftBytes, chunk.length - at);
        at += skipped;
        this.leftBytes -= skipped;
        if (this.leftBytes === 0) this.leftBytes = null;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (!this.isInLength) {
        this.isInLength = true;
        this.length = 0;
        this.lengthBytes = 0;
        continue;
      }
      this.length += (byte & 0x7f) * 2 ** (LENGTH_BITS * this.lengthBytes++);
      if (this.length > this.maxBytes) return false;
      if ((byte & 0x80) === 0) {
        this.isInLength = false;
        this.leftBytes = this.length === 0 ? null : this.length;
      } else if (this.lengthBytes === LENGTH_BYTES_MAX) {
        return false;
      }
    }
    return true;
  }
}
