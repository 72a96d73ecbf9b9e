/** The shapes of use-cases: one function per endpoint of the contract's table. */
import type { EndpointName, Endpoints, RequestOf, ResponseOf } from "@millrace/contract";
import type { Context } from "../context.ts";

/** An answer that the use-case renders itself: bytes of an artifact, a long history. */
export interface RawAnswer {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is pulled as the client reads, and closed when it goes away. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** What a raw or streaming endpoint may need of the HTTP request. */
export interface RawRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Scheme and host as the client addressed the server, for instance `http://127.0.0.1:5000`, with the static prefix. */
  readonly origin: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** Declared length of the body in bytes, if any. */
  readonly bodyBytes: number | undefined;
  readonly signal: AbortSignal;
}

type Answer<N extends EndpointName> = Endpoints[N] extends { readonly answer: "raw" }
  ? RawAnswer
  : ResponseOf<Endpoints[N]>;

export type UseCase<N extends EndpointName> = (
  context: Context,
  request: RequestOf<Endpoints[N]>,
  raw: RawRequest,
) => Promise<Answer<N> | RawAnswer>;

export type UseCases = { readonly [N in EndpointName]: UseCase<N> };
