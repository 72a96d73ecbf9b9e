import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Starts the server that the acceptance suites drive from outside. Which one is chosen by the environment:
 *
 * - `MILLRACE_TARGET=millrace` (default): Millrace from its sources, or the compiled one with `MILLRACE_COMPILED=1`;
 * - `MILLRACE_TARGET=mlflow`: the `mlflow` command named by `MLFLOW_BIN`;
 * - `MILLRACE_TARGET=http://…`: a server that is running already; it is neither started nor stopped.
 *
 * A test that passes against MLflow as well as against Millrace states the protocol, not our opinion of it.
 */

export type TargetKind = "millrace" | "mlflow";

export interface RunningServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly kind: TargetKind;
  /** Holds database, artifacts and `server.log`; empty for a server that was running already. */
  readonly directory: string;
  /** Of the command that was started; 0 for a server that was running already. */
  readonly pid: number;
  /**
   * Ends the processes that were started, waits for them, and removes the directory if it was made here.
   * A second call does nothing. `SIGKILL` is for the tests of crashes.
   */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServerOptions {
  /** Added to the command line after the usual options. */
  readonly args?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where to keep the data, so that a second start finds it again; it is then left in place by `stop`. */
  readonly directory?: string;
  /** A free port is taken when absent. */
  readonly port?: number;
  /** How long `/health` may take to answer. MLflow needs up to 20 s on two busy cores. */
  readonly startTimeoutMs?: number;
}

const repository = path.resolve(import.meta.dirname, "..");
const mlflowDefault = path.join(import.meta.dirname, ".environments", "client-3.17", "bin", "mlflow");
const stopTimeoutMs = 15_000;
const logTailCharacters = 4_000;

/** Resolves once `/health` answers. Throws, with the end of the server's log, when it exits or stays silent. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const target = process.env["MILLRACE_TARGET"] || "millrace";
  if (/^https?:\/\//.test(target)) return connect(target.replace(/\/+$/, ""));
  if (target !== "millrace" && target !== "mlflow") {
    throw new Error(`MILLRACE_TARGET is '${target}'; use 'millrace', 'mlflow' or the address of a server.`);
  }

  const directory = options.directory ?? (await mkdtemp(path.join(tmpdir(), "millrace-acceptance-")));
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const [command, ...args] = target === "mlflow" ? mlflowCommand() : millraceCommand();
  const child = spawn(
    command,
    [
      ...args,
      "--host=127.0.0.1",
      `--port=${port}`,
      `--backend-store-uri=sqlite:///${path.join(directory, "store.db")}`,
      `--artifacts-destination=${path.join(directory, "artifacts")}`,
      ...(options.args ?? []),
    ],
    {
      cwd: directory,
      env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1", ...options.env },
      // Its own process group: the mlflow command starts workers that outlive it when only it is ended.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const spawnFailed = once(child, "error").then(([error]: unknown[]) => Promise.reject(error));
  const logFile = path.join(directory, "server.log");
  const log = createWriteStream(logFile, { flags: "a" });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const endWithUs = () => signalGroup(child, "SIGKILL");
  process.once("exit", endWithUs);

  let stopped = false;
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await end(child, signal);
    process.off("exit", endWithUs);
    log.end();
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const healthy = waitForHealth(url, child, options.startTimeoutMs ?? 120_000);
    await Promise.race([healthy, spawnFailed]);
  } catch (cause) {
    const tail = (await readFile(logFile, "utf8").catch(() => "")).slice(-logTailCharacters);
    await stop("SIGKILL");
    throw new Error(`${command} ${args.join(" ")} did not start. The end of its log:\n${tail}`, { cause });
  }
  return { url, kind: target, directory, pid: child.pid ?? 0, stop };
}

function millraceCommand(): [string, ...string[]] {
  const compiled = process.env["MILLRACE_COMPILED"] === "1";
  const main = compiled ? ["dist", "main.js"] : ["src", "main.ts"];
  const entry = path.join(repository, "packages", "platform", ...main);
  return [process.execPath, ...(compiled ? [] : ["--conditions=millrace-source"]), entry, "server"];
}

function mlflowCommand(): [string, ...string[]] {
  return [process.env["MLFLOW_BIN"] || mlflowDefault, "server", "--workers", "1"];
}

async function connect(url: string): Promise<RunningServer> {
  const response = await fetch(`${url}/health`);
  if (!response.ok) throw new Error(`${url}/health answered ${response.status}.`);
  // Both servers answer /version alike, so the name of MLflow's web server tells them apart.
  const kind = response.headers.get("server") === "uvicorn" ? "mlflow" : "millrace";
  return { url, kind, directory: "", pid: 0, stop: async () => {} };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The probe has no port.");
  return address.port;
}

async function waitForHealth(url: string, child: ChildProcess, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`It exited with code ${child.exitCode}.`);
    if (child.signalCode !== null) throw new Error(`It was ended by ${child.signalCode}.`);
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (response?.ok) return;
    await delay(100);
  }
  throw new Error(`${url}/health did not answer within ${timeoutMs} ms.`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined) return;
  const closed =
    child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit");
  signalGroup(child, signal);
  const patience = new AbortController();
  await Promise.race([
    closed,
    delay(stopTimeoutMs, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
  // Whatever is left of the group: workers that ignored the signal.
  signalGroup(child, "SIGKILL");
  await closed;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
