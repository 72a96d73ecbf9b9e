export * from "./endpoint.ts";
export * from "./endpoints.ts";
export * from "./entities/index.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./limits.ts";
export * from "./requests/index.ts";
export * from "./wire/index.ts";
