/** A request and its answer, as plain values: the one way into the application. Two adapters make and send them. */

/** Bytes that were read already, a stream of them, or nothing. A stream is read once. */
export type Body = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** Header values by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly method: string;
  /** Path and query, for instance `/health?x=1`, still percent-encoded. */
  readonly url: string;
  readonly headers: RequestHeaders;
  readonly body: Body;
  /** Aborted when the client goes away before it has the answer. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names and values in turn, ready to be written. A body of known length has its Content-Length here. */
  readonly headers: readonly string[];
  /** A stream is pulled as fast as the client reads, and returned from when it stops. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** The application: it always answers and never throws. */
export type Handler = (request: HttpRequest) => Promise<HttpResponse>;

/** Whether the request announces a body. */
export function hasBody(headers: RequestHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
