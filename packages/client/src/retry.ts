/** When a request is sent again, and how long to wait before. Pure: time and luck are passed in. */

/** Why an attempt gave no usable answer. */
export type Failure =
  /** The connection was never made, so the server has seen nothing. */
  | { readonly kind: "refused" }
  /** The connection broke, or the answer was late: the server may have done the work. */
  | { readonly kind: "lost" }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterMs: number | undefined };

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retriesMax: number;
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** A server that asks for more patience than this is not waited for. */
  readonly retryAfterMsMax: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  retriesMax: 5,
  firstDelayMs: 200,
  delayMsMax: 15_000,
  retryAfterMsMax: 60_000,
};

/**
 * Whether sending the request again can help and cannot do the work twice.
 * A request that is not idempotent is repeated only when the server cannot have acted on it: no connection was
 * made, or the server refused it for now and said when to come back.
 */
export function mayRetry(failure: Failure, idempotent: boolean): boolean {
  switch (failure.kind) {
    case "refused":
      return true;
    case "lost":
      return idempotent;
    case "status": {
      const { status, retryAfterMs } = failure;
      if ((status === 429 || status === 503) && retryAfterMs !== undefined) return true;
      return idempotent && (status === 408 || status === 429 || (status >= 500 && status !== 501));
    }
  }
}

/**
 * Milliseconds to wait before attempt number `attempt` (the first repetition is 1): exponential, with up to half
 * of it taken away by chance so that clients do not come back together; never earlier than the server asked for.
 * Undefined when the server asks for more than the policy waits.
 * @param luck from 0 to 1
 */
export function retryDelayMs(
  failure: Failure,
  attempt: number,
  policy: RetryPolicy,
  luck: number,
): number | undefined {
  const exponential = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** (attempt - 1));
  const jittered = exponential * (1 - luck / 2);
  const asked = failure.kind === "status" ? (failure.retryAfterMs ?? 0) : 0;
  if (asked > policy.retryAfterMsMax) return undefined;
  return Math.max(jittered, asked);
}

/** Reads a `Retry-After` header: seconds, or a date. Undefined when there is none that can be read. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** Codes of Node's errors that arise before a connection exists. Browsers tell nothing, so there it is "lost". */
const beforeConnection = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Classifies what `fetch` threw. */
export function failureOfException(error: unknown): Failure {
  return { kind: neverConnected(error) ? "refused" : "lost" };
}

function neverConnected(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  // One error for every address of a host name: all must have failed before the connection.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverConnected);
  if (typeof code === "string") return beforeConnection.has(code);
  return cause !== undefined && neverConnected(cause);
}
