/** The embedded default: one file, one writing connection with group commit, one reading connection. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { Awaitable, Database, Dialect, Reader, Transaction } from "../../database.ts";
import { migrate } from "../../migrate.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Connection } from "./connection.ts";
import { refuseForeignDatabase } from "./foreign.ts";
import { ServerLock } from "./lock.ts";
import { Writer } from "./writer.ts";

const WRITER_CACHE_KIB = 12 * 1024;
const READER_CACHE_KIB = 16 * 1024;
const BUSY_TIMEOUT_MS = 5_000;
const QUEUED_ROWS_MAX = 200_000;
const BACKUP_PAGES_PER_STEP = 1_000;

export const sqliteDialect: Dialect = {
  bindingsMax: 30_000,
  ddl: {
    identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
    bigint: "INTEGER",
    double: "REAL",
    text: "TEXT",
    bytes: "BLOB",
    clustered: "WITHOUT ROWID",
  },
  like: (expression, pattern) => ({ sql: `${expression} GLOB ?`, parameter: globFromLike(pattern) }),
  // SQLite's LIKE folds ASCII case only, which is our rule on every dialect.
  ilike: (expression, pattern) => ({ sql: `${expression} LIKE ?`, parameter: pattern }),
};

/** `%` and `_` become `*` and `?`; what GLOB would read as special is put in brackets. */
export function globFromLike(pattern: string): string {
  return pattern.replace(/[*?[%_]/g, (character) => {
    if (character === "%") return "*";
    if (character === "_") return "?";
    return `[${character}]`;
  });
}

export interface SqliteOptions {
  /** Absolute path of the file; it is made when missing. */
  readonly path: string;
  readonly queuedRowsMax?: number;
}

export interface SqliteDatabase extends Database {
  readonly path: string;
  readonly lock: ServerLock;
  /** Pragmas of the live writing connection, for tests and `doctor`. */
  pragma(name: string): unknown;
  logBytes(): number;
  /** Copies the whole log into the file. */
  checkpoint(): Promise<boolean>;
  queuedRows(): number;
}

/**
 * Opens the file, takes its lock and brings its schema up to date.
 * @throws PlatformError when another server has the file, or the file belongs to MLflow
 */
export async function openSqlite(options: SqliteOptions): Promise<SqliteDatabase> {
  const { path } = options;
  mkdirSync(dirname(path), { recursive: true });
  refuseForeignDatabase(path);
  const lock = await ServerLock.take(path);
  try {
    const writing = new Connection(path, {
      readOnly: false,
      cacheKib: WRITER_CACHE_KIB,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
    });
    writing.exec(
      "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 134217728;",
    );
    await migrate(sqliteDialect, writing, () => copyBeforeMigration(path));
    return new Sqlite(options, writing, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function copyBeforeMigration(path: string): Promise<void> {
  const source = new DatabaseSync(path, { readOnly: true });
  try {
    await backup(source, `${path}.before-upgrade`);
  } finally {
    source.close();
  }
}

class Sqlite implements SqliteDatabase {
  readonly path: string;
  readonly dialect = sqliteDialect;
  readonly lock: ServerLock;
  readonly #writing: Connection;
  readonly #reading: Connection;
  readonly #writer: Writer;
  readonly #checkpoints: Checkpoints;
  #lastRead: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SqliteOptions, writing: Connection, lock: ServerLock) {
    this.path = options.path;
    this.lock = lock;
    this.#writing = writing;
    this.#reading = new Connection(options.path, {
      readOnly: true,
      cacheKib: READER_CACHE_KIB,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
    });
    this.#checkpoints = new Checkpoints(options.path);
    this.#writer = new Writer(writing, options.queuedRowsMax ?? QUEUED_ROWS_MAX, () =>
      this.#checkpoints.afterCommit(),
    );
  }

  read<T>(work: (reader: Reader) => Awaitable<T>): Promise<T> {
    // One connection, one snapshot at a time: reads hold statements only, so the next one waits for microtasks.
    const result = this.#lastRead.then(() => this.#snapshot(work));
    this.#lastRead = result.then(ignore, ignore);
    return result;
  }

  async #snapshot<T>(work: (reader: Reader) => Awaitable<T>): Promise<T> {
    this.#reading.prepare("BEGIN").run();
    try {
      return await work(this.#reading);
    } finally {
      if (this.#reading.raw.isTransaction) this.#reading.prepare("COMMIT").run();
    }
  }

  write<T>(work: (tx: Transaction) => Awaitable<T>, weight = 1): Promise<T> {
    return this.#writer.write(work, weight);
  }

  background<T>(work: (tx: Transaction) => Awaitable<T>): Promise<T> {
    return this.#writer.background(work);
  }

  async backup(path: string, onProgress?: (done: number, total: number) => void): Promise<void> {
    await backup(this.#reading.raw, path, {
      rate: BACKUP_PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => onProgress?.(totalPages - remainingPages, totalPages),
    });
  }

  pragma(name: string): unknown {
    return Object.values(this.#writing.get<Record<string, unknown>>(`PRAGMA ${name}`) ?? {})[0];
  }

  logBytes(): number {
    return this.#checkpoints.logBytes();
  }

  checkpoint(): Promise<boolean> {
    return this.#checkpoints.run();
  }

  queuedRows(): number {
    return this.#writer.queuedRows;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writer.drained();
    await this.#lastRead;
    await this.#checkpoints.close();
    this.#reading.close();
    this.#writing.close();
    this.lock.release();
  }
}

function ignore(): void {}
