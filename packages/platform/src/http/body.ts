/** Reads a JSON body into one text: within a limit, without buffering what exceeds it, inflated when compressed. */
import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import { createGunzip, createInflate, createInflateRaw } from "node:zlib";
import { invalidParameter, PlatformError } from "@millrace/contract";
import type { Body, RequestHeaders } from "./exchange.ts";

const inflaters = { gzip: createGunzip, deflate: createInflate, raw: createInflateRaw };

/** Bodies this long and longer count towards the budget; small ones are not worth the bookkeeping. */
const BUDGETED_BYTES_MIN = 64 * 1024;

export interface BodyReader {
  /**
   * The body as text.
   * @throws PlatformError REQUEST_TOO_LARGE, RESOURCE_EXHAUSTED (budget used up), INVALID_PARAMETER_VALUE (no UTF-8).
   */
  read(request: { readonly headers: RequestHeaders; readonly body: Body }): Promise<string> | string;
}

/**
 * A reader with a limit for each body and a budget for all bodies that are being received at once, so that many
 * slow senders of long bodies cannot exhaust the memory.
 */
export function createBodyReader(limits: {
  readonly requestBodyBytesMax: number;
  readonly bufferedBodyBytesMax: number;
}): BodyReader {
  const { requestBodyBytesMax, bufferedBodyBytesMax } = limits;
  let bufferedBytes = 0;

  const tooLarge = (): PlatformError =>
    new PlatformError(
      "REQUEST_TOO_LARGE",
      `The request body is longer than ${requestBodyBytesMax} bytes. Send it in smaller parts.`,
    );

  /** Counts what one body holds in memory; the difference is given back when it is done. */
  function grow(counted: number, total: number): number {
    if (total > requestBodyBytesMax) throw tooLarge();
    if (total < BUDGETED_BYTES_MIN) return counted;
    if (bufferedBytes + total - counted > bufferedBodyBytesMax) {
      throw new PlatformError(
        "RESOURCE_EXHAUSTED",
        "The server is receiving too many long request bodies at once. Try again in a moment.",
      );
    }
    bufferedBytes += total - counted;
    return total;
  }

  /** Events instead of async iteration: a small body arrives in one chunk and needs no copy and no further hop. */
  function collectReadable(stream: Readable): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let first: Buffer | undefined;
      let more: Buffer[] | undefined;
      let total = 0;
      let counted = 0;
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        bufferedBytes -= counted;
        stream.off("data", onData);
        return true;
      };
      const fail = (error: unknown): void => {
        if (!settle()) return;
        stream.pause();
        reject(error);
      };
      // Every stream closes in the end; an error object is made only for one that closed too early.
      const onGone = (): void => {
        if (!settled) fail(goneAway());
      };
      const onData = (chunk: Buffer): void => {
        total += chunk.length;
        try {
          counted = grow(counted, total);
        } catch (error) {
          fail(error);
          return;
        }
        if (first === undefined) first = chunk;
        else (more ??= [first]).push(chunk);
      };
      stream.on("data", onData);
      stream.once("end", () => {
        if (settle()) resolve(more ? Buffer.concat(more, total) : (first ?? Buffer.alloc(0)));
      });
      stream.on("error", onGone);
      stream.once("close", onGone);
    });
  }

  async function collectIterable(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let total = 0;
    let counted = 0;
    try {
      for await (const chunk of stream) {
        total += chunk.length;
        counted = grow(counted, total);
        chunks.push(chunk);
      }
    } finally {
      bufferedBytes -= counted;
    }
    return Buffer.concat(chunks, total);
  }

  async function inflated(bytes: Buffer, encoding: string): Promise<Buffer> {
    if (bytes.length === 0) return bytes;
    const format =
      encoding === "gzip" || encoding === "x-gzip"
        ? "gzip"
        : encoding !== "deflate"
          ? undefined
          : // "deflate" means zlib, but some clients send it bare; zlib's first byte tells (RFC 1950, CM = 8).
            (bytes[0]! & 0x0f) === 8
            ? "deflate"
            : "raw";
    if (format === undefined) {
      throw invalidParameter(
        `The content encoding '${encoding.slice(0, 100)}' is not known: send the body plain, as gzip or as deflate.`,
      );
    }
    // Piece by piece, so that what comes out counts towards the budget: it may be a thousand times what went in.
    const inflater = inflaters[format]();
    inflater.end(bytes);
    try {
      return await collectIterable(inflater);
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      throw invalidParameter(`The request body is not valid ${encoding}.`);
    }
  }

  async function readStream(body: AsyncIterable<Uint8Array>, encoding: string | undefined): Promise<string> {
    const bytes = await ("pipe" in body ? collectReadable(body as Readable) : collectIterable(body));
    return toText(encoding === undefined ? bytes : await inflated(bytes, encoding));
  }

  return {
    read(request) {
      const { headers } = request;
      const declared = headers["content-length"];
      if (declared !== undefined && Number(declared) > requestBodyBytesMax) throw tooLarge();
      // Only now: to ask for the body may tell a waiting client to send it.
      const { body } = request;
      if (body === undefined) return "";
      const named = headers["content-encoding"];
      const encoding = named === undefined ? undefined : named.trim().toLowerCase();
      const compressed = encoding === "" || encoding === "identity" ? undefined : encoding;
      if (!(body instanceof Uint8Array)) return readStream(body, compressed);
      if (body.length > requestBodyBytesMax) throw tooLarge();
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      return compressed === undefined ? toText(bytes) : inflated(bytes, compressed).then(toText);
    },
  };
}

function goneAway(): PlatformError {
  return new PlatformError("CANCELLED", "The client went away before it had sent the whole request.");
}

function toText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw invalidParameter("The request body is not valid UTF-8. Send JSON as UTF-8.");
  return bytes.toString("utf8");
}
