export * from "./artifacts.ts";
export * from "./experiments.ts";
export * from "./logged-models.ts";
export * from "./registry.ts";
export * from "./runs.ts";
export * from "./server.ts";
export * from "./webhooks.ts";
