import { keyCache } from "../../db/queries/keys.ts";
import { setTags } from "../../db/queries/run-texts.ts";
import { getActiveRun, markUpdated } from "../../db/queries/runs.ts";
import { appendToHistory, historyEntry, MODEL_HISTORY_TAG } from "../../domain/model-history.ts";
import type { UseCase } from "../handler.ts";

/** Appends to the run's history of models. The tag is never cut: it would be JSON no more. */
export const logModel: UseCase<"logModel"> = async (ctx, { runId, modelJson }) => {
  const entry = historyEntry(modelJson);
  const cache = keyCache(ctx.db);
  await ctx.db.write(async (tx) => {
    const run = await getActiveRun(tx, runId);
    const before = await tx.get<{ value: string }>(
      "SELECT t.value FROM keys k JOIN tags t ON t.key = k.id WHERE k.name = ? AND t.run = ?",
      [MODEL_HISTORY_TAG, run.id],
    );
    const value = appendToHistory(before?.value, entry);
    await setTags(tx, cache, run, [{ key: MODEL_HISTORY_TAG, value }]);
    await markUpdated(tx, run, ctx.clock());
  });
  return {};
};
