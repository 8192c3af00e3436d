/** MQTT 5 §1.5.5: bits of a remaining length in each byte, and the most bytes it may have. */
const LENGTH_BITS = 7;
const LENGTH_BYTES_MAX = 4;

/** MQTT 5 §3.4: a PUBACK is the packet identifier in two bytes, then its reason. */
const PUBACK = 0x40;
const PUBACK_REASON_AT = 2;
const PACKET_TOO_LARGE = 0x95;
/** "Implementation specific error". */
const KNOWN_REASON = 0x83;

/**
 * Checks the lengths of MQTT packets in a stream, and looks into PUBACKs alone. The parser behind it buffers a packet of up
 * to 256 MiB before it looks at the size, which would fill a camera's memory. And it ends the connection at a PUBACK with
 * "packet too large", a reason that the standard does not list there and Mosquitto sends: the guard reports it, and puts a
 * reason that the parser knows in its place, in the chunk itself.
 */
export class PacketGuard {
  private readonly maxBytes: number;
  private readonly onTooLarge: (messageId: number) => void;
  private type = 0;
  /** How much of the packet's body was read, and the identifier of a PUBACK. */
  private bodyAt = 0;
  private messageId = 0;
  /** Bytes of the packet's body still to come; null while its header is read. */
  private leftBytes: number | null = null;
  private lengthBytes = 0;
  private length = 0;
  private isInLength = false;

  constructor(maxBytes: number, onTooLarge: (messageId: number) => void = () => undefined) {
    this.maxBytes = maxBytes;
    this.onTooLarge = onTooLarge;
  }

  /** Returns false when the bytes start a packet over the maximum, or one with an invalid length. */
  accepts(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.leftBytes !== null) {
        const skipped = Math.min(this.leftBytes, chunk.length - at);
        if (this.type === PUBACK) this.inspectPuback(chunk, at, skipped);
        at += skipped;
        this.leftBytes -= skipped;
        if (this.leftBytes === 0) this.leftBytes = null;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (!this.isInLength) {
        this.isInLength = true;
        this.type = byte & 0xf0;
        this.bodyAt = 0;
        this.messageId = 0;
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

  private inspectPuback(chunk: Uint8Array, from: number, count: number): void {
    for (let at = from; at < from + count; at++, this.bodyAt++) {
      const byte = chunk[at] ?? 0;
      if (this.bodyAt < PUBACK_REASON_AT) this.messageId = this.messageId * 256 + byte;
      if (this.bodyAt !== PUBACK_REASON_AT || byte !== PACKET_TOO_LARGE) continue;
      chunk[at] = KNOWN_REASON;
      this.onTooLarge(this.messageId);
    }
  }
}
