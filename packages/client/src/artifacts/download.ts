import { PlatformError } from "@millrace/contract";
import { pause } from "../deadline.ts";
import { MillraceError } from "../error.ts";
import type { CallOptions, Exchange } from "../exchange.ts";
import { defaultRetryPolicy, retryDelayMs } from "../retry.ts";
import type { Transport } from "../transport.ts";
import { type ArtifactLocation, joinPath, type ResolveRoot } from "./location.ts";
import type { Moved } from "./progress.ts";

export interface Download {
  /** Undefined when the server did not tell. */
  readonly sizeBytes: number | undefined;
  readonly contentType: string | undefined;
  /** Goes on with a ranged request when the connection breaks. Cancel it to stop early. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Breaks in a row without a single byte between them, before a download fails. */
const BREAKS_MAX = 5;

/** Opens one artifact for reading. @throws MillraceError RESOURCE_DOES_NOT_EXIST */
export async function openDownload(
  transport: Transport,
  resolveRoot: ResolveRoot,
  location: ArtifactLocation,
  path: string,
  options: CallOptions,
  moved: Moved,
): Promise<Download> {
  const root = await resolveRoot(location, options);
  const open = (headers: Readonly<Record<string, string>>): Promise<Exchange> => {
    // Sizes and ranges count the bytes of the file, not those of a compressed copy.
    const given = { ...options, headers: { "accept-encoding": "identity", ...options.headers, ...headers } };
    if (root.kind === "proxy") {
      return transport.open("downloadArtifact", { artifactPath: joinPath(root.prefix, path) }, given);
    }
    const at = root.location;
    if ("runId" in at) return transport.open("getRunArtifact", { ...at, path: joinPath(path) }, given);
    if ("version" in at) return transport.open("getVersionArtifact", { ...at, path: joinPath(path) }, given);
    return transport.open("getLoggedModelArtifact", { ...at, artifactFilePath: joinPath(path) }, given);
  };
  const first = await open({});
  const { headers } = first.response;
  const length = headers.get("content-length");
  const sizeBytes = length === null || headers.has("content-encoding") ? undefined : Number(length);
  const stream = resumed(first, open, { path, sizeBytes, etag: headers.get("etag") }, options, moved);
  return { sizeBytes, contentType: headers.get("content-type") ?? undefined, stream };
}

interface Expected {
  readonly path: string;
  readonly sizeBytes: number | undefined;
  readonly etag: string | null;
}

function resumed(
  first: Exchange,
  open: (headers: Readonly<Record<string, string>>) => Promise<Exchange>,
  expected: Expected,
  options: CallOptions,
  moved: Moved,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let exchange = first;
  let reader = readerOf(first);
  let doneBytes = 0;
  let breaks = 0;

  /** The next piece, or undefined at the end. */
  async function next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { done, value } = await reader.read();
    exchange.touch();
    if (!done) return value;
    if (expected.sizeBytes !== undefined && doneBytes < expected.sizeBytes) {
      throw new TypeError(`The answer ended after ${doneBytes} of ${expected.sizeBytes} bytes.`);
    }
    return undefined;
  }

  async function resume(cause: unknown): Promise<void> {
    exchange[Symbol.dispose]();
    if (options.signal?.aborted) throw options.signal.reason;
    if (++breaks > BREAKS_MAX || (doneBytes > 0 && expected.etag === null))
      throw broken(expected.path, doneBytes, cause);
    await pause(retryDelayMs({ kind: "lost" }, breaks, defaultRetryPolicy, 0.5) ?? 0, options.signal);
    if (doneBytes === 0) {
      exchange = await open({});
    } else {
      exchange = await open({ range: `bytes=${doneBytes}-`, ...ifRange(expected.etag) });
      requireSame(exchange, expected, doneBytes);
    }
    reader = readerOf(exchange);
  }

  const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    pull: async (controller) => {
      for (;;) {
        try {
          const piece = await next();
          if (piece === undefined) {
            exchange[Symbol.dispose]();
            controller.close();
            return;
          }
          breaks = 0;
          doneBytes += piece.byteLength;
          moved(piece.byteLength);
          controller.enqueue(piece);
          return;
        } catch (error) {
          await resume(error);
        }
      }
    },
    cancel: async (reason) => {
      exchange[Symbol.dispose]();
      await reader.cancel(reason);
    },
  };
  // Nothing is read ahead of its reader: memory stays bounded, and progress is what the reader has seen.
  return new ReadableStream(source, { highWaterMark: 0 });
}

function readerOf({ response }: Exchange): ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> {
  return (response.body ?? new Blob([]).stream()).getReader();
}

/** Only a strong tag may be used as condition of a range. */
function ifRange(etag: string | null): Readonly<Record<string, string>> {
  return etag !== null && !etag.startsWith("W/") ? { "if-range": etag } : {};
}

/** @throws PlatformError ABORTED when the rest would be that of another file. */
function requireSame(exchange: Exchange, expected: Expected, doneBytes: number): void {
  const { status, headers } = exchange.response;
  const continues = headers.get("content-range")?.startsWith(`bytes ${doneBytes}-`);
  if (status === 206 && continues && headers.get("etag") === expected.etag) return;
  exchange[Symbol.dispose]();
  throw new PlatformError(
    "ABORTED",
    `${expected.path} was replaced while it was read, or the server cannot continue after ${doneBytes} bytes. Download it again.`,
    { path: expected.path, doneBytes },
  );
}

function broken(path: string, doneBytes: number, cause: unknown): MillraceError {
  return new MillraceError(
    "TEMPORARILY_UNAVAILABLE",
    `The download of ${path} broke after ${doneBytes} bytes and could not be continued.`,
    { status: 0, endpoint: "downloadArtifact", attempts: BREAKS_MAX },
    cause,
  );
}
