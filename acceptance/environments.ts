import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * The Python environments that the acceptance tests run in, by name. Each is built from the pinned
 * requirements of the same name and kept below `acceptance/.environments` until these change.
 */
export const pythonEnvironments = {
  "client-3.17": "requirements-3.17.txt",
  "client-2.x": "requirements-2.x.txt",
} as const;

export type PythonEnvironmentName = keyof typeof pythonEnvironments;

export interface PythonEnvironment {
  readonly name: PythonEnvironmentName;
  readonly directory: string;
  /** The interpreter of the environment. */
  readonly python: string;
  /** The official command-line program of the environment. */
  readonly mlflow: string;
}

export interface CommandResult {
  /** The exit status; null when the process was killed, here for running too long. */
  readonly status: number | null;
  /** Standard output and standard error as they came, mixed. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
}

const acceptanceDirectory = fileURLToPath(new URL(".", import.meta.url));
const environmentsDirectory = join(acceptanceDirectory, ".environments");
const installTimeoutMs = 15 * 60_000;
const commandTimeoutMs = 5 * 60_000;
const lockPollMs = 500;

/** Runs a program to its end and collects what it prints. Rejects when it cannot be started. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what a script started ends with it when time runs out.
      detached: true,
    });
    let output = "";
    const collect = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const timeoutMs = options.timeoutMs ?? commandTimeoutMs;
    const timer = setTimeout(() => {
      output += `\n${program} was stopped after ${timeoutMs} ms.\n`;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ status, output });
    });
  });
}

/**
 * Returns the named environment, building it first when it is missing or its requirements changed.
 * Needs `python3` with `venv` (or what MILLRACE_PYTHON names) and a package index pip can reach.
 */
export async function preparePythonEnvironment(name: PythonEnvironmentName): Promise<PythonEnvironment> {
  const directory = join(environmentsDirectory, name);
  const environment: PythonEnvironment = {
    name,
    directory,
    python: join(directory, "bin", "python"),
    mlflow: join(directory, "bin", "mlflow"),
  };
  const requirements = join(acceptanceDirectory, "python", pythonEnvironments[name]);
  const basePython = process.env["MILLRACE_PYTHON"] ?? "python3";
  const version = await mustRun(basePython, ["-c", "import sys; print(sys.version)"]);
  const stamp = createHash("sha256")
    .update(version)
    .update(await readFile(requirements))
    .digest("hex");
  const stampFile = join(directory, "requirements.sha256");
  if ((await readIfPresent(stampFile)) === stamp) return environment;

  await mkdir(environmentsDirectory, { recursive: true });
  const release = await lock(join(environmentsDirectory, `${name}.lock`));
  try {
    // Another process may have built it while this one waited for the lock.
    if ((await readIfPresent(stampFile)) === stamp) return environment;
    process.stderr.write(`Building the Python environment ${name} (a few minutes)…\n`);
    await rm(directory, { recursive: true, force: true });
    await mustRun(basePython, ["-m", "venv", directory]);
    await mustRun(environment.python, [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      // The requirements hold the whole closure. Their resolver need not run, and a package may
      // stand in for another under a different name (xgboost-cpu for xgboost).
      "--no-deps",
      "--only-binary=:all:",
      "--requirement",
      requirements,
    ]);
    await writeFile(stampFile, stamp);
    return environment;
  } finally {
    await release();
  }
}

async function mustRun(program: string, args: readonly string[]): Promise<string> {
  const result = await runCommand(program, args, { timeoutMs: installTimeoutMs }).catch((error: unknown) => {
    throw new Error(`${program} could not be started. Install it or name it by MILLRACE_PYTHON.`, {
      cause: error,
    });
  });
  if (result.status === 0) return result.output;
  throw new Error(`${program} ${args.join(" ")} ended with status ${result.status}:\n${result.output}`);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Takes a lock file that holds the owner's process id; one whose owner is gone is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + installTimeoutMs;
  while (Date.now() < deadline) {
    const handle = await open(path, "wx").catch(() => undefined);
    if (handle !== undefined) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    }
    const owner = Number(await readIfPresent(path));
    if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
    else await sleep(lockPollMs);
  }
  throw new Error(`${path} is held by another process. Delete it if none is at work.`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
