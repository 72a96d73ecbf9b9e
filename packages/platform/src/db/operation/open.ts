/** Opening a database beside a server that may have it open too: for checks, copies and removal. */
import { existsSync } from "node:fs";
import { PlatformError } from "@millrace/contract";
import type { BackendAddress } from "../../options.ts";
import type { Awaitable, Reader, Transaction } from "../database.ts";
import { Connection } from "../dialects/sqlite/connection.ts";
import { refuseForeignDatabase } from "../dialects/sqlite/foreign.ts";
import { latestVersion, schemaVersion } from "../migrate.ts";

const CACHE_KIB = 16 * 1024;
/** Commits of the server take a few milliseconds each, so this is long. */
const BUSY_TIMEOUT_MS = 30_000;

export interface OpenDatabase {
  readonly path: string;
  /** Reads from one snapshot. */
  read<T>(work: (reader: Reader) => Awaitable<T>): Promise<T>;
  /** One transaction of its own. Keep it short: a server that runs waits for it. */
  write<T>(work: (tx: Omit<Transaction, "onCommit">) => Awaitable<T>): Promise<T>;
  /** A consistent copy of the snapshot that is current now, while writes go on. */
  copyTo(path: string, onProgress?: (done: number, total: number) => void): Promise<void>;
  close(): void;
}

/**
 * Refuses what is no database of ours, without touching it.
 * @throws PlatformError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE, DATA_LOSS
 */
export function requireDatabase(path: string): void {
  if (!existsSync(path)) {
    throw new PlatformError(
      "RESOURCE_DOES_NOT_EXIST",
      `There is no database at ${path}. Name one with --backend-store-uri or --data-dir.`,
      { path },
    );
  }
  try {
    refuseForeignDatabase(path);
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw new PlatformError(
      "DATA_LOSS",
      `${path} is damaged or no SQLite database. Restore a backup with \`millrace restore\`.`,
      { path },
      cause,
    );
  }
}

/** @throws PlatformError as `requireDatabase`, and INVALID_PARAMETER_VALUE for a schema of another release */
export async function openDatabase(
  backend: BackendAddress,
  options: { readonly readOnly: boolean; readonly anySchema?: boolean },
): Promise<OpenDatabase> {
  const { path } = backend;
  requireDatabase(path);
  const connection = new Connection(path, {
    readOnly: options.readOnly,
    cacheKib: CACHE_KIB,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
  });
  try {
    if (!options.readOnly) connection.exec("PRAGMA synchronous = FULL");
    const version = await schemaVersion(connection);
    if (version !== latestVersion && options.anySchema !== true) {
      throw new PlatformError(
        "INVALID_PARAMETER_VALUE",
        version < latestVersion
          ? `${path} has schema version ${version}; this release works with ${latestVersion}. Run \`millrace db upgrade ${path}\` first.`
          : `${path} was written by a newer release (schema version ${version}, this one knows ${latestVersion}). Use that release.`,
        { path, version, latestVersion },
      );
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  return new Opened(path, connection);
}

class Opened implements OpenDatabase {
  readonly path: string;
  readonly #connection: Connection;

  constructor(path: string, connection: Connection) {
    this.path = path;
    this.#connection = connection;
  }

  async read<T>(work: (reader: Reader) => Awaitable<T>): Promise<T> {
    this.#connection.exec("BEGIN");
    try {
      return await work(this.#connection);
    } finally {
      this.#connection.exec("COMMIT");
    }
  }

  async write<T>(work: (tx: Omit<Transaction, "onCommit">) => Awaitable<T>): Promise<T> {
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      const result = await work(this.#connection);
      this.#connection.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#connection.raw.isTransaction) this.#connection.exec("ROLLBACK");
      throw error;
    }
  }

  copyTo(path: string, onProgress?: (done: number, total: number) => void): Promise<void> {
    return this.read(async (reader) => {
      // The first statement takes the snapshot. Without it, each commit of a server would start the copy anew.
      await reader.get("SELECT value FROM millrace_meta LIMIT 1");
      const { backup } = await import("node:sqlite");
      await backup(this.#connection.raw, path, {
        rate: PAGES_PER_STEP,
        progress: ({ totalPages, remainingPages }) => onProgress?.(totalPages - remainingPages, totalPages),
      });
    });
  }

  close(): void {
    this.#connection.close();
  }
}

const PAGES_PER_STEP = 2_000;
