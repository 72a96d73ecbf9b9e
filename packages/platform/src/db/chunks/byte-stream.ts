import { PlatformError } from "@millrace/contract";

/** More than the largest chunk can need: 4,096 points × four columns × at most 8 bytes and block headers. */
export const chunkBytesMax = 160_000;

/** Words are read and written whole, so the buffer is a little longer than what it may hold. */
const slackBytes = 16;

/** The error for stored bytes that are not what was written. */
export function damagedChunk(reason: string, details: Readonly<Record<string, unknown>> = {}): PlatformError {
  return new PlatformError(
    "DATA_LOSS",
    `A stored chunk of metric points is damaged: ${reason}. Restore the database from a backup.`,
    details,
  );
}

/**
 * A growing position in one reused buffer. Encoding and decoding are synchronous and never nest, so each side
 * keeps a single stream for the life of the process instead of an allocation per chunk.
 */
export class ByteStream {
  readonly bytes = new Uint8Array(chunkBytesMax + slackBytes);
  readonly view = new DataView(this.bytes.buffer);
  position = 0;
  /** Reads stop here; words beyond it are masked off by the reader. */
  end = 0;

  startWriting(): void {
    this.position = 0;
    this.end = chunkBytesMax;
  }

  /** @throws PlatformError DATA_LOSS when the data is longer than any chunk. */
  startReading(data: Uint8Array): void {
    if (data.length > chunkBytesMax) {
      throw damagedChunk(`it has ${data.length} bytes, the limit is ${chunkBytesMax}`, {
        bytes: data.length,
      });
    }
    this.bytes.set(data);
    this.position = 0;
    this.end = data.length;
  }

  writeByte(byte: number): void {
    this.bytes[this.position++] = byte;
  }

  readByte(): number {
    if (this.position >= this.end) throw damagedChunk(`it ends early, at byte ${this.end}`);
    return this.bytes[this.position++]!;
  }

  /** Claims the next bytes and returns where they start. */
  readSpan(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw damagedChunk(`it ends early, at byte ${this.end}`);
    this.position = start + length;
    return start;
  }

  /** An integer within ±2^53: see "varint" in the format description of codec.ts. */
  writeVarint(value: number): void {
    let magnitude = Math.abs(value);
    let byte = (value < 0 ? 0x40 : 0) | (magnitude % 0x40);
    magnitude = Math.floor(magnitude / 0x40);
    while (magnitude > 0) {
      this.bytes[this.position++] = byte | 0x80;
      byte = magnitude % 0x80;
      magnitude = Math.floor(magnitude / 0x80);
    }
    this.bytes[this.position++] = byte;
  }

  readVarint(): number {
    let byte = this.readByte();
    const negative = (byte & 0x40) !== 0;
    let magnitude = byte & 0x3f;
    let scale = 0x40;
    while (byte >= 0x80) {
      if (scale > 2 ** 53) throw damagedChunk("an integer is too long");
      byte = this.readByte();
      magnitude += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    if (magnitude > 2 ** 53) throw damagedChunk("an integer is too large", { magnitude });
    return negative ? 0 - magnitude : magnitude;
  }
}
