import { recordChange } from "../../db/queries/changes.ts";
import {
  getRegisteredModel as getRow,
  insertRegisteredModel,
  readRegisteredModels,
  removeRegisteredModel,
  renameRegisteredModel as renameRow,
  setRegisteredModelTags,
} from "../../db/queries/registered-models.ts";
import { checkModelName, checkNewModelName, isPrompt, newTags, promptParts } from "../../domain/registry.ts";
import { tagsObject } from "../../domain/webhook-event.ts";
import type { UseCase } from "../handler.ts";
import { emitEvent } from "../webhook-outbox.ts";

export const createRegisteredModel: UseCase<"createRegisteredModel"> = async (ctx, request) => {
  const { name, description = "" } = request;
  checkNewModelName(name);
  const tags = newTags(request.tags);
  return ctx.db.write(async (tx) => {
    const now = ctx.clock();
    const row = await insertRegisteredModel(tx, name, description, now);
    await setRegisteredModelTags(tx, row.id, tags);
    await recordChange(tx, now, "registered_model", name, "created");
    const prompt = isPrompt(tags);
    const told = prompt ? promptParts(tags).tags : tags;
    await emitEvent(ctx, tx, {
      entity: prompt ? "PROMPT" : "REGISTERED_MODEL",
      action: "CREATED",
      data: { name, tags: tagsObject(told), description },
    });
    const [registeredModel] = await readRegisteredModels(tx, [row]);
    return { registeredModel };
  });
};

export const getRegisteredModel: UseCase<"getRegisteredModel"> = async (ctx, { name }) => {
  checkModelName(name);
  return ctx.db.read(async (reader) => {
    const [registeredModel] = await readRegisteredModels(reader, [await getRow(reader, name)]);
    return { registeredModel };
  });
};

/** An absent description clears the old one: that is the protocol. */
export const updateRegisteredModel: UseCase<"updateRegisteredModel"> = async (ctx, { name, description }) => {
  checkModelName(name);
  return ctx.db.write(async (tx) => {
    const before = await getRow(tx, name);
    const now = ctx.clock();
    const row = { ...before, description: description ?? null, last_updated_time: now };
    await tx.run("UPDATE registered_models SET description = ?, last_updated_time = ? WHERE id = ?", [
      row.description,
      now,
      row.id,
    ]);
    await recordChange(tx, now, "registered_model", name, "updated");
    const [registeredModel] = await readRegisteredModels(tx, [row]);
    return { registeredModel };
  });
};

export const renameRegisteredModel: UseCase<"renameRegisteredModel"> = async (ctx, { name, newName }) => {
  checkModelName(name);
  checkNewModelName(newName, "new_name");
  return ctx.db.write(async (tx) => {
    const now = ctx.clock();
    const row = await renameRow(tx, await getRow(tx, name), newName, now);
    await recordChange(tx, now, "registered_model", name, newName === name ? "updated" : "deleted");
    if (newName !== name) await recordChange(tx, now, "registered_model", newName, "created");
    const [registeredModel] = await readRegisteredModels(tx, [row]);
    return { registeredModel };
  });
};

/** Deletes for good, with every version, tag and alias. */
export const deleteRegisteredModel: UseCase<"deleteRegisteredModel"> = async (ctx, { name }) => {
  checkModelName(name);
  await ctx.db.write(async (tx) => {
    await removeRegisteredModel(tx, (await getRow(tx, name)).id);
    await recordChange(tx, ctx.clock(), "registered_model", name, "deleted");
  });
  return {};
};
