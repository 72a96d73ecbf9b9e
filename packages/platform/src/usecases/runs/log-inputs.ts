import { addDatasetInputs, addRunModels } from "../../db/queries/inputs.ts";
import { getActiveRun, markUpdated } from "../../db/queries/runs.ts";
import { checkDatasetInputs } from "../../domain/run-inputs.ts";
import type { UseCase } from "../handler.ts";

/** Links data sets and models that a run reads. */
export const logInputs: UseCase<"logInputs"> = async (ctx, { runId, datasets, models = [] }) => {
  const inputs = checkDatasetInputs(datasets);
  const links = models.map(({ modelId = "" }) => ({ modelId, step: 0 }));
  await ctx.db.write(
    async (tx) => {
      const run = await getActiveRun(tx, runId);
      await addDatasetInputs(tx, run, inputs);
      await addRunModels(tx, run.id, "input", links);
      await markUpdated(tx, run, ctx.clock());
    },
    1 + 3 * inputs.length + links.length,
  );
  return {};
};
