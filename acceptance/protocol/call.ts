import { request } from "node:http";
import { expect, inject } from "vitest";

/** What came back. `body` is the parsed JSON, or undefined when the text is none. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  readonly body: T;
}

export interface RawRequest {
  readonly method: string;
  /** Sent as it is, `..` and double slashes included, which `fetch` would tidy up. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export const base = "/api/2.0/mlflow/";
export const ajax = "/ajax-api/2.0/mlflow/";
export const proxy = "/api/2.0/mlflow-artifacts/artifacts";

/** Which server answers; only the tests of intended differences may ask. */
export const targetIsMlflow = inject("serverKind") === "mlflow";

/** Sends exactly what is given, to the server of this run or to `origin`. */
export async function send(raw: RawRequest, origin: string = inject("serverUrl")): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method: raw.method,
        path: raw.path,
        headers: {
          ...(raw.body === undefined ? {} : { "content-length": String(Buffer.byteLength(raw.body)) }),
          ...raw.headers,
        },
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          const status = incoming.statusCode ?? 0;
          resolve({ status, headers: incoming.headers, text, bytes, body: parsed(text) });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(raw.body);
  });
}

/**
 * Calls an endpoint as the official clients do: JSON in the body, but a GET puts its fields into the query.
 * A path without a leading slash is below `/api/2.0/mlflow/`; a body that is a string is sent as it is.
 */
export async function call<T = unknown>(
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: object | string,
): Promise<Answer<T>> {
  const address = path.startsWith("/") ? path : base + path;
  const answer =
    method === "GET" && typeof body === "object"
      ? await send({ method, path: `${address}?${queryOf(body as Query)}` })
      : await send({
          method,
          path: address,
          ...(body === undefined
            ? {}
            : {
                body: typeof body === "string" ? body : JSON.stringify(body),
                headers: { "content-type": "application/json" },
              }),
        });
  return answer as Answer<T>;
}

/** The body of an answer that has to be a success. */
export async function ok<T = Record<string, unknown>>(
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: object | string,
): Promise<T> {
  const answer = await call<T>(method, path, body);
  expect(answer, `${method} ${path}: ${answer.text}`).toMatchObject({ status: 200 });
  return answer.body;
}

/** Asserts status, code and, if given, a fragment of the message that scripts of users look for. */
export function expectError(answer: Answer, status: number, code: string, fragment = ""): void {
  expect({ status: answer.status, body: answer.body }, answer.text.slice(0, 500)).toMatchObject({
    status,
    body: { error_code: code, message: expect.stringContaining(fragment) },
  });
}

function queryOf(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) pairs.append(key, String(item));
  }
  return pairs.toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
