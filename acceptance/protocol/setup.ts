import type { TestProject } from "vitest/node";
import { type TargetKind, startServer } from "../server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    serverUrl: string;
    serverKind: TargetKind;
  }
}

/** One server for all protocol tests: each test works in experiments and models of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  project.provide("serverUrl", server.url);
  project.provide("serverKind", server.kind);
  return () => server.stop();
}
