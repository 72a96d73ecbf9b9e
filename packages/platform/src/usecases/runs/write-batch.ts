/** The one way in which metrics, params and tags reach a run. */
import type { Context } from "../../context.ts";
import type { Batch } from "../../domain/batch.ts";
import { keyCache } from "../../db/queries/keys.ts";
import { addModelMetrics } from "../../db/queries/logged-models.ts";
import { addPoints } from "../../db/queries/points.ts";
import { addParams, setTags } from "../../db/queries/run-texts.ts";
import { getActiveRun, markMetrics, markUpdated } from "../../db/queries/runs.ts";
import { RUN_NAME_TAG } from "./rules.ts";

/** @throws PlatformError when the run is missing or deleted, or a param has another value already */
export async function writeBatch(ctx: Context, runId: string, batch: Batch): Promise<void> {
  const cache = keyCache(ctx.db);
  const { metrics, params, tags } = batch;
  const grown = await ctx.db.write(
    async (tx) => {
      const run = await getActiveRun(tx, runId);
      await addParams(tx, cache, run, params);
      const series = metrics.length > 0 ? await addPoints(tx, cache, run, metrics) : [];
      const linked = metrics.filter(({ modelId }) => modelId !== undefined && modelId !== "");
      if (linked.length > 0) await addModelMetrics(tx, run, linked);
      await setTags(tx, cache, run, tags);
      const name = tags.findLast(({ key }) => key === RUN_NAME_TAG)?.value;
      if (name !== undefined) await tx.run("UPDATE runs SET name = ? WHERE id = ?", [name, run.id]);
      if (params.length > 0 || tags.length > 0) await markUpdated(tx, run, ctx.clock());
      else if (!(await markMetrics(tx, run, ctx.clock()))) tx.onCommit(() => ctx.activity.note(run));
      return series;
    },
    1 + metrics.length + params.length + tags.length,
  );
  ctx.sealer.grown(grown);
}
