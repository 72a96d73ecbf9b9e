import { PlatformError } from "@millrace/contract";
import type { Transaction } from "../../db/database.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { getExperiment, noExperiment } from "../../db/queries/experiments.ts";
import type { UseCase } from "../handler.ts";

/** Marks an experiment and all its runs. */
export const deleteExperiment: UseCase<"deleteExperiment"> = async (ctx, { experimentId }) => {
  await ctx.db.write(async (tx) => {
    const row = await getExperiment(tx, experimentId);
    if (row.deleted !== 0) throw noExperiment(experimentId);
    await setStage(tx, row.id, 1, ctx.clock());
  });
  return {};
};

/** Revives an experiment and all its runs, also those that were deleted one by one before: that is the contract. */
export const restoreExperiment: UseCase<"restoreExperiment"> = async (ctx, { experimentId }) => {
  await ctx.db.write(async (tx) => {
    const row = await getExperiment(tx, experimentId);
    if (row.deleted === 0) {
      throw new PlatformError(
        "RESOURCE_DOES_NOT_EXIST",
        `No Experiment with id=${experimentId} exists among the deleted ones, so there is nothing to restore.`,
        {
          experimentId,
        },
      );
    }
    await setStage(tx, row.id, 0, ctx.clock());
  });
  return {};
};

async function setStage(tx: Transaction, experiment: number, deleted: 0 | 1, now: number): Promise<void> {
  await tx.run("UPDATE experiments SET deleted = ?, last_update_time = ? WHERE id = ?", [
    deleted,
    now,
    experiment,
  ]);
  await tx.run("UPDATE runs SET deleted = ?, deleted_time = ? WHERE experiment = ? AND deleted <> ?", [
    deleted,
    deleted === 1 ? now : null,
    experiment,
    deleted,
  ]);
  await recordChange(
    tx,
    now,
    "experiment",
    String(experiment),
    deleted === 1 ? "deleted" : "restored",
    experiment,
  );
}
