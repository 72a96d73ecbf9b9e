import {
  decodeAnswer,
  type Endpoint,
  type EndpointName,
  type Endpoints,
  endpoints,
  type RequestOf,
  type ResponseOf,
} from "@millrace/contract";
import { addressOf } from "./address.ts";
import { pause } from "./deadline.ts";
import { MillraceError } from "./error.ts";
import {
  type BodySource,
  type CallOptions,
  createExchanger,
  type Exchange,
  type Sending,
  type Surroundings,
} from "./exchange.ts";
import { type ClientOptions, targetOf } from "./options.ts";
import { defaultRetryPolicy } from "./retry.ts";

export interface StreamOptions extends CallOptions {
  readonly body?: BodySource | undefined;
}

export type Call = <N extends EndpointName>(
  name: N,
  request: RequestOf<Endpoints[N]>,
  options?: CallOptions,
) => Promise<ResponseOf<Endpoints[N]>>;

/** What every noun of the client is built on. */
export interface Transport {
  /** Calls an endpoint of the contract's table and decodes its answer. */
  readonly call: Call;
  /** Calls an endpoint that takes or gives bytes. The caller disposes of the exchange. */
  open<N extends EndpointName>(
    name: N,
    request: RequestOf<Endpoints[N]>,
    options?: StreamOptions,
  ): Promise<Exchange>;
  /** GET of what is in no table, such as `/health`. `path` is below the base URL. */
  text(path: string, options?: CallOptions): Promise<string>;
  /** Sends to an address that the server handed out; credentials go to the server's own origin only. */
  openUrl(method: "GET" | "PUT", url: string, options?: StreamOptions): Promise<Exchange>;
  /** The server's address, without credentials. */
  readonly baseUrl: string;
}

export function createTransport(options: ClientOptions, surroundings: Partial<Surroundings> = {}): Transport {
  const { base, headers: common } = targetOf(options);
  const exchanger = createExchanger(
    {
      // Called as a plain function: browsers refuse a fetch that is called as a method of something else.
      fetch: options.fetch ?? ((request) => fetch(request)),
      nowMs: Date.now,
      random: Math.random,
      pause,
      ...surroundings,
    },
    { ...defaultRetryPolicy, ...(options.retries === undefined ? {} : { retriesMax: options.retries }) },
    options.timeoutMs ?? 120_000,
  );

  const sendingOf = (name: EndpointName, request: object, body?: BodySource): Sending => {
    const endpoint: Endpoint = endpoints[name];
    const { method, target, json } = addressOf(endpoint, request);
    return {
      label: name,
      url: base + target,
      method,
      idempotent: endpoint.idempotent,
      headers: json === undefined ? common : { ...common, "content-type": "application/json" },
      body: json === undefined ? body : () => json,
    };
  };
  const keepOpen = (exchange: Exchange): Promise<Exchange> => Promise.resolve(exchange);

  return {
    baseUrl: base,
    call: <N extends EndpointName>(name: N, request: RequestOf<Endpoints[N]>, given: CallOptions = {}) => {
      const sending = sendingOf(name, request);
      return exchanger.run(sending, given, async (exchange) => {
        using opened = exchange;
        const text = await opened.response.text();
        return decoded(endpoints[name], text, opened.response, sending) as ResponseOf<Endpoints[N]>;
      });
    },
    open: async (name, request, { body, ...given } = {}) =>
      exchanger.run(sendingOf(name, request, body), given, keepOpen),
    text: async (path, given = {}) =>
      exchanger.run(
        { label: path, url: base + path, method: "GET", idempotent: true, headers: common, body: undefined },
        given,
        async (exchange) => {
          using opened = exchange;
          return opened.response.text();
        },
      ),
    openUrl: async (method, url, { body, ...given } = {}) => {
      const isOwn = new URL(url).origin === new URL(base).origin;
      const headers = isOwn ? common : {};
      return exchanger.run(
        { label: "signed address", url, method, idempotent: true, headers, body },
        given,
        keepOpen,
      );
    },
  };
}

/** @throws MillraceError when the answer is none that this endpoint gives. */
function decoded(endpoint: Endpoint, text: string, response: Response, sending: Sending): object {
  if (endpoint.response.entries.length === 0) return {};
  const facts = {
    status: response.status,
    endpoint: sending.label,
    requestId: response.headers.get("x-request-id") ?? undefined,
    attempts: 1,
  };
  const what = `${sending.method} ${sending.url}`;
  // A web page with status 200 is what a wrong base URL answers.
  if (text !== "" && !text.trimStart().startsWith("{")) {
    throw new MillraceError(
      "ENDPOINT_NOT_FOUND",
      `${what} answered something else than a JSON object. Is the base URL that of a tracking server?`,
      facts,
    );
  }
  try {
    return decodeAnswer(endpoint.response, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      "INTERNAL_ERROR",
      `${what} gave an answer that cannot be read: ${reason}`,
      facts,
      cause,
    );
  }
}
