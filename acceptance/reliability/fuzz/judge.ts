/** What every answer must be like, whatever was asked. */
import path from "node:path";
import type { FuzzRequest, Outcome, WireAnswer } from "./wire.ts";

/**
 * The only requests that may be answered with 501: span logging, whose exporter stops at it, and signed addresses
 * from a store that cannot sign.
 */
const notImplemented =
  /\/v1\/traces|\/mlflow-artifacts\/presigned\/|\/artifacts\/presigned-(up|down)load-url/;

/** Answers without JSON that MLflow's server gives as text or HTML, too. */
const textStatuses = new Set([400, 403, 404, 405]);

const repository = path.resolve(import.meta.dirname, "..", "..", "..");
const stack = /\n\s+at .+:\d+:\d+|node:internal|\.ts:\d+:\d+|node_modules|SQLITE_|SqliteError|ERR_SQLITE/;

/** Everything that is wrong with an outcome; slowness apart, which the machine may be to blame for. */
export function problems(request: FuzzRequest, outcome: Outcome, directory: string): string[] {
  if (outcome.end === "hung") return [`no answer within ${(outcome.ms / 1000).toFixed(0)} s`];
  if (outcome.answers.length === 0) {
    return request.malformed ? [] : ["the connection was closed without an answer"];
  }
  return outcome.answers.flatMap((answer) => answerProblems(request, answer, directory));
}

function answerProblems(request: FuzzRequest, answer: WireAnswer, directory: string): string[] {
  const { status, headers, body } = answer;
  const found: string[] = [];
  if (status < 200 || status > 599) found.push(`status ${status}`);
  if (status >= 500 && !(status === 501 && mayBeUnimplemented(request))) found.push(`status ${status}`);
  if (request.method === "HEAD" || body.length === 0) return found;
  const type = headers.get("content-type") ?? "";
  const isFile = headers.has("content-disposition");
  if (type.startsWith("application/json") && !isFile) {
    const json = parsed(body);
    if (json === undefined) found.push("the body is no JSON object");
    else if (status >= 400 && !(isText(json["error_code"]) && isText(json["message"]))) {
      found.push("an error without error_code and message");
    }
  } else if (status >= 400 && !textStatuses.has(status)) {
    found.push(`status ${status} without JSON`);
  }
  if (status >= 400) {
    const text = body.toString("utf8");
    const sent = `${decodeURIComponentSafely(request.target)} ${request.body?.toString("utf8") ?? ""}`;
    for (const inner of [directory, repository]) {
      if (inner !== "" && text.includes(inner) && !sent.includes(inner))
        found.push(`the body names '${inner}'`);
    }
    const trace = stack.exec(text)?.[0];
    if (trace !== undefined && !sent.includes(trace))
      found.push(`the body shows the inside: '${trace.trim()}'`);
  }
  return found;
}

function mayBeUnimplemented({ target, head }: FuzzRequest): boolean {
  return (
    notImplemented.test(decodeURIComponentSafely(target).replaceAll("//", "/")) ||
    notImplemented.test(head ?? "")
  );
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
