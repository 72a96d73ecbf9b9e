/**
 * One server per file. The lock file beside the database holds the process and, once it listens, its address, so
 * that the command line talks to a running server instead of opening the file behind its back.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { PlatformError } from "@millrace/contract";

interface Holder {
  readonly processId: number;
  /** Start time of the process in clock ticks, so that a reused process id is not taken for the holder. */
  readonly startedAt: string | undefined;
  readonly address?: string;
}

export class ServerLock {
  readonly #file: string;
  readonly #holder: Holder;
  #released = false;

  private constructor(file: string, holder: Holder) {
    this.#file = file;
    this.#holder = holder;
  }

  /** @throws PlatformError RESOURCE_CONFLICT when a living process holds the database */
  static take(databasePath: string): ServerLock {
    const file = lockFile(databasePath);
    const holder: Holder = { processId: process.pid, startedAt: processStart(process.pid) };
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        writeFileSync(file, JSON.stringify(holder), { flag: "wx" });
        return new ServerLock(file, holder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const other = readHolder(file);
      if (other !== undefined && isAlive(other)) {
        throw new PlatformError(
          "RESOURCE_CONFLICT",
          `${databasePath} is in use by process ${other.processId}` +
            (other.address
              ? `, which serves it at ${other.address}. Use that address, or stop the process.`
              : ". Stop it first."),
          { processId: other.processId, address: other.address },
        );
      }
      rmSync(file, { force: true });
    }
    throw new PlatformError(
      "RESOURCE_CONFLICT",
      `${file} could not be taken: another process keeps making it.`,
    );
  }

  /** Makes the address known to other processes. */
  announce(address: string): void {
    writeFileSync(this.#file, JSON.stringify({ ...this.#holder, address }));
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    rmSync(this.#file, { force: true });
  }
}

/** Address of the living server that has this database open. */
export function servingAddress(databasePath: string): string | undefined {
  const holder = readHolder(lockFile(databasePath));
  return holder !== undefined && isAlive(holder) ? holder.address : undefined;
}

function lockFile(databasePath: string): string {
  return `${databasePath}.lock`;
}

function readHolder(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8")) as Partial<Holder>;
    return typeof holder.processId === "number" ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.processId === process.pid) return holder.startedAt === processStart(process.pid);
  try {
    process.kill(holder.processId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const started = processStart(holder.processId);
  return holder.startedAt === undefined || started === undefined || holder.startedAt === started;
}

function processStart(processId: number): string | undefined {
  try {
    // Field 22 of /proc/PID/stat; the name in field 2 may hold spaces, so count from its closing parenthesis.
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
