import { loggedModelStatuses } from "@millrace/contract";
import { recordChange } from "../../db/queries/changes.ts";
import { getActiveLoggedModel, getLoggedModelRow, readLoggedModels } from "../../db/queries/logged-models.ts";
import type { UseCase } from "../handler.ts";

export const getLoggedModel: UseCase<"getLoggedModel"> = async (ctx, { modelId, allowDeleted = false }) =>
  ctx.db.read(async (reader) => {
    const find = allowDeleted ? getLoggedModelRow : getActiveLoggedModel;
    const [model] = await readLoggedModels(reader, [await find(reader, modelId)]);
    return { model };
  });

/** Any status is taken, though clients send only that the upload is done or has failed. */
export const finalizeLoggedModel: UseCase<"finalizeLoggedModel"> = async (ctx, { modelId, status }) =>
  ctx.db.write(async (tx) => {
    const before = await getLoggedModelRow(tx, modelId);
    const now = ctx.clock();
    const row = { ...before, status: loggedModelStatuses[status], last_updated_time: now };
    await tx.run("UPDATE logged_models SET status = ?, last_updated_time = ? WHERE id = ?", [
      row.status,
      now,
      row.id,
    ]);
    await recordChange(tx, now, "logged_model", modelId, "updated", row.experiment);
    const [model] = await readLoggedModels(tx, [row]);
    return { model };
  });

/** Soft, and fine a second time. */
export const deleteLoggedModel: UseCase<"deleteLoggedModel"> = async (ctx, { modelId }) => {
  await ctx.db.write(async (tx) => {
    const row = await getLoggedModelRow(tx, modelId);
    const now = ctx.clock();
    await tx.run("UPDATE logged_models SET deleted = 1, last_updated_time = ? WHERE id = ?", [now, row.id]);
    await recordChange(tx, now, "logged_model", modelId, "deleted", row.experiment);
  });
  return {};
};
