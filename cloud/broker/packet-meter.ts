/** Bytes of the longest fixed header of MQTT: the type, and up to four bytes of length. */
const HEADER_MAX_BYTES = 5;

/** A packet that began in the bytes given. */
export interface PacketStart {
  /** Header and body. */
  readonly bytes: number;
}

/** Reads only the lengths of MQTT packets in a stream, so that a large one is noticed at its header. */
export class PacketMeter {
  /** The part of a fixed header read so far. */
  private header: number[] = [];
  private bodyLeft = 0;

  /** Returns the packets that begin in this chunk; null where a length is not one of MQTT. */
  read(chunk: Uint8Array): readonly PacketStart[] | null {
    const started: PacketStart[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.bodyLeft > 0) {
        const skipped = Math.min(this.bodyLeft, chunk.length - at);
        this.bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      this.header.push(byte);
      const isLengthOver = this.header.length > 1 && byte < 0x80;
      if (isLengthOver) {
        const [, ...digits] = this.header;
        this.bodyLeft = digits.reduce((sum, digit, i) => sum + (digit & 0x7f) * 0x80 ** i, 0);
        started.push({ bytes: this.header.length + this.bodyLeft });
        this.header = [];
      } else if (this.header.length === HEADER_MAX_BYTES) return null;
    }
    return started;
  }
}
