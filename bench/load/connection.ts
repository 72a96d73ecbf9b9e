import { connect, type Socket } from "node:net";
import { ResponseParser, type RawResponse } from "./response-parser.ts";

const readBufferBytes = 256 * 1024;

/** One keep-alive HTTP/1.1 connection to 127.0.0.1 with at most one request under way. */
export class Connection {
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  #onResponse: ((response: RawResponse) => void) | undefined;
  #onError: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket, parser: ResponseParser) {
    this.#socket = socket;
    this.#parser = parser;
  }

  static open(port: number, readBytes: number = readBufferBytes): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const parser = new ResponseParser((response) => connection.#answered(response));
      const socket = connect({
        host: "127.0.0.1",
        port,
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafe(readBytes),
          callback: (length, buffer) => {
            try {
              parser.feed(Buffer.from(buffer.buffer, buffer.byteOffset, length));
            } catch (error) {
              socket.destroy(error instanceof Error ? error : new Error(String(error)));
            }
            return true;
          },
        },
      });
      const connection = new Connection(socket, parser);
      socket.once("connect", () => resolve(connection));
      socket.once("error", reject);
      socket.on("error", (error) => connection.#failed(error));
      socket.on("close", () => connection.#failed(new Error("The server closed the connection.")));
    });
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** Sends bytes and calls back with the answer, whose body is only valid during the callback. */
  send(
    request: Buffer,
    onResponse: (response: RawResponse) => void,
    onError: (error: Error) => void,
    sink?: (bytes: Buffer) => void,
  ): void {
    if (this.#failure !== undefined) {
      onError(this.#failure);
      return;
    }
    this.#onResponse = onResponse;
    this.#onError = onError;
    this.#parser.sink = sink;
    this.#socket.write(request);
  }

  /** More bytes of the request that `send` began. Resolves when the socket wants more. */
  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#failure !== undefined || this.#socket.write(bytes)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
  }

  /** Like `send`, as a promise; the body is a copy. */
  request(request: Buffer, sink?: (bytes: Buffer) => void): Promise<RawResponse> {
    return new Promise((resolve, reject) => {
      this.send(request, ({ status, body }) => resolve({ status, body: Buffer.from(body) }), reject, sink);
    });
  }

  close(): void {
    this.#onError = undefined;
    this.#socket.destroy();
  }

  #answered(response: RawResponse): void {
    const onResponse = this.#onResponse;
    this.#onResponse = undefined;
    this.#onError = undefined;
    onResponse?.(response);
  }

  #failed(error: Error): void {
    this.#failure ??= error;
    const onError = this.#onError;
    this.#onResponse = undefined;
    this.#onError = undefined;
    onError?.(this.#failure);
  }
}
