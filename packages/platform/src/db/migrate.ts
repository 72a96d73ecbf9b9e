/** Numbered migrations, applied in order, each in one transaction, by one starter at a time. */
import { PlatformError } from "@millrace/contract";
import type { Dialect, Transaction } from "./database.ts";
import { migrations } from "./migrations/index.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements in the words of the dialect. */
  readonly statements: (ddl: Dialect["ddl"]) => readonly string[];
}

export const latestVersion = migrations.at(-1)!.version;

/** Schema version of an open database; 0 when it is empty. */
export async function schemaVersion(tx: Pick<Transaction, "get">): Promise<number> {
  const row = await tx.get<{ value: string }>("SELECT value FROM millrace_meta WHERE key = 'schema_version'");
  return row === undefined ? 0 : Number(row.value);
}

/**
 * Brings the schema up to date. `beforeUpgrade` runs once, outside of a transaction, when there is data to lose.
 * @throws PlatformError INVALID_PARAMETER_VALUE when the database was written by a newer release
 */
export async function migrate(
  dialect: Dialect,
  connection: Pick<Transaction, "get" | "run"> & { exec(sql: string): void },
  beforeUpgrade: () => Promise<void>,
): Promise<void> {
  const { ddl } = dialect;
  connection.exec(
    `CREATE TABLE IF NOT EXISTS millrace_meta (key ${ddl.text} PRIMARY KEY, value ${ddl.text} NOT NULL)`,
  );
  const current = await schemaVersion(connection);
  if (current > latestVersion) {
    throw new PlatformError(
      "INVALID_PARAMETER_VALUE",
      `The database has schema version ${current}, but this release knows versions up to ${latestVersion}. Start the newer release, or restore the backup made before the upgrade.`,
      { current, latestVersion },
    );
  }
  if (current === latestVersion) return;
  if (current > 0) await beforeUpgrade();
  for (const migration of migrations) {
    if (migration.version <= current) continue;
    connection.exec("BEGIN IMMEDIATE");
    try {
      // Another starter may have been faster while this one waited for the lock.
      if ((await schemaVersion(connection)) < migration.version) {
        for (const statement of migration.statements(ddl)) connection.exec(statement);
        await connection.run(
          "INSERT INTO millrace_meta (key, value) VALUES ('schema_version', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
          [String(migration.version)],
        );
      }
      connection.exec("COMMIT");
    } catch (error) {
      connection.exec("ROLLBACK");
      throw error;
    }
  }
}
