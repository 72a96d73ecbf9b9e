import { PlatformError } from "@millrace/contract";
import { checkText, failOn } from "../../domain/batch.ts";
import { checkKey } from "../../domain/keys.ts";
import { findKey, keyCache } from "../../db/queries/keys.ts";
import { getActiveRun, markUpdated } from "../../db/queries/runs.ts";
import type { UseCase } from "../handler.ts";
import { lengthRule } from "./rules.ts";
import { writeBatch } from "./write-batch.ts";

export const logParam: UseCase<"logParam"> = async (ctx, { runId, key, value }) => {
  const problems: string[] = [];
  const param = checkText({ key, value }, "", ctx.limits.paramValueLengthMax, lengthRule(ctx), problems);
  failOn(problems);
  await writeBatch(ctx, runId, { metrics: [], params: [param], tags: [] });
  return {};
};

export const setTag: UseCase<"setTag"> = async (ctx, { runId, key, value }) => {
  const problems: string[] = [];
  const tag = checkText({ key, value }, "", ctx.limits.runTagValueLengthMax, lengthRule(ctx), problems);
  failOn(problems);
  await writeBatch(ctx, runId, { metrics: [], params: [], tags: [tag] });
  return {};
};

export const deleteTag: UseCase<"deleteTag"> = async (ctx, { runId, key }) => {
  checkKey(key);
  await ctx.db.write(async (tx) => {
    const run = await getActiveRun(tx, runId);
    const id = await findKey(tx, keyCache(ctx.db), key);
    const deleted =
      id === undefined ? 0 : await tx.run("DELETE FROM tags WHERE run = ? AND key = ?", [run.id, id]);
    if (deleted === 0) {
      throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `No tag with name: ${key} in run with id ${runId}`, {
        runId,
        key,
      });
    }
    await markUpdated(tx, run, ctx.clock());
  });
  return {};
};
