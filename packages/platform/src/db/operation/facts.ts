/** What `doctor` wants to know of a database file. */
import { existsSync, statSync } from "node:fs";
import type { BackendAddress } from "../../options.ts";
import { latestVersion, schemaVersion } from "../migrate.ts";
import { servingAddress } from "./holder.ts";
import { openDatabase } from "./open.ts";

export interface DatabaseFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly fileBytes?: number;
  readonly logBytes?: number;
  readonly schemaVersion?: number;
  readonly latestSchemaVersion: number;
  readonly pragmas?: Readonly<Record<string, string | number>>;
  /** Address of the server that has it open. */
  readonly servedAt?: string;
  /** Why it cannot be opened. */
  readonly problem?: string;
}

const pragmas = ["journal_mode", "page_size", "page_count", "freelist_count", "encoding", "application_id"];

export async function databaseFacts(backend: BackendAddress): Promise<DatabaseFacts> {
  const { path } = backend;
  const facts = { path, exists: existsSync(path), latestSchemaVersion: latestVersion };
  if (!facts.exists) return facts;
  const servedAt = servingAddress(backend);
  const sizes = {
    fileBytes: statSync(path).size,
    logBytes: existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0,
    servedAt,
  };
  try {
    const db = await openDatabase(backend, { readOnly: true, anySchema: true });
    try {
      return await db.read(async (reader) => {
        const values: Record<string, string | number> = {};
        for (const name of pragmas) {
          const row = await reader.get<Record<string, string | number>>(`PRAGMA ${name}`);
          const value = Object.values(row ?? {})[0];
          if (value !== undefined) values[name] = value;
        }
        return { ...facts, ...sizes, schemaVersion: await schemaVersion(reader), pragmas: values };
      });
    } finally {
      db.close();
    }
  } catch (error) {
    return { ...facts, ...sizes, problem: (error as Error).message };
  }
}
