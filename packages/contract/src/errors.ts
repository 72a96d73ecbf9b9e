/**
 * Every error code of the protocol, the HTTP status it travels with, and whether trying again can help.
 * The pairs are MLflow's, odd ones included: an existing resource is a 400, and official clients retry any
 * 5xx for minutes, so a user's mistake never gets one.
 */
export const errorCodes = {
  INVALID_PARAMETER_VALUE: { status: 400, retryHelps: false },
  BAD_REQUEST: { status: 400, retryHelps: false },
  RESOURCE_ALREADY_EXISTS: { status: 400, retryHelps: false },
  UNAUTHENTICATED: { status: 401, retryHelps: false },
  CUSTOMER_UNAUTHORIZED: { status: 401, retryHelps: false },
  PERMISSION_DENIED: { status: 403, retryHelps: false },
  RESOURCE_DOES_NOT_EXIST: { status: 404, retryHelps: false },
  NOT_FOUND: { status: 404, retryHelps: false },
  ENDPOINT_NOT_FOUND: { status: 404, retryHelps: false },
  METHOD_NOT_ALLOWED: { status: 405, retryHelps: false },
  ALREADY_EXISTS: { status: 409, retryHelps: false },
  RESOURCE_CONFLICT: { status: 409, retryHelps: false },
  ABORTED: { status: 409, retryHelps: true },
  REQUEST_TOO_LARGE: { status: 413, retryHelps: false },
  RANGE_NOT_SATISFIABLE: { status: 416, retryHelps: false },
  FEATURE_DISABLED: { status: 400, retryHelps: false },
  REQUEST_LIMIT_EXCEEDED: { status: 429, retryHelps: true },
  RESOURCE_EXHAUSTED: { status: 429, retryHelps: true },
  CANCELLED: { status: 499, retryHelps: false },
  INTERNAL_ERROR: { status: 500, retryHelps: false },
  INVALID_STATE: { status: 500, retryHelps: false },
  DATA_LOSS: { status: 500, retryHelps: false },
  NOT_IMPLEMENTED: { status: 501, retryHelps: false },
  TEMPORARILY_UNAVAILABLE: { status: 503, retryHelps: true },
  DEADLINE_EXCEEDED: { status: 504, retryHelps: true },
} as const satisfies Record<string, { status: number; retryHelps: boolean }>;

export type ErrorCode = keyof typeof errorCodes;

/** An error that a user can act on: a code, a sentence with the value and what to do, facts, and a cause. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Shorthand for the most frequent error: something the caller sent is wrong. */
export function invalidParameter(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): PlatformError {
  return new PlatformError("INVALID_PARAMETER_VALUE", message, details);
}
