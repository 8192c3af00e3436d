/** Bits of a remaining length in one byte (MQTT 5 §1.5.5), and how many bytes it may have. */
const LENGTH_BITS = 7;
const LENGTH_BYTES_MAX = 4;

/**
 * Follows the frames of a stream of MQTT packets by their lengths alone. The parser behind it keeps a packet until its
 * last byte, up to 256 MiB: a broker that announces one would fill a camera's memory before anybody looks at its size.
 */
export class PacketGuard {
  private readonly maxBytes: number;
  /** Of the packet's body, still to come; null while the header is read. */
  private leftBytes: number | null = null;
  private lengthBytes = 0;
  private length = 0;
  private isInLength = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** False when the bytes begin a packet that is larger than allowed, or none at all. */
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
