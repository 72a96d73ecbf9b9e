import { addRunModels } from "../../db/queries/inputs.ts";
import { getActiveRun, markUpdated } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";

/** Links models that a run made. The same model again is fine: a client may have lost the first answer. */
export const logOutputs: UseCase<"logOutputs"> = async (ctx, { runId, models }) => {
  const links = models.map(({ modelId = "", step = 0 }) => ({ modelId, step }));
  await ctx.db.write(async (tx) => {
    const run = await getActiveRun(tx, runId);
    await addRunModels(tx, run.id, "output", links);
    await markUpdated(tx, run, ctx.clock());
  }, 1 + links.length);
  return {};
};
