/** `fetch` around the application: for the in-process client, and for tests that need no port. */
import type { Body, Handler, HttpRequest } from "./exchange.ts";

export type Fetch = (request: Request) => Promise<Response>;

/** Makes a function like `fetch` of the application. */
export function createFetch(handle: Handler): Fetch {
  return async function fetch(request) {
    const { pathname, search, host } = new URL(request.url);
    const headers: Record<string, string> = { host };
    for (const [name, value] of request.headers) headers[name] = value;
    const body = request.body as (ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) | null;
    // A request that was made here has no length yet, but it has a body.
    if (body !== null && headers["content-length"] === undefined) headers["transfer-encoding"] ??= "chunked";
    const exchange: HttpRequest = {
      method: request.method,
      url: pathname + search,
      headers,
      body: (body ?? undefined) as Body,
      signal: request.signal,
    };
    const answer = await handle(exchange);
    const fields = new Headers();
    for (let index = 0; index < answer.headers.length; index += 2) {
      fields.append(answer.headers[index]!, answer.headers[index + 1]!);
    }
    const bodyless = request.method === "HEAD" || [204, 205, 304].includes(answer.status);
    if (bodyless && typeof answer.body === "object" && Symbol.asyncIterator in answer.body) {
      for await (const _chunk of answer.body) break;
    }
    return new Response(bodyless ? null : toResponseBody(answer.body), {
      status: answer.status,
      headers: fields,
    });
  };
}

function toResponseBody(body: string | Uint8Array | AsyncIterable<Uint8Array>): BodyInit {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}
