/** An application whose use-cases echo what they were given, for the tests of the HTTP edge. */
import { type EndpointName, endpoints } from "@millrace/contract";
import type { Context, Log } from "../context.ts";
import { type Environment, type Flags, parseOptions } from "../options.ts";
import type { RawRequest, UseCases } from "../usecases/handler.ts";
import type { Handler } from "./exchange.ts";
import { createFetch, type Fetch } from "./fetch-adapter.ts";
import { createHandler } from "./handle.ts";
import { createMetrics, type RequestMetrics } from "./metrics.ts";

export type FakeUseCase = (request: Record<string, unknown>, raw: RawRequest) => Promise<unknown>;

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error" | "access";
  readonly facts: Record<string, unknown>;
}

export interface FakeApp {
  readonly handle: Handler;
  readonly fetch: Fetch;
  readonly metrics: RequestMetrics;
  readonly lines: LoggedLine[];
  /** Requests that reached a use-case: name and decoded request. */
  readonly calls: { readonly name: EndpointName; readonly request: Record<string, unknown> }[];
  /** Sends a request with a Host that is allowed. */
  send(method: string, path: string, init?: RequestInit): Promise<Response>;
}

export function fakeApp(
  useCases: Partial<Record<EndpointName, FakeUseCase>> = {},
  flags: Flags = {},
  env: Environment = {},
): FakeApp {
  const lines: LoggedLine[] = [];
  const calls: FakeApp["calls"] = [];
  const line = (level: LoggedLine["level"]) => (facts: object) => {
    lines.push({ level, facts: facts as Record<string, unknown> });
  };
  const log: Log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const all = Object.fromEntries(
    (Object.keys(endpoints) as EndpointName[]).map((name) => {
      const given = useCases[name];
      const raw = endpoints[name].answer === "raw";
      return [
        name,
        async (_context: Context, request: Record<string, unknown>, view: RawRequest) => {
          calls.push({ name, request });
          if (given !== undefined) return given(request, view);
          return raw ? { headers: { "Content-Type": "text/plain" }, body: "" } : {};
        },
      ];
    }),
  );
  const metrics = createMetrics();
  const handle = createHandler({
    context: { clock: () => 1_700_000_000_000, log } as unknown as Context,
    useCases: all as unknown as UseCases,
    options: parseOptions(flags, env),
    accessLog: {
      write: (requestId, method, path, status, durationMs, bytes) =>
        line("access")({ requestId, method, path, status, durationMs, bytes }),
    },
    metrics,
  });
  const fetch = createFetch(handle);
  return {
    handle,
    fetch,
    metrics,
    lines,
    calls,
    send: (method, path, init = {}) => fetch(new Request(`http://localhost${path}`, { method, ...init })),
  };
}

export const asJson = { "Content-Type": "application/json" } as const;

/** Request options of a JSON body. */
export function jsonBody(body: unknown): RequestInit {
  return { body: typeof body === "string" ? body : JSON.stringify(body), headers: asJson };
}
