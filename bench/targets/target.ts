import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { httpRequest } from "../load/requests.ts";

export type TargetName = "millrace" | "mlflow-1" | "mlflow-default";

/** A server under measurement: how to start it on an empty folder. */
export interface Target {
  readonly name: TargetName;
  readonly title: string;
  /** The database's journal and sync mode, printed with the figures. */
  readonly durability: string;
  /** Whether an uploaded artifact is on disk when the reply is sent. */
  readonly artifactDurability: string;
  /** Why the target cannot run here; undefined when it can. */
  unavailable(): string | undefined;
  /** The command that serves `folder` on `port`. */
  command(folder: string, port: number): ServerCommand;
}

export interface ServerCommand {
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A server that is not ready by then has failed. */
  readonly readyTimeoutMs: number;
}

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** From spawn to the first 200 on /health. */
  readonly readyMs: number;
  readonly folder: string;
  readonly databaseFile: string;
  /** SIGTERM, and SIGKILL after 20 s; resolves when the process has ended. */
  stop(): Promise<void>;
}

/** The address of a server's database and artifacts: the same two options for every target. */
export function storeOptions(folder: string): string[] {
  return [
    "--backend-store-uri",
    `sqlite:///${join(folder, "bench.db")}`,
    "--artifacts-destination",
    join(folder, "artifacts"),
  ];
}

/** Starts a server and waits until it is healthy. Its output goes to `server.log` in the folder. */
export async function startServer(target: Target, folder: string, port: number): Promise<RunningServer> {
  const { executable, args, env, readyTimeoutMs } = target.command(folder, port);
  const logPath = join(folder, "server.log");
  const log = openSync(logPath, "a");
  const startMs = performance.now();
  const child = spawn(executable, args, { env, cwd: folder, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended = false;
  const exit = once(child, "exit").then(() => (ended = true));
  // A process group of its own, so that workers which outlive their parent are found.
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left in the group.
    }
  };
  process.on("exit", killGroup);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await exit;
    clearTimeout(timer);
    killGroup();
    process.off("exit", killGroup);
  };
  while (!(await isHealthy(port))) {
    if (ended || performance.now() - startMs > readyTimeoutMs) {
      await stop();
      const tail = readFileSync(logPath, "utf8").slice(-800);
      throw new Error(
        `${target.title} was not healthy after ${String(Math.round(performance.now() - startMs))} ms. Its log ends: ${tail}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const readyMs = performance.now() - startMs;
  return { port, pid: child.pid ?? 0, readyMs, folder, databaseFile: join(folder, "bench.db"), stop };
}

const healthRequest = httpRequest("GET", "/health");

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const done = (healthy: boolean): void => {
      socket.destroy();
      resolve(healthy);
    };
    socket.once("connect", () => socket.write(healthRequest));
    socket.once("data", (data: Buffer) => done(data.toString("latin1", 0, 12) === "HTTP/1.1 200"));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
