/**
 * What the rest of the platform sees of a database. Statements use `?` placeholders and the SQL that SQLite and
 * PostgreSQL share; where they differ, `dialect` is asked, never its name.
 */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** SQLite answers at once, PostgreSQL later; `await` serves both. */
export type Awaitable<T> = T | Promise<T>;

export interface Reader {
  /** All rows, as objects by column name. Integers beyond 2^53 arrive as bigint. */
  all<Row>(sql: string, parameters?: readonly SqlValue[]): Awaitable<Row[]>;
  /** The first row. */
  get<Row>(sql: string, parameters?: readonly SqlValue[]): Awaitable<Row | undefined>;
  /** All rows as arrays of column values: less garbage for wide answers. */
  rows(sql: string, parameters?: readonly SqlValue[]): Awaitable<SqlValue[][]>;
}

/** A transaction. It holds statements only: anything else awaited inside keeps every other writer waiting. */
export interface Transaction extends Reader {
  /** Runs a statement and answers the number of rows it changed. */
  run(sql: string, parameters?: readonly SqlValue[]): Awaitable<number>;
  /** Called once the transaction is durable; caches of immutable facts are filled here. */
  onCommit(action: () => void): void;
}

/** How the dialects differ. */
export interface Dialect {
  readonly bindingsMax: number;
  /** Words of `CREATE TABLE`. */
  readonly ddl: {
    readonly identity: string;
    readonly bigint: string;
    readonly double: string;
    readonly text: string;
    readonly bytes: string;
    /** Stores a table in the order of its primary key, where that is possible. */
    readonly clustered: string;
  };
  /** A condition with one placeholder-free pattern: case-sensitive LIKE without escapes. */
  like(expression: string, pattern: string): { sql: string; parameter: string };
  /** The same, folding ASCII case. */
  ilike(expression: string, pattern: string): { sql: string; parameter: string };
}

export interface Database {
  readonly dialect: Dialect;
  /** Reads from one consistent snapshot. */
  read<T>(work: (reader: Reader) => Awaitable<T>): Promise<T>;
  /**
   * Runs `work` in a transaction and resolves after it is durable. Several callers may share one commit; each has
   * a savepoint of its own, so one failure fails one caller. `weight` is the number of rows, roughly.
   * @throws PlatformError RESOURCE_EXHAUSTED when too much is queued, TEMPORARILY_UNAVAILABLE when the disk is full
   */
  write<T>(work: (tx: Transaction) => Awaitable<T>, weight?: number): Promise<T>;
  /** Runs `work` when no caller waits to write: sealing, clean-up. Resolves like `write`. */
  background<T>(work: (tx: Transaction) => Awaitable<T>): Promise<T>;
  /** A consistent copy of the whole database into a new file, while writes go on. */
  backup(path: string, onProgress?: (done: number, total: number) => void): Promise<void>;
  close(): Promise<void>;
}
