/** Builds answers: JSON, text, MLflow's HTML errors, and errors with a code. */
import { type ErrorCode, PlatformError } from "@millrace/contract";
import type { HttpResponse } from "./exchange.ts";

const jsonType = "application/json";
const htmlType = "text/html; charset=utf-8";

/** An answer of known length. `headers` are names and values in turn. */
export function respond(
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: readonly string[] = [],
): HttpResponse {
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  return { status, headers: ["Content-Type", type, "Content-Length", String(bytes), ...headers], body };
}

export function json(text: string, status = 200): HttpResponse {
  return respond(status, jsonType, text);
}

export function text(status: number, body: string, headers: readonly string[] = []): HttpResponse {
  return respond(status, "text/plain; charset=utf-8", body, headers);
}

export function html(status: number, body: string, headers: readonly string[] = []): HttpResponse {
  return respond(status, htmlType, body, headers);
}

/** A 404 that is no JSON, which clients read as ENDPOINT_NOT_FOUND. */
export function notFound(): HttpResponse {
  return html(
    404,
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>This server has no such address.</p>\n",
  );
}

export function methodNotAllowed(allow: readonly string[]): HttpResponse {
  return html(
    405,
    "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>This address does not answer to the method.</p>\n",
    ["Allow", allowHeader(allow)],
  );
}

export function allowHeader(methods: readonly string[]): string {
  const all = new Set([...methods, "OPTIONS"]);
  if (all.has("GET")) all.add("HEAD");
  return [...all].join(", ");
}

/**
 * `sqlstate` and `error_class`, which MLflow's server adds since 3.11 for the codes it classifies.
 * Pairs as MLflow 3.17 sends them.
 */
const classes: Partial<Record<ErrorCode, readonly [sqlstate: string, errorClass: string]>> = {
  BAD_REQUEST: ["KAM00", "INVALID_PARAMETER_VALUE"],
  CUSTOMER_UNAUTHORIZED: ["KAM00", "PERMISSION_DENIED"],
  ENDPOINT_NOT_FOUND: ["KAM00", "RESOURCE_NOT_FOUND"],
  FEATURE_DISABLED: ["KAM00", "FEATURE_DISABLED"],
  INTERNAL_ERROR: ["XXM00", "CLIENT_INTERNAL_ERROR"],
  INVALID_PARAMETER_VALUE: ["KAM00", "INVALID_PARAMETER_VALUE"],
  INVALID_STATE: ["XXM00", "CLIENT_INTERNAL_ERROR"],
  NOT_FOUND: ["KAM00", "RESOURCE_NOT_FOUND"],
  PERMISSION_DENIED: ["KAM00", "PERMISSION_DENIED"],
  RESOURCE_ALREADY_EXISTS: ["KAM00", "RESOURCE_ALREADY_EXISTS"],
  RESOURCE_DOES_NOT_EXIST: ["KAM00", "RESOURCE_NOT_FOUND"],
  TEMPORARILY_UNAVAILABLE: ["XXM00", "CLIENT_INTERNAL_ERROR"],
};

const RETRY_AFTER_S = 1;

/** Renders an error as JSON. */
export function renderError(error: PlatformError): HttpResponse {
  const pair = classes[error.code];
  const body = JSON.stringify({
    error_code: error.code,
    message: error.message,
    ...(pair && { sqlstate: pair[0], error_class: pair[1] }),
  });
  const { status } = error;
  const headers: string[] = [];
  if (status === 429 || status === 503) headers.push("Retry-After", String(RETRY_AFTER_S));
  if (status === 401) headers.push("WWW-Authenticate", 'Basic realm="mlflow"');
  return respond(status, jsonType, body, headers);
}

/** What a client may know of a fault of ours. */
export function internalError(requestId: string): PlatformError {
  return new PlatformError(
    "INTERNAL_ERROR",
    `The server failed to answer. Its log has the reason under the request id ${requestId}.`,
  );
}
