/** Other people's stores are refused untouched: opening one for writing would be the first step of damaging it. */
import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { PlatformError } from "@millrace/contract";

/** @throws PlatformError INVALID_PARAMETER_VALUE when the path is a folder or a database that is not ours */
export function refuseForeignDatabase(path: string): void {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    throw new PlatformError(
      "INVALID_PARAMETER_VALUE",
      `${path} is a folder, but the backend store must be a database file such as sqlite:///millrace-data/millrace.db. ` +
        "A folder that MLflow made (mlruns) is not opened in place, so that it stays as it is.",
      { path },
    );
  }
  if (statSync(path).size === 0) return;
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = new Set(
      db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .all()
        .map((row) => String(row["name"])),
    );
    if (tables.size === 0 || tables.has("millrace_meta")) return;
    const owner = tables.has("alembic_version") ? "MLflow" : "another program";
    throw new PlatformError(
      "INVALID_PARAMETER_VALUE",
      `${path} is a database of ${owner}; it was left untouched. Give Millrace a file of its own with --backend-store-uri.`,
      { path },
    );
  } finally {
    db.close();
  }
}
