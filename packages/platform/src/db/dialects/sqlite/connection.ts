/** One connection of `node:sqlite` with its prepared statements. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Reader, SqlValue } from "../../database.ts";
import { translate } from "./errors.ts";

/** Searches compose their SQL, so the number of different texts is open; the least recently used are dropped. */
const STATEMENTS_MAX = 300;

export class Connection implements Reader {
  readonly raw: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(
    path: string,
    options: { readonly readOnly: boolean; readonly cacheKib: number; readonly busyTimeoutMs: number },
  ) {
    this.raw = new DatabaseSync(path, { readOnly: options.readOnly, timeout: options.busyTimeoutMs });
    this.raw.exec(
      `PRAGMA cache_size = -${options.cacheKib}; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF;`,
    );
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.raw.prepare(sql);
      if (this.#statements.size >= STATEMENTS_MAX) {
        for (const oldest of this.#statements.keys()) {
          this.#statements.delete(oldest);
          break;
        }
      }
    } else {
      this.#statements.delete(sql);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  all<Row>(sql: string, parameters: readonly SqlValue[] = []): Row[] {
    return this.#read(sql, (statement) => statement.all(...parameters)) as Row[];
  }

  get<Row>(sql: string, parameters: readonly SqlValue[] = []): Row | undefined {
    return this.#read(sql, (statement) => statement.get(...parameters)) as Row | undefined;
  }

  rows(sql: string, parameters: readonly SqlValue[] = []): SqlValue[][] {
    return this.#read(sql, (statement) => {
      statement.setReturnArrays(true);
      try {
        return statement.all(...parameters);
      } finally {
        statement.setReturnArrays(false);
      }
    }) as unknown as SqlValue[][];
  }

  run(sql: string, parameters: readonly SqlValue[] = []): number {
    try {
      return Number(this.prepare(sql).run(...parameters).changes);
    } catch (error) {
      throw translate(error);
    }
  }

  exec(sql: string): void {
    try {
      this.raw.exec(sql);
    } catch (error) {
      throw translate(error);
    }
  }

  #read<T>(sql: string, work: (statement: StatementSync) => T): T {
    try {
      const statement = this.prepare(sql);
      try {
        return work(statement);
      } catch (error) {
        if ((error as { code?: string }).code !== "ERR_OUT_OF_RANGE") throw error;
        // An integer beyond 2^53: read once more exactly, and make numbers again of those that fit.
        statement.setReadBigInts(true);
        try {
          return shrinkIntegers(work(statement));
        } finally {
          statement.setReadBigInts(false);
        }
      }
    } catch (error) {
      throw translate(error);
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.raw.isOpen) this.raw.close();
  }
}

function shrinkIntegers<T>(value: T): T {
  if (typeof value === "bigint") {
    const number = Number(value);
    return (Number.isSafeInteger(number) ? number : value) as T;
  }
  if (Array.isArray(value)) return value.map(shrinkIntegers) as T;
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shrinkIntegers(item)])) as T;
  }
  return value;
}
