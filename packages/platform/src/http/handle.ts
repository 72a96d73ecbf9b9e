/**
 * The application as one function. It finds the route, checks who may ask, runs the use-case, renders answers and
 * errors, and writes one log line per request.
 */
import { type EndpointName, endpoints, PlatformError } from "@millrace/contract";
import type { Context } from "../context.ts";
import type { Options } from "../options.ts";
import type { UseCases } from "../usecases/handler.ts";
import { createBodyReader } from "./body.ts";
import { type Call, endpointRoute, type Route } from "./endpoint-route.ts";
import type { Handler, HttpRequest, HttpResponse } from "./exchange.ts";
import type { AccessLog } from "./logging.ts";
import type { RequestMetrics } from "./metrics.ts";
import { html, internalError, methodNotAllowed, notFound, renderError } from "./respond.ts";
import { createRouter } from "./router.ts";
import { createSecurity } from "./security.ts";
import { staticRoutes } from "./static-routes.ts";
import { unbuiltRoutes } from "./unbuilt.ts";

export interface HandlerSetup {
  readonly context: Context;
  readonly useCases: UseCases;
  readonly options: Options;
  readonly accessLog: AccessLog;
  readonly metrics: RequestMetrics;
  /** More routes, which win over the built-in ones: the web interface, server-sent events. */
  readonly routes?: readonly Route[];
}

/** A request id that a proxy may hand us; anything else could forge log lines. */
const SANE_REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

/** Builds the application's handler. It always answers, and it never throws. */
export function createHandler(setup: HandlerSetup): Handler {
  const { context, options, accessLog, metrics } = setup;
  const security = createSecurity(options);
  const router = createRouter<Route>([
    ...(setup.routes ?? []),
    ...staticRoutes(metrics),
    ...endpointRoutes(setup),
    ...unbuiltRoutes(),
  ]);
  const idStart = `${context.clock().toString(36)}-`;
  let requestCount = 0;

  function newRequestId(given: string | undefined): string {
    if (given !== undefined && SANE_REQUEST_ID.test(given)) return given;
    requestCount += 1;
    return idStart + requestCount.toString(36);
  }

  function answer(request: HttpRequest, target: Target): Promise<HttpResponse> | HttpResponse {
    const refusal = security.check(request, target.path);
    if (refusal !== undefined) return refusal;
    const found = router.find(request.method, target.path);
    if (request.method === "OPTIONS")
      return security.options(request, found.route ? found.route.methods : found.allow);
    if (found.route === undefined)
      return found.allow.length === 0 ? notFound() : methodNotAllowed(found.allow);
    target.name = found.route.name;
    const workspace = request.headers["x-mlflow-workspace"];
    if (workspace !== undefined && found.route.family !== "plain" && !["", "default"].includes(workspace)) {
      throw noWorkspaces(workspace);
    }
    const call: Call = { request, query: target.query, parameters: found.parameters, prefix: target.prefix };
    return found.route.run(call);
  }

  function renderFailure(error: unknown, requestId: string, target: Target): HttpResponse {
    if (error instanceof PlatformError && error.code !== "INTERNAL_ERROR") {
      if (error.status >= 500) {
        context.log.warn({ requestId, endpoint: target.name, code: error.code, err: error }, error.message);
      }
      return renderError(error);
    }
    context.log.error({ requestId, endpoint: target.name, err: error }, "a request failed unexpectedly");
    return renderError(internalError(requestId));
  }

  return async function handle(request) {
    const startMs = performance.now();
    const requestId = newRequestId(request.headers["x-request-id"]);
    const target = splitTarget(request.url, options.staticPrefix);
    let response: HttpResponse;
    try {
      response = await answer(request, target);
    } catch (error) {
      response = renderFailure(error, requestId, target);
    }
    const { body, status } = response;
    const done = (bytes: number): void => {
      const durationMs = performance.now() - startMs;
      metrics.observe(target.name, status, durationMs);
      accessLog.write(requestId, request.method, target.path, status, durationMs, bytes);
    };
    const headers = [...response.headers, "X-Request-Id", requestId];
    security.addHeaders(headers, request);
    if (typeof body === "string" || body instanceof Uint8Array) {
      done(Buffer.byteLength(body));
      return { status, headers, body };
    }
    const failed = (error: unknown): void =>
      context.log.error({ requestId, endpoint: target.name, err: error }, "an answer broke off");
    return { status, headers, body: counted(body, done, failed) };
  };
}

/** The parts of a URL, and the name of its route once that is known. */
interface Target {
  readonly path: string;
  readonly query: string;
  readonly prefix: string;
  name: string;
}

function splitTarget(given: string, staticPrefix: string): Target {
  // A request that was meant for a proxy has the whole address in its first line.
  const url = given.startsWith("/") ? given : given.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = url.indexOf("?");
  let path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? "" : url.slice(mark + 1);
  let prefix = "";
  if (staticPrefix !== "" && path.startsWith(staticPrefix)) {
    const rest = path.slice(staticPrefix.length);
    if (rest === "" || rest.startsWith("/")) {
      path = rest === "" ? "/" : rest;
      prefix = staticPrefix;
    }
  }
  return { path, query, prefix, name: "unknown" };
}

/** Passes a stream through and reports its length when it ends, however it ends. */
async function* counted(
  body: AsyncIterable<Uint8Array>,
  done: (bytes: number) => void,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    failed(error);
    throw error;
  } finally {
    done(bytes);
  }
}

function noWorkspaces(workspace: string): PlatformError {
  return new PlatformError(
    "FEATURE_DISABLED",
    `Workspace APIs are not available: workspaces are not enabled on this server, so '${workspace.slice(0, 100)}' does not exist here. Leave the header X-MLFLOW-WORKSPACE out.`,
  );
}

const artifactProxy = "/2.0/mlflow-artifacts/";

function endpointRoutes({ context, useCases, options }: HandlerSetup): readonly Route[] {
  const bodies = createBodyReader(options);
  return (Object.keys(endpoints) as EndpointName[]).map((name) => {
    const endpoint = endpoints[name];
    const route = endpointRoute(name, endpoint, useCases[name] as never, context, bodies);
    const isProxy = endpoint.path.startsWith(artifactProxy) || name === "uploadPart";
    if (isProxy && !options.serveArtifacts) {
      return disabled(
        route,
        "disabled because the server runs with `--no-serve-artifacts`. To enable it, start the server with `--serve-artifacts`",
      );
    }
    if (!isProxy && options.artifactsOnly && name !== "getServerInfo") {
      return disabled(
        route,
        "disabled because the server runs in `--artifacts-only` mode. To enable it, start the server without `--artifacts-only`",
      );
    }
    return route;
  });
}

/** Answers as MLflow's server does for what its operator switched off. */
function disabled(route: Route, why: string): Route {
  const body = `Endpoint: ${route.path} ${why}`;
  return { ...route, run: () => html(503, body) };
}
