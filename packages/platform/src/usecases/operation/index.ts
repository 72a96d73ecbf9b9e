/** Work on a database as a whole, which no endpoint offers: the command line calls it. */
export {
  backupDatabase,
  type Manifest,
  restoreDatabase,
  type RestoreResult,
  writeManifest,
} from "../../db/operation/backup.ts";
export { checkDatabase, type CheckResult } from "../../db/operation/check.ts";
export { databaseFacts, type DatabaseFacts } from "../../db/operation/facts.ts";
export { openDatabase, type OpenDatabase } from "../../db/operation/open.ts";
export { upgradeDatabase, type UpgradeResult } from "../../db/operation/upgrade.ts";
export { type ArtifactPlaces, copyArtifacts, removeArtifactFolder } from "./artifact-folders.ts";
export { type GcPlan, type GcRequest, planGc } from "./gc-plan.ts";
export { collectGarbage, type GcResult } from "./gc.ts";
