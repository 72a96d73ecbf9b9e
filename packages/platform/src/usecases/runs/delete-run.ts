import type { Context } from "../../context.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { getRunKey } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";

/** Deleting a deleted run, or restoring an active one, changes nothing and is fine. */
export const deleteRun: UseCase<"deleteRun"> = (ctx, { runId }) => setStage(ctx, runId, 1);

export const restoreRun: UseCase<"restoreRun"> = (ctx, { runId }) => setStage(ctx, runId, 0);

async function setStage(ctx: Context, runId: string, deleted: 0 | 1): Promise<object> {
  await ctx.db.write(async (tx) => {
    const run = await getRunKey(tx, runId);
    if (run.deleted === deleted) return;
    const now = ctx.clock();
    await tx.run("UPDATE runs SET deleted = ?, deleted_time = ? WHERE id = ?", [
      deleted,
      deleted === 1 ? now : null,
      run.id,
    ]);
    await recordChange(tx, now, "run", runId, deleted === 1 ? "deleted" : "restored", run.experiment);
  });
  return {};
}
