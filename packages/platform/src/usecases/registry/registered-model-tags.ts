/** Tags of registered models. They leave the model's last update as it is. */
import type { Context } from "../../context.ts";
import type { Transaction } from "../../db/database.ts";
import { recordChange } from "../../db/queries/changes.ts";
import {
  deleteRegisteredModelTag as removeTag,
  getRegisteredModel,
  isPromptModel,
  setRegisteredModelTags,
} from "../../db/queries/registered-models.ts";
import { checkKey } from "../../domain/keys.ts";
import { checkModelName, checkRegistryTag } from "../../domain/registry.ts";
import type { UseCase } from "../handler.ts";
import { emitEvent } from "../webhook-outbox.ts";

export const setRegisteredModelTag: UseCase<"setRegisteredModelTag"> = async (
  ctx,
  { name, key, value = "" },
) => {
  checkModelName(name);
  checkRegistryTag(key, value);
  await ctx.db.write(async (tx) => {
    const { id } = await getRegisteredModel(tx, name);
    await setRegisteredModelTags(tx, id, [{ key, value }]);
    await recordChange(tx, ctx.clock(), "registered_model", name, "updated");
    await tellOfPrompt(ctx, tx, id, "SET", { name, key, value });
  });
  return {};
};

/** A tag that is not there may be deleted, too. */
export const deleteRegisteredModelTag: UseCase<"deleteRegisteredModelTag"> = async (ctx, { name, key }) => {
  checkModelName(name);
  checkKey(key);
  await ctx.db.write(async (tx) => {
    const { id } = await getRegisteredModel(tx, name);
    await removeTag(tx, id, key);
    await recordChange(tx, ctx.clock(), "registered_model", name, "updated");
    await tellOfPrompt(ctx, tx, id, "DELETED", { name, key });
  });
  return {};
};

/** Only prompts have events for tags of the whole. */
async function tellOfPrompt(
  ctx: Context,
  tx: Transaction,
  model: number,
  action: "SET" | "DELETED",
  data: Readonly<Record<string, string>>,
): Promise<void> {
  if (await isPromptModel(tx, model)) await emitEvent(ctx, tx, { entity: "PROMPT_TAG", action, data });
}
