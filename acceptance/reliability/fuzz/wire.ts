/** Sends bytes as they are and reads what comes back, however odd both are. */
import { connect, type Socket } from "node:net";

export interface FuzzRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  /** `length` and `chunked` frame the body rightly; `own` adds nothing to the headers. */
  readonly framing: "length" | "chunked" | "own";
  /** Replaces the request line and headers that follow from the above; latin1. */
  readonly head?: string;
  /** Whether the bytes may break HTTP's rules, so that closing the connection is an answer, too. */
  readonly malformed: boolean;
}

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface Outcome {
  /** More than one when the bytes were taken for several requests; none when the connection was closed. */
  readonly answers: readonly WireAnswer[];
  readonly end: "answered" | "closed" | "hung";
  /** From the last byte given to the socket to the end of the first answer, or to the close. */
  readonly ms: number;
}

export function toBytes({ method, target, headers, body, framing, head }: FuzzRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const content = body ?? Buffer.alloc(0);
  if (framing === "chunked") lines.push("Transfer-Encoding: chunked");
  else if (framing === "length" && (body !== undefined || method !== "GET")) {
    lines.push(`Content-Length: ${content.length}`);
  }
  const start =
    head === undefined ? Buffer.from(`${lines.join("\r\n")}\r\n\r\n`) : Buffer.from(head, "latin1");
  if (framing !== "chunked") return Buffer.concat([start, content]);
  const half = content.length >> 1;
  const parts = [content.subarray(0, half), content.subarray(half)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}\r\n`),
    part,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([start, ...chunks, Buffer.from("0\r\n\r\n")]);
}

/** What a client waits for an answer before it calls the server hung. */
const HANG_MS = 20_000;
/** How long bytes that may be half a request stay unfinished before our side is closed. */
const HALF_CLOSE_MS = 150;

/** One connection, kept alive between well-formed requests. */
export class Wire {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async send(request: FuzzRequest): Promise<Outcome> {
    const reused = this.#socket !== undefined && !request.malformed;
    const outcome = await this.#exchange(request, request.malformed);
    // The server may close an idle connection just when a request is on its way.
    if (reused && outcome.end === "closed" && outcome.answers.length === 0)
      return this.#exchange(request, true);
    return outcome;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #exchange(request: FuzzRequest, fresh: boolean): Promise<Outcome> {
    if (fresh) this.close();
    const socket = this.#socket ?? connect({ host: "127.0.0.1", port: this.#port, noDelay: true });
    this.#socket = undefined;
    return new Promise((resolve) => {
      let received: Buffer = Buffer.alloc(0);
      const answers: WireAnswer[] = [];
      const startMs = performance.now();
      let answeredMs: number | undefined;
      const finish = (end: Outcome["end"]): void => {
        clearTimeout(hang);
        clearTimeout(halfClose);
        socket.removeAllListeners();
        socket.on("error", () => undefined);
        const keeps = end === "answered" && !request.malformed && !closes(answers[0]);
        if (keeps) this.#socket = socket;
        else socket.destroy();
        resolve({ answers, end, ms: (answeredMs ?? performance.now()) - startMs });
      };
      const read = (atEnd: boolean): void => {
        for (;;) {
          const taken = takeAnswer(received, request.method === "HEAD", atEnd);
          if (taken === undefined) return;
          received = received.subarray(taken.length);
          if (taken.answer === undefined) continue;
          answers.push(taken.answer);
          answeredMs ??= performance.now();
        }
      };
      const gone = (): void => {
        read(true);
        finish(answers.length > 0 ? "answered" : "closed");
      };
      const hang = setTimeout(() => finish(answers.length > 0 ? "answered" : "hung"), HANG_MS);
      const halfClose = setTimeout(() => {
        // One answer is enough from what may have been taken for several requests or for half of one.
        if (request.malformed && answers.length > 0) finish("answered");
        else if (request.malformed) socket.end();
      }, HALF_CLOSE_MS);
      socket.on("data", (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        read(false);
        if (answers.length > 0 && !request.malformed) finish("answered");
      });
      socket.on("error", gone);
      socket.on("close", gone);
      socket.write(toBytes(request));
    });
  }
}

function closes(answer: WireAnswer | undefined): boolean {
  return answer === undefined || answer.headers.get("connection")?.toLowerCase() === "close";
}

/** One answer from the front of the bytes; `answer` is absent for an interim one. Undefined: more is needed. */
function takeAnswer(
  bytes: Buffer,
  isHead: boolean,
  atEnd: boolean,
): { readonly length: number; readonly answer?: WireAnswer } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const start = headEnd + 4;
  const done = (body: Buffer, length: number) => ({ length, answer: { status, headers, body } });
  if (status >= 100 && status < 200) return { length: start };
  if (isHead || status === 204 || status === 304) return done(Buffer.alloc(0), start);
  const declared = headers.get("content-length");
  if (declared !== undefined) {
    const end = start + Number(declared);
    return bytes.length >= end ? done(bytes.subarray(start, end), end) : undefined;
  }
  if (headers.get("transfer-encoding") !== "chunked") {
    return atEnd ? done(bytes.subarray(start), bytes.length) : undefined;
  }
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return done(Buffer.concat(parts), next);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
