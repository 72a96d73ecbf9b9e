import { PlatformError } from "@millrace/contract";
import { checkKey, checkLength } from "../../domain/keys.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { getActiveExperiment, setExperimentTags } from "../../db/queries/experiments.ts";
import type { UseCase } from "../handler.ts";

/** Long values are refused, not cut: cutting is for run tags only. */
export const setExperimentTag: UseCase<"setExperimentTag"> = async (
  ctx,
  { experimentId, key, value = "" },
) => {
  checkKey(key);
  checkLength(value, "value", ctx.limits.experimentTagValueLengthMax);
  await ctx.db.write(async (tx) => {
    const { id } = await getActiveExperiment(tx, experimentId);
    await setExperimentTags(tx, id, [{ key, value }]);
    await recordChange(tx, ctx.clock(), "experiment", experimentId, "updated", id);
  });
  return {};
};

export const deleteExperimentTag: UseCase<"deleteExperimentTag"> = async (ctx, { experimentId, key }) => {
  await ctx.db.write(async (tx) => {
    const { id } = await getActiveExperiment(tx, experimentId);
    const deleted = await tx.run("DELETE FROM experiment_tags WHERE experiment = ? AND key = ?", [id, key]);
    if (deleted === 0) {
      throw new PlatformError(
        "RESOURCE_DOES_NOT_EXIST",
        `No tag with name: ${key} in experiment with id ${experimentId}`,
        { experimentId, key },
      );
    }
    await recordChange(tx, ctx.clock(), "experiment", experimentId, "updated", id);
  });
  return {};
};
