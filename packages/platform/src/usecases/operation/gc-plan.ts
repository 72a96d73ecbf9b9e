/** Deciding what `gc` removes. Nothing is changed here. */
import { invalidParameter, PlatformError } from "@millrace/contract";
import type { OpenDatabase } from "../../db/operation/open.ts";
import {
  type DeletedExperiment,
  deletedExperiments,
  type DeletedModel,
  deletedModels,
  type DeletedRun,
  deletedRuns,
  deletedRunsOf,
  findExperiment,
  findModel,
  findRun,
  modelsOf,
  versionsFrom,
} from "../../db/operation/removal.ts";

export interface GcRequest {
  /** When any list is given, only what is named goes; otherwise everything that is deleted. */
  readonly runIds?: readonly string[];
  readonly experimentIds?: readonly string[];
  readonly loggedModelIds?: readonly string[];
  /** Only what was deleted at least so long ago, in milliseconds. */
  readonly olderThanMs: number;
}

export interface GcPlan {
  readonly runs: readonly DeletedRun[];
  readonly experiments: readonly DeletedExperiment[];
  readonly loggedModels: readonly DeletedModel[];
  /** Versions in the registry, as `name/version`, that came from these runs. They stay. */
  readonly registeredVersions: readonly string[];
}

/**
 * @throws PlatformError RESOURCE_DOES_NOT_EXIST for an unknown id, INVALID_PARAMETER_VALUE for what is not deleted or
 * not old enough
 */
export async function planGc(db: OpenDatabase, request: GcRequest, now: number): Promise<GcPlan> {
  const { runIds, experimentIds, loggedModelIds, olderThanMs } = request;
  const before = now - olderThanMs;
  const named = runIds !== undefined || experimentIds !== undefined || loggedModelIds !== undefined;
  const runs = new Map<string, DeletedRun>();
  const models = new Map<string, DeletedModel>();
  const experiments = new Map<number, DeletedExperiment>();

  for (const id of experimentIds ?? []) {
    const row = /^\d{1,15}$/.test(id) ? await findExperiment(db, Number(id)) : undefined;
    requireRemovable("experiment", id, row, row?.last_update_time, before);
    experiments.set(row!.id, row!);
  }
  for (const id of runIds ?? []) {
    const row = await findRun(db, id);
    requireRemovable("run", id, row, row?.deleted_time ?? 0, before);
    runs.set(id, row!);
  }
  for (const id of loggedModelIds ?? []) {
    const row = await findModel(db, id);
    requireRemovable("logged model", id, row, row?.last_updated_time, before);
    models.set(id, row!);
  }
  if (!named) {
    for (const row of await deletedExperiments(db, before)) experiments.set(row.id, row);
    for (const row of await deletedRuns(db, before)) runs.set(row.run_id, row);
    for (const row of await deletedModels(db, before)) models.set(row.model_id, row);
  }
  for (const { id } of experiments.values()) {
    for (const row of await deletedRunsOf(db, id)) runs.set(row.run_id, row);
    for (const row of await modelsOf(db, id)) models.set(row.model_id, row);
  }
  return {
    runs: [...runs.values()],
    experiments: [...experiments.values()],
    loggedModels: [...models.values()],
    registeredVersions: await versionsFrom(db, [...runs.keys()]),
  };
}

function requireRemovable(
  noun: string,
  id: string,
  row: { readonly deleted: number } | undefined,
  deletedAt: number | undefined,
  before: number,
): void {
  if (row === undefined) {
    throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `There is no ${noun} ${id}. Nothing was removed.`, {
      id,
    });
  }
  if (row.deleted === 0) {
    throw invalidParameter(
      `The ${noun} ${id} is not deleted; only what is deleted can be removed for good. Nothing was removed.`,
      { id },
    );
  }
  if ((deletedAt ?? 0) > before) {
    throw invalidParameter(
      `The ${noun} ${id} was deleted later than --older-than allows. Nothing was removed.`,
      { id },
    );
  }
}
