import { type ErrorCode, errorCodes, PlatformError } from "@millrace/contract";

/** What the client knows of a call that failed. */
export interface ErrorFacts {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Name of the endpoint in the contract's table, or the address for calls beyond it. */
  readonly endpoint: string;
  /** The server's `x-request-id`, to find the call in its log. */
  readonly requestId?: string | undefined;
  /** How often the request was sent. */
  readonly attempts: number;
  /** `error_code` as the server wrote it, also when it is none that the contract knows. */
  readonly serverCode?: string | undefined;
}

/** A call that failed: by a server's refusal, or because no usable answer came. */
export class MillraceError extends PlatformError {
  readonly #status: number;
  readonly endpoint: string;
  readonly requestId: string | undefined;
  readonly attempts: number;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts, cause?: unknown) {
    super(code, message, { ...facts }, cause);
    this.#status = facts.status;
    this.endpoint = facts.endpoint;
    this.requestId = facts.requestId;
    this.attempts = facts.attempts;
  }

  /** HTTP status of the answer; 0 when no answer came. */
  override get status(): number {
    return this.#status;
  }
}

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "ENDPOINT_NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  408: "DEADLINE_EXCEEDED",
  409: "RESOURCE_CONFLICT",
  413: "REQUEST_TOO_LARGE",
  416: "RANGE_NOT_SATISFIABLE",
  429: "REQUEST_LIMIT_EXCEEDED",
  501: "NOT_IMPLEMENTED",
  503: "TEMPORARILY_UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** The code of an answer that names none: pages of proxies, unknown routes, other web servers. */
export function codeOfStatus(status: number): ErrorCode {
  return codeByStatus[status] ?? (status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST");
}

const TEXT_SHOWN_MAX = 300;

/** Makes the error of an answer that is no success. */
export function errorOfAnswer(
  text: string,
  facts: Omit<ErrorFacts, "serverCode"> & { readonly method: string; readonly url: string },
): MillraceError {
  const { method, url, ...rest } = facts;
  const body = parsedObject(text);
  const serverCode = typeof body["error_code"] === "string" ? body["error_code"] : undefined;
  const known = serverCode !== undefined && Object.hasOwn(errorCodes, serverCode);
  const code = known ? (serverCode as ErrorCode) : codeOfStatus(facts.status);
  let message: string;
  if (typeof body["message"] === "string") {
    message = body["message"];
  } else {
    const detail = typeof body["detail"] === "string" ? body["detail"] : plainText(text);
    message = `${method} ${url} answered ${facts.status}${detail === "" ? "" : `: ${detail}`}.`;
  }
  return new MillraceError(code, message, { ...rest, serverCode });
}

function parsedObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Words of an error page, without its markup. */
function plainText(text: string): string {
  const words = text
    .replace(/<(style|script)\b[^]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
  return words.length > TEXT_SHOWN_MAX ? `${words.slice(0, TEXT_SHOWN_MAX)}…` : words;
}
