import { type RunStatus, runStatuses } from "@millrace/contract";
import { checkLength } from "../../domain/keys.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { keyCache } from "../../db/queries/keys.ts";
import { setTags } from "../../db/queries/run-texts.ts";
import { getRun, requireActive, runInfo } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";
import { RUN_NAME_TAG } from "./rules.ts";

const ended: ReadonlySet<RunStatus> = new Set(["FINISHED", "FAILED", "KILLED"]);

/** Changes status, end time and name; what is absent stays. A run that ends gives up its lease. */
export const updateRun: UseCase<"updateRun"> = async (ctx, { runId, status, endTime, runName }) => {
  checkLength(runName, "run_name", ctx.limits.runTagValueLengthMax);
  const row = await ctx.db.write(async (tx) => {
    const before = await getRun(tx, runId);
    requireActive(before);
    const now = ctx.clock();
    const after = {
      ...before,
      status: status === undefined ? before.status : runStatuses[status],
      end_time: endTime ?? before.end_time,
      name: runName || before.name,
      lease_expires_at: status !== undefined && ended.has(status) ? null : before.lease_expires_at,
    };
    await tx.run(
      "UPDATE runs SET status = ?, end_time = ?, name = ?, lease_expires_at = ?, last_activity_time = ? WHERE id = ?",
      [after.status, after.end_time, after.name, after.lease_expires_at, now, before.id],
    );
    if (runName) await setTags(tx, keyCache(ctx.db), before, [{ key: RUN_NAME_TAG, value: runName }]);
    await recordChange(tx, now, "run", runId, "updated", before.experiment);
    return after;
  });
  if (status !== undefined && ended.has(status)) ctx.sealer.ended(row.id);
  return { runInfo: runInfo(row) };
};
