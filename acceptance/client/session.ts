/** One server and one client for a file of tests. The bindings are set before the first test runs. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient, MillraceError, type NodeClient } from "@millrace/client/node";
import { afterAll, beforeAll } from "vitest";
import { type RunningServer, startServer } from "../server.ts";

export let server: RunningServer;
export let client: NodeClient;
export let folder: string;
export let experimentId: string;
export const unique = randomBytes(4).toString("hex");

/** Registers the start and the end of the server with the file that calls it. */
export function useServer(): void {
  beforeAll(async () => {
    server = await startServer();
    client = createClient({ baseUrl: server.url });
    folder = await mkdtemp(path.join(tmpdir(), "millrace-client-"));
    experimentId = await client.experiments.create({
      name: `client-${unique}`,
      tags: [{ key: "team", value: "a" }],
    });
  });
  afterAll(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
}

export const newRun = async (runName?: string): Promise<string> =>
  (await client.runs.create({ experimentId, runName })).info.runId;

export async function codeOf(call: Promise<unknown>): Promise<[string, number] | "no error"> {
  try {
    await call;
    return "no error";
  } catch (error) {
    if (error instanceof MillraceError) return [error.code, error.status];
    throw error;
  }
}
