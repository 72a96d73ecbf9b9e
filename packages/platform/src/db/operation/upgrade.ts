/** Bringing the schema of a database up to date without starting a server. */
import type { BackendAddress } from "../../options.ts";
import { openSqlite } from "../dialects/sqlite/index.ts";
import { latestVersion, schemaVersion } from "../migrate.ts";
import { openDatabase } from "./open.ts";

export interface UpgradeResult {
  readonly path: string;
  readonly fromVersion: number;
  readonly toVersion: number;
  /** Copy made before, when there was something to change. */
  readonly backup: string | undefined;
}

/** @throws PlatformError when a server has the database open, or it is not ours, or from a newer release */
export async function upgradeDatabase(backend: BackendAddress): Promise<UpgradeResult> {
  const before = await openDatabase(backend, { readOnly: true, anySchema: true });
  const fromVersion = await before.read(schemaVersion).finally(() => before.close());
  const db = await openSqlite({ path: backend.path });
  await db.close();
  const changed = fromVersion > 0 && fromVersion < latestVersion;
  return {
    path: backend.path,
    fromVersion,
    toVersion: latestVersion,
    backup: changed ? `${backend.path}.before-upgrade` : undefined,
  };
}
