/** `node:http` around the application: limits and time-outs, back-pressure, cancellation, and an orderly end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Body, Handler, HttpRequest, HttpResponse, RequestHeaders } from "./exchange.ts";
import { hasBody } from "./exchange.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
}

export interface HttpServer {
  /** Where the server listens. */
  readonly host: string;
  readonly port: number;
  /** Stops accepting, lets running requests finish for `graceMs`, then cuts what is left. Resolves when all is closed. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Request line and headers together: long filters travel in the query string. */
const HEADER_BYTES_MAX = 128 * 1024;
const HEADERS_TIMEOUT_MS = 30_000;
/** Longer than the pools of usual clients and proxies keep a connection, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/**
 * An early answer waits for the rest of the body this long and this far, so that the client gets to read it. What is
 * thrown away is still garbage until it is collected, so the distance bounds what a refusal may cost in memory.
 */
const LINGER_TIMEOUT_MS = 5_000;
const LINGER_BYTES_MAX = 16 * 1024 * 1024;
/** A rest that is shorter than this is read away by Node itself, and the connection is kept. */
const SHORT_REST_BYTES = 64 * 1024;

/** Starts to listen. Rejects with Node's error when the address is taken or not ours. */
export function listen(handle: Handler, options: ListenOptions): Promise<HttpServer> {
  const connections = new Set<Socket>();
  let running = 0;
  let closing = false;
  let idle: (() => void) | undefined;

  const finished = (): void => {
    running -= 1;
    if (closing && running === 0) idle?.();
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    running += 1;
    response.once("close", finished);
    // A client that goes away while it is being answered is no event worth an exception.
    response.on("error", ignore);
    const exchange = new NodeExchange(request, response, expectsContinue);
    handle(exchange).then(
      (answer) => send(answer, request, response, exchange, closing),
      // The handler answers whatever happens; if it does not, the connection is not worth keeping.
      () => response.destroy(),
    );
  };

  const server = createServer({
    noDelay: true,
    keepAlive: true,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // No limit on the whole request: a large artifact over a slow line takes as long as it takes.
    // A sender that stops is caught by the idle time-out.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requireHostHeader: false,
  });
  server.maxConnections = options.connectionsMax;
  server.timeout = options.idleTimeoutMs;
  server.on("request", (request, response) => onRequest(request, response, false));
  server.on("checkContinue", (request, response) => onRequest(request, response, true));
  server.on("checkExpectation", (request, response) => onRequest(request, response, false));
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("connect", (_request, socket) => refuse(socket as Socket, "405 Method Not Allowed", "CONNECT"));
  server.on("clientError", onClientError);

  const close: HttpServer["close"] = async ({ graceMs }) => {
    closing = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    if (running > 0) {
      const timer = Promise.withResolvers<void>();
      idle = timer.resolve;
      const timeout = setTimeout(timer.resolve, graceMs);
      await timer.promise;
      clearTimeout(timeout);
    }
    server.closeAllConnections();
    for (const socket of connections) socket.destroy();
    await closed;
  };

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host.replace(/^\[(.*)\]$/, "$1"), port: options.port }, () => {
      server.off("error", reject);
      resolve({ host: options.host, port: portOf(server), close });
    });
  });
}

function ignore(): void {}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** What the parser could not read, or what took too long to arrive, is answered and closed. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === "HPE_HEADER_OVERFLOW") {
    refuse(socket, "431 Request Header Fields Too Large", "the request line and headers are too long");
  } else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
    refuse(socket, "408 Request Timeout", "the request did not arrive in time");
  } else {
    refuse(socket, "400 Bad Request", "this is no HTTP request");
  }
}

function refuse(socket: Socket, status: string, message: string): void {
  const body = JSON.stringify({ error_code: "BAD_REQUEST", message });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}

/** One request; what few routes need is made when they ask for it. */
class NodeExchange implements HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #expectsContinue: boolean;
  #abort: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    this.method = request.method ?? "GET";
    this.url = request.url ?? "/";
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
  }

  get headers(): RequestHeaders {
    return this.#request.headers as RequestHeaders;
  }

  get body(): Body {
    if (!hasBody(this.headers)) return undefined;
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.#response.writeContinue();
    }
    return this.#request;
  }

  /** Whether the client still waits for leave to send its body. */
  get isHoldingBody(): boolean {
    return this.#expectsContinue;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const controller = new AbortController();
      this.#abort = controller;
      const response = this.#response;
      if (response.destroyed && !response.writableFinished) controller.abort();
      else {
        response.once("close", () => {
          if (!response.writableFinished) controller.abort();
        });
      }
    }
    return this.#abort.signal;
  }
}

function send(
  answer: HttpResponse,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: NodeExchange,
  closing: boolean,
): void {
  const { status, headers, body } = answer;
  const isText = typeof body === "string";
  if (response.destroyed) {
    if (!isText && !(body instanceof Uint8Array)) void discard(body);
    return;
  }
  const restIsLong = !request.complete && isLongRest(request, exchange);
  const closes = closing || restIsLong;
  try {
    response.writeHead(status, (closes ? [...headers, "Connection", "close"] : headers) as string[]);
  } catch {
    // A header that HTTP cannot carry. Nothing was sent yet, so the client gets a whole answer.
    response.writeHead(500, { "Content-Length": 0, Connection: "close" });
    response.end();
    if (!isText && !(body instanceof Uint8Array)) void discard(body);
    return;
  }
  if (!isText && !(body instanceof Uint8Array)) {
    void stream(body, request, response, restIsLong);
  } else if (restIsLong) {
    if (request.method !== "HEAD") response.write(body);
    linger(request, response);
  } else if (request.method === "HEAD") {
    response.end();
  } else {
    response.end(body);
  }
}

function isLongRest(request: IncomingMessage, exchange: NodeExchange): boolean {
  if (exchange.isHoldingBody) return true;
  const declared = request.headers["content-length"];
  return declared === undefined
    ? request.headers["transfer-encoding"] !== undefined
    : Number(declared) > SHORT_REST_BYTES;
}

/**
 * Ends an answer that was given before the whole body came. To close at once would make the kernel reset the
 * connection, and the client would lose the answer; so the rest is read and thrown away, up to a limit.
 */
function linger(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_TIMEOUT_MS);
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES_MAX) {
      request.pause();
      end();
    }
  });
  request.once("end", end);
  request.once("close", end);
  request.on("error", end);
  request.resume();
}

async function stream(
  body: AsyncIterable<Uint8Array>,
  request: IncomingMessage,
  response: ServerResponse,
  restIsLong: boolean,
): Promise<void> {
  if (request.method === "HEAD") {
    await discard(body);
    response.end();
    return;
  }
  try {
    for await (const chunk of body) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await drained(response);
    }
    if (response.destroyed) return;
    if (restIsLong) linger(request, response);
    else response.end();
  } catch {
    // The status is sent already: a cut connection is the only way left to say that the answer is not whole.
    response.destroy();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
    if (response.destroyed) done();
  });
}

/** Lets a stream that nobody reads give back what it holds. It is started first, or it would never clean up. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _chunk of body) break;
  } catch {
    // Nobody waits for these bytes.
  }
}
