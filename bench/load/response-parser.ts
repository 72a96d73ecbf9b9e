/** One HTTP/1.1 answer. `body` is a view into the socket's buffer: valid until the callback returns. */
export interface RawResponse {
  readonly status: number;
  readonly body: Buffer;
}

type State = "head" | "length" | "chunk-size" | "chunk-data" | "chunk-end" | "trailer";

const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
const empty = Buffer.alloc(0);

/**
 * Reads HTTP/1.1 answers off a keep-alive socket with as little work as possible, because the generator shares
 * its cores with the server it measures. Understands Content-Length and chunked bodies; refuses the rest.
 */
export class ResponseParser {
  /** When set, body bytes go here as they arrive and the answer's `body` stays empty (large downloads). */
  sink: ((bytes: Buffer) => void) | undefined;
  #state: State = "head";
  #carry: Buffer = empty;
  #status = 0;
  #remaining = 0;
  #filled = 0;
  #body: Buffer = empty;
  #parts: Buffer[] = [];
  readonly #onResponse: (response: RawResponse) => void;

  constructor(onResponse: (response: RawResponse) => void) {
    this.#onResponse = onResponse;
  }

  /** Takes the next bytes of the stream. Throws on what is not HTTP/1.1. */
  feed(chunk: Buffer): void {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = empty;
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at);
      if (next === undefined) {
        // Copied: the socket reuses its read buffer.
        this.#carry = Buffer.from(data.subarray(at));
        return;
      }
      at = next;
    }
  }

  #step(data: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case "head":
        return this.#head(data, at);
      case "length":
        return this.#length(data, at);
      case "chunk-size":
        return this.#chunkSize(data, at);
      case "chunk-data":
        return this.#chunkData(data, at);
      case "chunk-end":
        if (data.length - at < 2) return undefined;
        this.#state = "chunk-size";
        return at + 2;
      case "trailer":
        return this.#trailer(data, at);
    }
  }

  #head(data: Buffer, at: number): number | undefined {
    const end = data.indexOf(headEnd, at);
    if (end < 0) return undefined;
    const head = data.toString("latin1", at, end);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
    if (status === undefined)
      throw new Error(`Expected an HTTP/1.1 status line, got ${JSON.stringify(head.slice(0, 80))}.`);
    this.#status = Number(status);
    const next = end + headEnd.length;
    if (this.#status < 200) return next;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#remaining = Number(length);
      this.#filled = 0;
      if (this.#remaining === 0) this.#finish(empty);
      else this.#state = "length";
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#parts = [];
      this.#state = "chunk-size";
    } else if (this.#status === 204 || this.#status === 304) {
      this.#finish(empty);
    } else {
      throw new Error(`The answer has neither Content-Length nor chunks: ${JSON.stringify(head)}.`);
    }
    return next;
  }

  #length(data: Buffer, at: number): number {
    const available = Math.min(this.#remaining, data.length - at);
    const bytes = data.subarray(at, at + available);
    this.#remaining -= available;
    if (this.sink !== undefined) {
      this.sink(bytes);
      if (this.#remaining === 0) this.#finish(empty);
    } else if (this.#filled === 0 && this.#remaining === 0) {
      this.#finish(bytes);
    } else {
      if (this.#filled === 0) this.#body = Buffer.allocUnsafe(available + this.#remaining);
      bytes.copy(this.#body, this.#filled);
      this.#filled += available;
      if (this.#remaining === 0) this.#finish(this.#body);
    }
    return at + available;
  }

  #chunkSize(data: Buffer, at: number): number | undefined {
    const end = data.indexOf(lineEnd, at);
    if (end < 0) return undefined;
    const size = Number.parseInt(data.toString("latin1", at, end), 16);
    if (Number.isNaN(size)) throw new Error("The answer has a chunk without a size.");
    this.#remaining = size;
    this.#state = size === 0 ? "trailer" : "chunk-data";
    return end + lineEnd.length;
  }

  #chunkData(data: Buffer, at: number): number {
    const available = Math.min(this.#remaining, data.length - at);
    const bytes = data.subarray(at, at + available);
    if (this.sink === undefined) this.#parts.push(Buffer.from(bytes));
    else this.sink(bytes);
    this.#remaining -= available;
    if (this.#remaining === 0) this.#state = "chunk-end";
    return at + available;
  }

  #trailer(data: Buffer, at: number): number | undefined {
    const end = data.indexOf(lineEnd, at);
    if (end < 0) return undefined;
    if (end === at) this.#finish(this.#parts.length === 0 ? empty : Buffer.concat(this.#parts));
    return end + lineEnd.length;
  }

  #finish(body: Buffer): void {
    this.#state = "head";
    this.#parts = [];
    this.#body = body;
    this.#onResponse({ status: this.#status, body });
    this.#body = empty;
  }
}
