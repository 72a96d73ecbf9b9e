/** One request and its repetitions. */
import { Deadline, pause } from "./deadline.ts";
import { errorOfAnswer, MillraceError } from "./error.ts";
import {
  type Failure,
  failureOfException,
  mayRetry,
  parseRetryAfterMs,
  retryDelayMs,
  type RetryPolicy,
} from "./retry.ts";

/** A body that can be sent again: streams are opened anew for each attempt. */
export type BodySource = () => BodyInit;

export interface CallOptions {
  /** Abandons the call, its repetitions included; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Longest silence, instead of the client's; 0 waits for ever. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first, instead of the client's; 0 sends the request once. */
  readonly retries?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An open answer: its body may be read as it arrives. Dispose of it when done. */
export interface Exchange extends Disposable {
  readonly response: Response;
  /** Tells that bytes arrived, so that the time for silence starts again. */
  touch(): void;
}

export interface Sending {
  /** What messages call it: the endpoint's name. */
  readonly label: string;
  readonly url: string;
  readonly method: string;
  readonly idempotent: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BodySource | undefined;
}

/** What is needed of the surroundings; tests replace network, clock and luck. */
export interface Surroundings {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly pause: typeof pause;
}

interface Failed {
  readonly failure: Failure;
  readonly error: Error;
}

export interface Exchanger {
  /**
   * Sends a request until it succeeds or must not be sent again. `use` reads the answer and is part of the
   * attempt: when the connection breaks while it reads, the answer counts as lost.
   * @throws MillraceError, or the reason of the caller's signal.
   */
  run<T>(sending: Sending, options: CallOptions, use: (exchange: Exchange) => Promise<T>): Promise<T>;
}

export function createExchanger(
  surroundings: Surroundings,
  policy: RetryPolicy,
  timeoutMsDefault: number,
): Exchanger {
  async function attempt<T>(
    sending: Sending,
    options: CallOptions,
    attempts: number,
    use: (exchange: Exchange) => Promise<T>,
  ): Promise<{ readonly value: T } | Failed> {
    const deadline = new Deadline(options.timeoutMs ?? timeoutMsDefault, options.signal);
    try {
      const response = await surroundings.fetch(requestOf(sending, options, deadline));
      deadline.touch();
      if (response.ok) {
        const touch = (): void => deadline.touch();
        return { value: await use({ response, touch, [Symbol.dispose]: () => deadline[Symbol.dispose]() }) };
      }
      const text = await response.text();
      deadline[Symbol.dispose]();
      const retryAfterMs = parseRetryAfterMs(response.headers.get("retry-after"), surroundings.nowMs());
      return {
        failure: { kind: "status", status: response.status, retryAfterMs },
        error: errorOfAnswer(text, {
          status: response.status,
          endpoint: sending.label,
          requestId: response.headers.get("x-request-id") ?? undefined,
          attempts,
          method: sending.method,
          url: sending.url,
        }),
      };
    } catch (cause) {
      const { expired } = deadline;
      deadline[Symbol.dispose]();
      if (options.signal?.aborted) throw options.signal.reason;
      if (cause instanceof MillraceError) throw cause;
      return noAnswer(cause, expired, sending, attempts);
    }
  }

  return {
    run: async (sending, options, use) => {
      const retriesMax = options.retries ?? policy.retriesMax;
      for (let attempts = 1; ; attempts++) {
        options.signal?.throwIfAborted();
        const outcome = await attempt(sending, options, attempts, use);
        if ("value" in outcome) return outcome.value;
        const { failure, error } = outcome;
        if (attempts > retriesMax || !mayRetry(failure, sending.idempotent)) throw error;
        const delayMs = retryDelayMs(failure, attempts, policy, surroundings.random());
        if (delayMs === undefined) throw error;
        await surroundings.pause(delayMs, options.signal);
      }
    },
  };
}

function requestOf(sending: Sending, options: CallOptions, deadline: Deadline): Request {
  const body = sending.body?.();
  const isStream = body instanceof ReadableStream;
  const init: RequestInit & { duplex?: "half" } = {
    method: sending.method,
    headers: { ...sending.headers, ...options.headers },
    signal: deadline.signal,
  };
  if (body !== undefined) init.body = isStream ? watched(body, deadline) : body;
  // Required for a body that is a stream: it is sent before the answer is read.
  if (isStream) init.duplex = "half";
  return new Request(sending.url, init);
}

/** Lets each piece that leaves count as a sign of life. */
function watched(body: ReadableStream<Uint8Array>, deadline: Deadline): ReadableStream<Uint8Array> {
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        deadline.touch();
        controller.enqueue(piece);
      },
    }),
  );
}

function noAnswer(cause: unknown, expired: boolean, sending: Sending, attempts: number): Failed {
  const facts = { status: 0, endpoint: sending.label, attempts };
  const what = `${sending.method} ${sending.url}`;
  if (expired) {
    const error = new MillraceError("DEADLINE_EXCEEDED", `${what}: no answer in time.`, facts, cause);
    return { failure: { kind: "lost" }, error };
  }
  const failure = failureOfException(cause);
  const message =
    failure.kind === "refused"
      ? `${what}: nothing can be reached at this address (${reasonOf(cause)}). Is the server running?`
      : `${what}: no answer (${reasonOf(cause)}).`;
  return { failure, error: new MillraceError("TEMPORARILY_UNAVAILABLE", message, facts, cause) };
}

/** The innermost message: `fetch` itself only says that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const { code } = error as { code?: unknown };
  return error.message !== "" ? error.message : typeof code === "string" ? code : error.name;
}
