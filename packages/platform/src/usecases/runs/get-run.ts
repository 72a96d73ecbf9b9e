import { keyCache } from "../../db/queries/keys.ts";
import { readRuns } from "../../db/queries/run-pages.ts";
import { getRun as readRun } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";

export const getRun: UseCase<"getRun"> = (ctx, { runId }) =>
  ctx.db.read(async (reader) => {
    const [run] = await readRuns(reader, keyCache(ctx.db), [await readRun(reader, runId)]);
    return { run };
  });
