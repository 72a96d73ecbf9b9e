/** Who has a database open. */
import type { BackendAddress } from "../../options.ts";
import { servingAddress as sqliteServingAddress } from "../dialects/sqlite/lock.ts";

/** Address of the living server that has the database open, if there is one and it listens. */
export function servingAddress(backend: BackendAddress): string | undefined {
  return sqliteServingAddress(backend.path);
}
