/**
 * The server's log: one JSON object per line, buffered. Requests are logged with their path but neither query,
 * headers nor body, so that no secret of a client gets in.
 */
import { type DestinationStream, pino } from "pino";
import type { Log } from "../context.ts";
import type { Options } from "../options.ts";

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

/**
 * Opens the log on standard error (so that standard output stays free for data), or on `destination`.
 */
export function createLog(
  options: Pick<Options, "logLevel">,
  destination?: DestinationStream & { flushSync?: () => void },
): ServerLog {
  const stream =
    destination ??
    pino.destination({ dest: 2, sync: false, minLength: BUFFER_BYTES, maxLength: BACKLOG_BYTES_MAX });
  const log = pino({ level: options.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  const flush = (): void => {
    try {
      stream.flushSync?.();
    } catch {
      // Opening or writing failed; there is nowhere left to say so.
    }
  };
  if (destination === undefined) {
    setInterval(() => log.flush(), FLUSH_INTERVAL_MS).unref();
    process.once("exit", flush);
  }
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
  const logsRequests = log.isLevelEnabled("info");
  return {
    log,
    flush,
    access: {
      // Put together by hand, in pino's format: pino takes twice as long, and this is the line of every request.
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
