/** Tags (overwritten) and params (written once) of logged models. */
import { invalidParameter, PlatformError } from "@millrace/contract";
import { recordChange } from "../../db/queries/changes.ts";
import {
  getLoggedModelRow,
  insertLoggedModelParams,
  loggedModelParams,
  setLoggedModelTags as setTags,
} from "../../db/queries/logged-models.ts";
import { lastOfEach } from "../../domain/batch.ts";
import {
  checkDistinctParams,
  distinctVersions,
  MODEL_VERSIONS_TAG,
  plainTexts,
} from "../../domain/logged-model.ts";
import type { UseCase } from "../handler.ts";

export const setLoggedModelTags: UseCase<"setLoggedModelTags"> = async (ctx, request) => {
  const { modelId } = request;
  const tags = lastOfEach(plainTexts(request.tags)).map(({ key, value }) =>
    // Clients append to this list what the server has put there already.
    key === MODEL_VERSIONS_TAG ? { key, value: distinctVersions(value) } : { key, value },
  );
  await ctx.db.write(async (tx) => {
    const row = await getLoggedModelRow(tx, modelId);
    await setTags(tx, row.id, tags);
    await recordChange(tx, ctx.clock(), "logged_model", modelId, "updated", row.experiment);
  }, 2 + tags.length);
  return {};
};

export const deleteLoggedModelTag: UseCase<"deleteLoggedModelTag"> = async (ctx, { modelId, tagKey }) => {
  await ctx.db.write(async (tx) => {
    const row = await getLoggedModelRow(tx, modelId);
    const deleted = await tx.run("DELETE FROM logged_model_tags WHERE model = ? AND key = ?", [
      row.id,
      tagKey,
    ]);
    if (deleted === 0) {
      throw new PlatformError(
        "RESOURCE_DOES_NOT_EXIST",
        `No tag with key '${tagKey}' found for model with ID '${modelId}'.`,
        { modelId, tagKey },
      );
    }
    await recordChange(tx, ctx.clock(), "logged_model", modelId, "updated", row.experiment);
  });
  return {};
};

/** The same value again is fine: a client may have lost the first answer. */
export const logLoggedModelParams: UseCase<"logLoggedModelParams"> = async (ctx, request) => {
  const { modelId } = request;
  const params = plainTexts(request.params);
  checkDistinctParams(params);
  await ctx.db.write(async (tx) => {
    const row = await getLoggedModelRow(tx, modelId);
    const before = params.length === 0 ? new Map<string, string>() : await loggedModelParams(tx, row.id);
    for (const { key, value } of params) {
      const old = before.get(key);
      if (old === undefined || old === value) continue;
      throw invalidParameter(
        `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old}' for model ID='${modelId}'. Attempted logging new value '${value}'.`,
        { modelId, key },
      );
    }
    const added = params.filter(({ key }) => !before.has(key));
    await insertLoggedModelParams(tx, row.id, added);
    await recordChange(tx, ctx.clock(), "logged_model", modelId, "updated", row.experiment);
  }, 2 + params.length);
  return {};
};
