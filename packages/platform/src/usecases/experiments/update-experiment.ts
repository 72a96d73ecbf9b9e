import { PlatformError } from "@millrace/contract";
import { checkLength } from "../../domain/keys.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { findExperimentByName, getExperiment } from "../../db/queries/experiments.ts";
import type { UseCase } from "../handler.ts";

/** Renames. A taken name is BAD_REQUEST here, not RESOURCE_ALREADY_EXISTS: clients know it so. */
export const updateExperiment: UseCase<"updateExperiment"> = async (ctx, { experimentId, newName }) => {
  checkLength(newName, "new_name", ctx.limits.experimentNameLengthMax);
  await ctx.db.write(async (tx) => {
    const row = await getExperiment(tx, experimentId);
    if (row.deleted !== 0) {
      throw new PlatformError(
        "INVALID_PARAMETER_VALUE",
        `Cannot rename a non-active experiment. Restore experiment ${experimentId} first.`,
        { experimentId },
      );
    }
    const other = await findExperimentByName(tx, newName);
    if (other !== undefined && other.id !== row.id) {
      throw new PlatformError(
        "BAD_REQUEST",
        `An experiment with the name '${newName}' already exists (id ${other.id}). Choose another name.`,
        { newName },
      );
    }
    const now = ctx.clock();
    await tx.run("UPDATE experiments SET name = ?, last_update_time = ? WHERE id = ?", [
      newName,
      now,
      row.id,
    ]);
    await recordChange(tx, now, "experiment", experimentId, "updated", row.id);
  });
  return {};
};
