export type { Call, Route } from "./endpoint-route.ts";
export * from "./exchange.ts";
export { createFetch, type Fetch } from "./fetch-adapter.ts";
export { createHandler, type HandlerSetup } from "./handle.ts";
export { type AccessLog, createLog, type ServerLog } from "./logging.ts";
export { createMetrics, type RequestMetrics } from "./metrics.ts";
export { type HttpServer, listen, type ListenOptions } from "./node-adapter.ts";
export { PROTOCOL_VERSION } from "./static-routes.ts";
