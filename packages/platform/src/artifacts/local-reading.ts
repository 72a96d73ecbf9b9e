import { PlatformError } from "@millrace/contract";
import { closeDescriptor, describe, etagOf, readFully } from "./local-descriptors.ts";
import type { ArtifactRead, RangeRequest, ReadOptions } from "./store.ts";

/** Large enough that system calls cost little, small enough for many readers at once. */
const READ_BYTES = 512 * 1024;
const SPARE_BUFFERS_MAX = 8;
const spareBuffers: Uint8Array[] = [];

/** Streams an open file; takes over the descriptor. Throws for a directory and for a range beyond the end. */
export function readDescriptor(
  fd: number,
  path: string,
  range: RangeRequest | undefined,
  options: ReadOptions,
): ArtifactRead {
  try {
    const stats = describe(fd);
    if (stats.isDirectory()) {
      throw new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `'${path}' is a directory, not a file. List it, and read the files in it.`,
        { path, isDirectory: true },
      );
    }
    if (!stats.isFile()) {
      throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'.`, { path });
    }
    const sizeBytes = Number(stats.size);
    const { start, lengthBytes } = resolveRange(range, sizeBytes, path);
    const file = new OpenFile(fd, path);
    return {
      sizeBytes,
      etag: etagOf(stats),
      modifiedAtMs: Number(stats.mtimeMs),
      start,
      lengthBytes,
      body: options.reuseChunks
        ? file.reusingChunks(start, lengthBytes)
        : file.freshChunks(start, lengthBytes),
      close: () => file.close(),
    };
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** Bytes `start` to `start + lengthBytes` of a file of this size, as RFC 9110 section 14 reads a range. */
export function resolveRange(
  range: RangeRequest | undefined,
  sizeBytes: number,
  path: string,
): { start: number; lengthBytes: number } {
  if (range === undefined) return { start: 0, lengthBytes: sizeBytes };
  if ("last" in range) {
    const lengthBytes = Math.min(range.last, sizeBytes);
    if (lengthBytes > 0) return { start: sizeBytes - lengthBytes, lengthBytes };
  } else {
    const end = Math.min(range.endInclusive ?? sizeBytes - 1, sizeBytes - 1);
    if (range.start >= 0 && range.start <= end) {
      return { start: range.start, lengthBytes: end - range.start + 1 };
    }
  }
  throw new PlatformError(
    "RANGE_NOT_SATISFIABLE",
    `The range does not touch '${path}', which has ${sizeBytes} bytes.`,
    { path, sizeBytes },
  );
}

class OpenFile {
  readonly #path: string;
  #fd: number | undefined;
  #reading: Promise<number> | undefined;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    // A descriptor closed under a running read could be another file by then.
    await this.#reading?.catch(() => undefined);
    closeDescriptor(fd);
  }

  async *freshChunks(start: number, lengthBytes: number): AsyncGenerator<Uint8Array> {
    try {
      for (let done = 0; done < lengthBytes;) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, lengthBytes - done));
        await this.#fill(chunk, start + done);
        done += chunk.length;
        yield chunk;
      }
    } finally {
      await this.close();
    }
  }

  /** Two buffers in turn: the next one fills while the consumer has this one. */
  async *reusingChunks(start: number, lengthBytes: number): AsyncGenerator<Uint8Array> {
    if (lengthBytes <= READ_BYTES) {
      yield* this.freshChunks(start, lengthBytes);
      return;
    }
    const buffers = [takeBuffer(), takeBuffer()] as const;
    try {
      const sizeAt = (offset: number) => Math.min(READ_BYTES, lengthBytes - offset);
      let filling = this.#fill(buffers[0].subarray(0, sizeAt(0)), start);
      for (let done = 0, turn = 0; done < lengthBytes; turn = 1 - turn) {
        const size = await filling;
        const following = done + size;
        if (following < lengthBytes) {
          const target = turn === 0 ? buffers[1] : buffers[0];
          filling = this.#fill(target.subarray(0, sizeAt(following)), start + following);
          // The error is met when this chunk's turn comes.
          filling.catch(() => undefined);
        }
        yield (turn === 0 ? buffers[0] : buffers[1]).subarray(0, size);
        done = following;
      }
    } finally {
      await this.close();
      for (const buffer of buffers) {
        if (spareBuffers.length < SPARE_BUFFERS_MAX) spareBuffers.push(buffer);
      }
    }
  }

  #fill(target: Uint8Array, position: number): Promise<number> {
    const fd = this.#fd;
    if (fd === undefined) return Promise.reject(this.#lost("it was closed while being read"));
    this.#reading = readFully(fd, target, position).then((bytesRead) => {
      if (bytesRead === target.length) return bytesRead;
      throw this.#lost("another program made it shorter while it was being read");
    });
    return this.#reading;
  }

  #lost(reason: string): PlatformError {
    return new PlatformError("DATA_LOSS", `Reading '${this.#path}' stopped: ${reason}. Read it again.`, {
      path: this.#path,
    });
  }
}

function takeBuffer(): Uint8Array {
  return spareBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
}
