/** Tags of model versions. They leave last updates as they are. */
import { recordChange } from "../../db/queries/changes.ts";
import { deleteVersionTag, getVersion, setVersionTags } from "../../db/queries/model-versions.ts";
import { isPromptModel } from "../../db/queries/registered-models.ts";
import { checkKey } from "../../domain/keys.ts";
import { checkModelName, checkRegistryTag, versionNumber } from "../../domain/registry.ts";
import type { UseCase } from "../handler.ts";
import { emitEvent } from "../webhook-outbox.ts";

export const setModelVersionTag: UseCase<"setModelVersionTag"> = async (ctx, request) => {
  const { name, version, key, value = "" } = request;
  checkModelName(name);
  const number = versionNumber(version);
  checkRegistryTag(key, value);
  await ctx.db.write(async (tx) => {
    const row = await getVersion(tx, name, number);
    await setVersionTags(tx, row.id, [{ key, value }]);
    await recordChange(tx, ctx.clock(), "model_version", `${name}/${row.version}`, "updated");
    await emitEvent(ctx, tx, {
      entity: (await isPromptModel(tx, row.model)) ? "PROMPT_VERSION_TAG" : "MODEL_VERSION_TAG",
      action: "SET",
      data: { name, version, key, value },
    });
  });
  return {};
};

/** A tag that is not there may be deleted, too. */
export const deleteModelVersionTag: UseCase<"deleteModelVersionTag"> = async (
  ctx,
  { name, version, key },
) => {
  checkModelName(name);
  const number = versionNumber(version);
  checkKey(key);
  await ctx.db.write(async (tx) => {
    const row = await getVersion(tx, name, number);
    await deleteVersionTag(tx, row.id, key);
    await recordChange(tx, ctx.clock(), "model_version", `${name}/${row.version}`, "updated");
    await emitEvent(ctx, tx, {
      entity: (await isPromptModel(tx, row.model)) ? "PROMPT_VERSION_TAG" : "MODEL_VERSION_TAG",
      action: "DELETED",
      data: { name, version, key },
    });
  });
  return {};
};
