/** What the table of endpoints is made of. */
import type { Message, TypeOf } from "./wire/index.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Under which prefixes a route exists: `/api` and `/ajax-api` both, the interface's only, or neither. */
export type RouteFamily = "both" | "ajax" | "plain";

export interface Endpoint<Request extends object = object, Response extends object = object> {
  readonly methods: readonly Method[];
  /** Below the prefix, with `{name}` for one path segment and `{name...}` for the rest of the path. */
  readonly path: string;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
  readonly family: RouteFamily;
  /** What the handler wants of the body: decoded JSON, or the raw stream (artifacts). */
  readonly body: "json" | "stream";
  /** `json` answers are rendered from the response message; `raw` ones by the handler. */
  readonly answer: "json" | "raw";
  /** Whether sending it twice is the same as sending it once, so that a client may retry after a lost answer. */
  readonly idempotent: boolean;
  /** The address carries a signature of the server, which stands for credentials: clients send none there. */
  readonly signed: boolean;
}

export type RequestOf<E> = E extends { readonly request: infer M } ? TypeOf<M> : never;
export type ResponseOf<E> = E extends { readonly response: infer M } ? TypeOf<M> : never;

interface Options {
  readonly family?: RouteFamily;
  readonly body?: "json" | "stream";
  readonly answer?: "json" | "raw";
  readonly idempotent?: boolean;
  readonly signed?: boolean;
}

/** Describes an endpoint; reads are idempotent unless said otherwise. */
export function endpoint<Request extends object, Response extends object>(
  methods: Method | readonly Method[],
  path: string,
  request: Message<Request>,
  response: Message<Response>,
  options: Options = {},
): Endpoint<Request, Response> {
  const all = typeof methods === "string" ? [methods] : methods;
  return {
    methods: all,
    path,
    request,
    response,
    family: options.family ?? "both",
    body: options.body ?? "json",
    answer: options.answer ?? "json",
    idempotent: options.idempotent ?? all.includes("GET"),
    signed: options.signed ?? false,
  };
}
