/** Millrace as a library: the application without a port. */
export { type App, createApp } from "./app.ts";
export { type Options, parseOptions } from "./options.ts";
export { type RunningServer, serve } from "./serve.ts";
