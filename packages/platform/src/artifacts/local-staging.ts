import { constants } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { invalidParameter, PlatformError } from "@millrace/contract";
import {
  closeDescriptor,
  dataSync,
  describe,
  etagOf,
  isErrno,
  openDescriptor,
  unlink,
  writeFully,
} from "./local-descriptors.ts";
import type { ArtifactBody, ArtifactWritten, WriteOptions } from "./store.ts";

/** Small network chunks are gathered to writes of this size. */
const WRITE_BYTES = 512 * 1024;
const FIRST_BUFFER_BYTES = 64 * 1024;
/** While a large body arrives, what has been written is synced already, in steps that the disk takes while more comes in. */
const EARLY_SYNC_BYTES = 8 * 1024 * 1024;
/** Buffers kept for the next upload: enough for a few busy ones, little for an idle server. */
const SPARE_BUFFERS_MAX = 8;
/** Leftovers of another machine that shares the folder are only known by their age. */
const FOREIGN_LEFTOVER_AGE_MS = 24 * 3_600_000;

/** A complete body under a temporary name. */
export interface StagedFile extends ArtifactWritten {
  readonly path: string;
}

const liveInstances = new Set<string>();
const thisHost = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** Writes bodies to temporary files on the file system of the root. */
export class Staging {
  readonly folder: string;
  readonly #instance = randomBytes(6).toString("hex");
  readonly #running = new Set<Interruption>();
  readonly #spare: Uint8Array[] = [];
  #count = 0;
  #closed = false;

  constructor(folder: string) {
    this.folder = folder;
    liveInstances.add(this.#instance);
  }

  /** A name that no other process uses, recognisable after a crash as left over. */
  temporaryPath(): string {
    this.#count += 1;
    return join(this.folder, `${thisHost}.${process.pid}.${this.#instance}.${this.#count}`);
  }

  /**
   * Stores a body, synced unless `durable` is false. After any failure nothing is left. Errors of the body
   * itself are passed on as they are.
   */
  async store(body: ArtifactBody, options: WriteOptions, durable = true): Promise<StagedFile> {
    const file = new TemporaryFile(this.temporaryPath(), this.#spare, durable);
    const interruption = new Interruption();
    const onAbort = () => interruption.raise(uploadCancelled(options.signal?.reason));
    this.#running.add(interruption);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (this.#closed) throw storeClosed();
      if (options.signal?.aborted) throw uploadCancelled(options.signal.reason);
      if (body instanceof Uint8Array) {
        checkSize(body.length, options.sizeBytes);
        await file.writeWhole(body);
      } else {
        await copyInto(file, body, options.sizeBytes, interruption);
      }
      const written = await file.finish();
      if (interruption.error !== undefined) throw interruption.error;
      return written;
    } catch (error) {
      await file.discard();
      throw error;
    } finally {
      this.#running.delete(interruption);
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Removes what crashed processes left, but nothing that a live one is writing. */
  async removeLeftovers(nowMs: number): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const [host, pid, instance] = name.split(".");
      if (host === undefined || pid === undefined || instance === undefined) continue;
      const path = join(this.folder, name);
      const isLeft =
        host === thisHost
          ? !isWriting(Number(pid), instance)
          : await isOlder(path, nowMs - FOREIGN_LEFTOVER_AGE_MS);
      if (isLeft) await rm(path, { recursive: true, force: true });
    }
  }

  close(): void {
    this.#closed = true;
    liveInstances.delete(this.#instance);
    for (const interruption of this.#running) interruption.raise(storeClosed());
  }
}

/**
 * Ends the wait for a body that may never send again. (`Promise.race` with one long-lived promise would keep
 * a reaction per chunk alive until the upload ends.)
 */
class Interruption {
  error: Error | undefined;
  #reject: ((error: Error) => void) | undefined;

  raise(error: Error): void {
    this.error ??= error;
    this.#reject?.(error);
  }

  unless<T>(pending: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // Always listened to: a body that fails after the interruption must not become an unhandled rejection.
      pending.then(resolve, reject);
      if (this.error !== undefined) reject(this.error);
      else this.#reject = reject;
    });
  }
}

async function copyInto(
  file: TemporaryFile,
  body: AsyncIterable<Uint8Array>,
  sizeBytes: number | undefined,
  interruption: Interruption,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  let received = 0;
  try {
    for (;;) {
      const next = await interruption.unless(chunks.next());
      if (next.done) break;
      received += next.value.length;
      if (sizeBytes !== undefined && received > sizeBytes) checkSize(received, sizeBytes);
      await file.append(next.value);
    }
    checkSize(received, sizeBytes);
  } catch (error) {
    // Not awaited: a producer that is stuck would keep the failed upload here.
    chunks.return?.()?.then(undefined, () => undefined);
    throw error;
  }
}

function checkSize(received: number, promised: number | undefined): void {
  if (promised === undefined || promised === received) return;
  const how = received > promised ? "more than" : `${received} of`;
  throw invalidParameter(
    `The upload was not stored: it sent ${how} the ${promised} bytes that it announced. Send it again.`,
    { promisedBytes: promised, receivedBytes: received },
  );
}

/** A file that is not opened before a buffer is full: most artifacts are small and need one write. */
class TemporaryFile {
  readonly #path: string;
  readonly #spare: Uint8Array[];
  readonly #durable: boolean;
  #fd: number | undefined;
  #buffer: Uint8Array | undefined;
  #filled = 0;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncedUpTo = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(path: string, spare: Uint8Array[], durable: boolean) {
    this.#path = path;
    this.#spare = spare;
    this.#durable = durable;
  }

  async writeWhole(bytes: Uint8Array): Promise<void> {
    const fd = await this.#descriptor();
    await writeFully(fd, bytes, 0);
    this.#written = bytes.length;
  }

  /** Copies the chunk; waits only while two buffers are full. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length;) {
      const buffer = this.#roomFor(chunk.length - taken);
      const piece = chunk.subarray(taken, taken + buffer.length - this.#filled);
      buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      taken += piece.length;
      if (this.#filled === WRITE_BYTES) await this.#flush();
    }
  }

  async finish(): Promise<StagedFile> {
    await this.#flush();
    await this.#writing;
    await this.#syncing;
    const fd = await this.#descriptor();
    const stats = describe(fd);
    if (this.#durable) await dataSync(fd);
    this.#fd = undefined;
    closeDescriptor(fd);
    return { path: this.#path, sizeBytes: Number(stats.size), etag: etagOf(stats) };
  }

  async discard(): Promise<void> {
    // A descriptor closed under a running call could be another file by then.
    await this.#writing.catch(() => undefined);
    await this.#syncing.catch(() => undefined);
    this.#release(this.#buffer);
    this.#buffer = undefined;
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeDescriptor(fd);
    await unlink(this.#path).catch(() => undefined);
  }

  #roomFor(bytes: number): Uint8Array {
    const buffer = this.#buffer;
    if (buffer !== undefined && this.#filled < buffer.length) return buffer;
    const wanted = this.#filled + bytes;
    const grown =
      wanted <= FIRST_BUFFER_BYTES
        ? new Uint8Array(FIRST_BUFFER_BYTES)
        : (this.#spare.pop() ?? Buffer.allocUnsafeSlow(WRITE_BYTES));
    if (buffer !== undefined) grown.set(buffer.subarray(0, this.#filled));
    this.#buffer = grown;
    return grown;
  }

  /** Hands the buffer to the disk and returns once the write before it is done. */
  async #flush(): Promise<void> {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const position = this.#written;
    const length = this.#filled;
    this.#buffer = undefined;
    this.#filled = 0;
    this.#written += length;
    try {
      await this.#writing;
    } catch (error) {
      this.#release(buffer);
      throw error;
    }
    const fd = await this.#descriptor();
    if (this.#durable && position - this.#syncedUpTo >= EARLY_SYNC_BYTES) {
      this.#syncedUpTo = position;
      this.#syncing = this.#syncing.then(() => dataSync(fd));
      this.#syncing.catch(() => undefined);
    }
    this.#writing = writeFully(fd, buffer.subarray(0, length), position).finally(() => this.#release(buffer));
    // Whoever awaits `#writing` next gets the error; until then it is not "unhandled".
    this.#writing.catch(() => undefined);
  }

  #release(buffer: Uint8Array | undefined): void {
    if (buffer?.length === WRITE_BYTES && this.#spare.length < SPARE_BUFFERS_MAX) {
      this.#spare.push(buffer);
    }
  }

  async #descriptor(): Promise<number> {
    this.#fd ??= await openDescriptor(
      this.#path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
      0o666,
    );
    return this.#fd;
  }
}

function isWriting(pid: number, instance: string): boolean {
  if (pid === process.pid) return liveInstances.has(instance);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

async function isOlder(path: string, thanMs: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < thanMs;
  } catch {
    return false;
  }
}

function uploadCancelled(cause: unknown): PlatformError {
  return new PlatformError("CANCELLED", "The upload was cancelled, so nothing was stored.", {}, cause);
}

function storeClosed(): PlatformError {
  return new PlatformError(
    "TEMPORARILY_UNAVAILABLE",
    "The artifact store is closing, so nothing was stored. Try again.",
  );
}
