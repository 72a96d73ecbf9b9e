/** Turns an endpoint of the contract into a route: content type, body, decoding, use-case, rendering. */
import { decodeBody, decodeQuery, type Endpoint, invalidParameter } from "@millrace/contract";
import type { Context } from "../context.ts";
import type { RawAnswer, RawRequest } from "../usecases/handler.ts";
import type { BodyReader } from "./body.ts";
import { hasBody, type HttpRequest, type HttpResponse } from "./exchange.ts";
import { json } from "./respond.ts";
import type { RouteAddress } from "./router.ts";

/** One request on its way to a route. */
export interface Call {
  readonly request: HttpRequest;
  /** Without the question mark. */
  readonly query: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What the client put before the route's path: the static prefix or nothing. */
  readonly prefix: string;
}

export interface Route extends RouteAddress {
  /** Name in logs and metrics. */
  readonly name: string;
  run(call: Call): Promise<HttpResponse> | HttpResponse;
}

type AnyUseCase = (context: Context, request: object, raw: RawRequest) => Promise<unknown>;

/** Only `application/json` may carry state changes, so that a web page cannot post a form here. */
function requireJson(contentType: string | undefined): void {
  if (contentType === "application/json") return;
  if (contentType === undefined) throw invalidParameter("Bad Request. Content-Type header is missing.");
  if (contentType.split(";", 1)[0]!.trim().toLowerCase() !== "application/json") {
    throw invalidParameter("Bad Request. Content-Type must be one of ['application/json'].");
  }
}

/** Builds the route of an endpoint. */
export function endpointRoute(
  name: string,
  endpoint: Endpoint,
  useCase: AnyUseCase,
  context: Context,
  bodies: BodyReader,
): Route {
  const { request: requestType, response: responseType, body, answer } = endpoint;

  function decodeText(text: string, call: Call): object {
    return guarded(() => decodeBody(requestType, text, call.parameters));
  }

  function decode(call: Call): Promise<object> | object {
    const { request, query, parameters } = call;
    const { method, headers } = request;
    if (body === "stream" || ((method === "GET" || method === "HEAD") && query !== "")) {
      return guarded(() => decodeQuery(requestType, new URLSearchParams(query), parameters));
    }
    if (method === "POST" || method === "PUT") requireJson(headers["content-type"]);
    if (!hasBody(headers)) return decodeText("", call);
    const text = bodies.read(request);
    return typeof text === "string" ? decodeText(text, call) : text.then((late) => decodeText(late, call));
  }

  async function run(call: Call): Promise<HttpResponse> {
    const decoded = await decode(call);
    const result = await useCase(context, decoded, new RawView(call, body === "stream"));
    if (answer === "raw" || isRawAnswer(result)) return renderRaw(result as RawAnswer);
    return json(responseType.encode(result as object));
  }

  return { name, methods: endpoint.methods, path: endpoint.path, family: endpoint.family, run };
}

/** Text nested so deep that reading it overflows the stack is the sender's mistake, not a fault of ours. */
function guarded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) throw invalidParameter("The request is nested too deeply to be read.");
    throw error;
  }
}

function isRawAnswer(value: unknown): boolean {
  return typeof value === "object" && value !== null && "body" in value && "headers" in value;
}

function renderRaw(answer: RawAnswer): HttpResponse {
  const headers: string[] = [];
  let lengthKnown = false;
  for (const [name, value] of Object.entries(answer.headers)) {
    const folded = name.toLowerCase();
    // Every answer gets this one, and twice would be no valid value.
    if (folded === "x-content-type-options") continue;
    headers.push(name, value);
    if (folded === "content-length") lengthKnown = true;
  }
  const { body } = answer;
  if (!lengthKnown) {
    if (typeof body === "string") headers.push("Content-Length", String(Buffer.byteLength(body)));
    else if (body instanceof Uint8Array) headers.push("Content-Length", String(body.length));
  }
  return { status: answer.status ?? 200, headers, body };
}

const nothing: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

/** What a use-case may see of the request. Most never look, so nothing is computed before they do. */
class RawView implements RawRequest {
  readonly #call: Call;
  readonly #streams: boolean;

  constructor(call: Call, streams: boolean) {
    this.#call = call;
    this.#streams = streams;
  }

  get method(): string {
    return this.#call.request.method;
  }

  get headers(): RawRequest["headers"] {
    return this.#call.request.headers;
  }

  get origin(): string {
    const { headers } = this.#call.request;
    const forwarded = headers["x-forwarded-proto"];
    return `${forwarded === "https" ? "https" : "http"}://${headers["host"] ?? "localhost"}${this.#call.prefix}`;
  }

  get body(): AsyncIterable<Uint8Array> {
    const { body } = this.#call.request;
    if (!this.#streams || body === undefined) return nothing;
    return body instanceof Uint8Array ? oneChunk(body) : body;
  }

  get bodyBytes(): number | undefined {
    const { headers, body } = this.#call.request;
    if (!hasBody(headers)) return body instanceof Uint8Array ? body.length : 0;
    const declared = headers["content-length"];
    return declared === undefined ? undefined : Number(declared);
  }

  get signal(): AbortSignal {
    return this.#call.request.signal;
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
