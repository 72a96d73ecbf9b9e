/**
 * From a tracking address to a client. `http(s)` addresses are asked over the network. A database is asked through the
 * server that has it open, if there is one, else through the application in this process. So every verb has one
 * implementation, wherever the data lie.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type NodeClient as Client, createClient } from "@millrace/client/node";
import type { ClientOptions } from "@millrace/client";
import { PlatformError } from "@millrace/contract";
import { type Environment, type Flags, type Options, parseOptions } from "../options.ts";
import type { App } from "../app.ts";
import { servingAddress } from "../usecases/operation/find-server.ts";
import { UsageError } from "./errors.ts";

export interface Session {
  readonly client: Client;
  /** Whom the client talks to, for people. */
  readonly where: string;
  close(): Promise<void>;
}

/** Enough for a server that restarts; a person should not wait for longer to read that there is none. */
const RETRIES = 2;
/** Another command that has the database open is waited for. */
const LOCK_WAIT_MS = 10_000;
const LOCK_POLL_MS = 50;

/** The address that `--tracking-uri` or the environment gives; undefined for the default folder. */
export function trackingAddress(given: string | undefined, env: Environment): string | undefined {
  return given || env["MLFLOW_TRACKING_URI"] || undefined;
}

export function isHttp(address: string): boolean {
  return /^https?:\/\//i.test(address);
}

/** @throws UsageError, PlatformError, or what the other side answers when it cannot be reached */
export async function connect(
  trackingUri: string | undefined,
  env: Environment,
  verbose: boolean,
): Promise<Session> {
  const address = trackingAddress(trackingUri, env);
  if (address !== undefined && isHttp(address)) return overNetwork(address, env);
  const options = localOptions(address, env, verbose ? "debug" : "silent");
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const serving = servingAddress(options.backend);
    if (serving !== undefined) {
      // The server's own token, given to this machine's server only.
      return overNetwork(serving, {
        ...env,
        MLFLOW_TRACKING_TOKEN: env["MILLRACE_TOKEN"] ?? env["MLFLOW_TRACKING_TOKEN"],
      });
    }
    try {
      return await inProcess(options, verbose);
    } catch (error) {
      const held = error instanceof PlatformError && error.code === "RESOURCE_CONFLICT";
      if (!held || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function overNetwork(baseUrl: string, env: Environment): Session {
  const options: ClientOptions = {
    baseUrl,
    token: env["MLFLOW_TRACKING_TOKEN"],
    username: env["MLFLOW_TRACKING_USERNAME"],
    password: env["MLFLOW_TRACKING_PASSWORD"],
    retries: RETRIES,
  };
  return { client: createClient(options), where: baseUrl, close: async () => {} };
}

async function inProcess(options: Options, verbose: boolean): Promise<Session> {
  const { createApp } = await import("../app.ts");
  const app = verbose ? await createApp(options) : await createApp(options, quiet);
  return {
    client: createClient({ fetch: app.fetch, retries: 0 }),
    where: options.backend.path,
    close: () => app.close(),
  };
}

/** A command says itself what went wrong. */
const quiet: App["log"] = {
  log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  access: { write: ignore },
  flush: ignore,
};

function ignore(): void {}

/** Options of the application for a database address or a data folder; without one as `server` would choose them. */
export function localOptions(
  address: string | undefined,
  env: Environment,
  logLevel: string,
  more: Flags = {},
): Options {
  const { MILLRACE_TOKEN: _, ...rest } = env;
  const flags: Record<string, unknown> = { logLevel, disableSecurityMiddleware: true, ...more };
  if (address !== undefined) Object.assign(flags, flagsOfAddress(address, rest));
  try {
    return parseOptions(flags, rest);
  } catch (error) {
    throw error instanceof PlatformError ? new UsageError(error.message) : error;
  }
}

function flagsOfAddress(address: string, env: Environment): Flags {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(address) && isDataFolder(address)) {
    return { dataDir: address, backendStoreUri: join(address, "millrace.db") };
  }
  let path: string;
  try {
    path = parseOptions({ backendStoreUri: address }, {}).backend.path;
  } catch (error) {
    throw error instanceof PlatformError ? new UsageError(error.message) : error;
  }
  // Artifacts lie beside their database unless something else was said.
  const dataDir = env["MILLRACE_DATA_DIR"] ?? dirname(path);
  return { dataDir, backendStoreUri: address };
}

function isDataFolder(path: string): boolean {
  if (existsSync(path))
    return (
      statSync(path).isDirectory() && !existsSync(join(path, "meta.yaml")) && !existsSync(join(path, "0"))
    );
  return !/\.(db|sqlite3?)$/i.test(path);
}
