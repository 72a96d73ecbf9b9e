/**
 * The server's log: one JSON object per line, buffered. Requests are logged with their path but neither query,
 * headers nor body, so that no secret of a client gets in.
 */
import sonicBoom from "sonic-boom";
import type { Log } from "../context.ts";
import type { Options } from "../options.ts";

// The package is CommonJS: Node finds no named export in it.
const { SonicBoom } = sonicBoom;

export interface AccessLog {
  /** `requestId` and `method` must need no escaping in JSON. */
  write(
    requestId: string,
    method: string,
    path: string,
    status: number,
    durationMs: number,
    bytes: number,
  ): void;
}

export interface ServerLog {
  readonly log: Log;
  readonly access: AccessLog;
  /** Writes out what is buffered, for the end of the process. */
  flush(): void;
}

/** How much is gathered before it is written, and how long a quiet server keeps a line back. */
const BUFFER_BYTES = 8 * 1024;
const FLUSH_INTERVAL_MS = 1_000;
/** Beyond this, lines are dropped: a reader that does not read must not fill the memory. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 100 } as const;

interface Destination {
  write(line: string): unknown;
  flushSync?(): void;
}

/**
 * Opens the log on standard error (so that standard output stays free for data), or on `destination`. Lines look like
 * those of pino, which many tools read; pino itself would be a tenth of the server's start.
 */
export function createLog(options: Pick<Options, "logLevel">, destination?: Destination): ServerLog {
  const stream: Destination =
    destination ??
    new SonicBoom({ fd: 2, sync: false, minLength: BUFFER_BYTES, maxLength: BACKLOG_BYTES_MAX });
  const least = levels[options.logLevel as keyof typeof levels] ?? levels.info;
  const flush = (): void => {
    try {
      stream.flushSync?.();
    } catch {
      // Opening or writing failed; there is nowhere left to say so.
    }
  };
  if (stream instanceof SonicBoom) {
    stream.on("error", () => undefined);
    setInterval(() => stream.flush(), FLUSH_INTERVAL_MS).unref();
    process.once("exit", flush);
  }
  const at =
    (level: keyof Log) =>
    (facts: object, message: string): void => {
      if (levels[level] < least) return;
      const line = { level: levels[level], time: isoTime(), ...facts, msg: message };
      stream.write(`${JSON.stringify(line, plainErrors)}\n`);
    };
  let timeMs = 0;
  let time = "";
  const isoTime = (): string => {
    const nowMs = Date.now();
    if (nowMs !== timeMs) {
      timeMs = nowMs;
      time = new Date(nowMs).toISOString();
    }
    return time;
  };
  const logsRequests = least <= levels.info;
  return {
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    flush,
    access: {
      // Put together by hand: this is the line of every request.
      write(requestId, method, path, status, durationMs, bytes) {
        if (!logsRequests) return;
        stream.write(
          `{"level":30,"time":"${isoTime()}","requestId":"${requestId}","method":"${method}","path":${quoted(path)},"status":${status},"durationMs":${Math.round(durationMs * 1_000) / 1_000},"bytes":${bytes},"msg":"request"}\n`,
        );
      },
    },
  };
}

const PLAIN = /^[\w/.:~-]*$/;

function quoted(path: string): string {
  return PLAIN.test(path) ? `"${path}"` : JSON.stringify(path);
}

/** Errors as type, message, stack and cause; what JSON cannot hold as text. */
function plainErrors(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const code = (value as { code?: unknown }).code;
  return {
    type: name,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause }),
  };
}
