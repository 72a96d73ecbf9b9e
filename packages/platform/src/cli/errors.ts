/** How a command ends when it does not succeed, and what it says then. */
import { PlatformError, showValue } from "@millrace/contract";
import { colours } from "./output/style.ts";
import { visible } from "./output/text.ts";
import type { Io } from "./io.ts";

export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command did its work and has said already what is wrong. */
export class FoundProblems extends Error {
  override readonly name = "FoundProblems";
}

export interface Told {
  readonly message: string;
  readonly code: string;
}

/** An error in a sentence or two that say what to do. */
export function explain(error: unknown): Told {
  if (error instanceof PlatformError) {
    return { code: error.code, message: withHint(error) };
  }
  if (error instanceof UsageError) return { code: "USAGE", message: error.message };
  const { code, address, port, path, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  switch (code) {
    case "EADDRINUSE":
      return {
        code,
        message: `Port ${port} of ${address} is in use by another program. Choose another with --port, or give --port 0 for a free one.`,
      };
    case "EADDRNOTAVAIL":
      return {
        code,
        message: `${address} is no address of this machine. Give one that is with --host, for instance 127.0.0.1.`,
      };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { code, message: `The host of --host is not known: ${message}.` };
    case "EACCES":
    case "EPERM":
      return {
        code,
        message:
          port === undefined
            ? `Not allowed to use ${path ?? "a file"}: ${message}. Check its owner and permissions.`
            : `Not allowed to listen on port ${port}: ports below 1024 belong to the administrator. Choose another with --port.`,
      };
    case "ENOENT":
      return { code, message: `There is no ${path ?? "such file"}.` };
    case "ENOSPC":
      return { code, message: `The disk is full: ${message}. Free some space and try again.` };
  }
  return {
    code: code ?? "INTERNAL_ERROR",
    message: error instanceof Error ? error.message : showValue(error),
  };
}

function withHint(error: PlatformError): string {
  const { message, code } = error;
  if (code === "UNAUTHENTICATED") {
    return `${message} Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.`;
  }
  return message;
}

/** Writes an error to standard error: for people, or with `--json` as one line of JSON. */
export function report(
  error: unknown,
  io: Io,
  how: { readonly json: boolean; readonly verbose: boolean },
): number {
  if (error instanceof FoundProblems) return exitCodes.failed;
  const { code, message } = explain(error);
  if (how.json) {
    io.stderr.write(`${JSON.stringify({ error_code: code, message })}\n`);
  } else {
    io.stderr.write(`${colours(io.stderr, io.env).red("error:")} ${visible(message, true)}\n`);
    if (how.verbose) io.stderr.write(`${traceOf(error)}\n`);
  }
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause === undefined ? "" : `\ncaused by ${traceOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
