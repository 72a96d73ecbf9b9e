/** Aliases: names that point to one version of a model and may move. */
import { PlatformError } from "@millrace/contract";
import { recordChange } from "../../db/queries/changes.ts";
import { findAliased, findHighestVersion, getVersion, readVersion } from "../../db/queries/model-versions.ts";
import {
  deleteAlias as removeAlias,
  getRegisteredModel,
  isPromptModel,
  setAlias as moveAlias,
} from "../../db/queries/registered-models.ts";
import {
  checkAlias,
  checkModelName,
  checkNewAlias,
  LATEST_ALIAS,
  noAlias,
  noModel,
  versionNumber,
} from "../../domain/registry.ts";
import type { UseCase } from "../handler.ts";
import { emitEvent } from "../webhook-outbox.ts";

export const setAlias: UseCase<"setAlias"> = async (ctx, { name, alias, version }) => {
  checkModelName(name);
  checkNewAlias(alias);
  const number = versionNumber(version);
  await ctx.db.write(async (tx) => {
    const row = await getVersion(tx, name, number);
    await moveAlias(tx, row.model, alias, row.version);
    await recordChange(tx, ctx.clock(), "model_version", `${name}/${row.version}`, "updated");
    await emitEvent(ctx, tx, {
      entity: (await isPromptModel(tx, row.model)) ? "PROMPT_ALIAS" : "MODEL_VERSION_ALIAS",
      action: "CREATED",
      data: { name, alias, version },
    });
  });
  return {};
};

/** An alias that is not there may be deleted, too. */
export const deleteAlias: UseCase<"deleteAlias"> = async (ctx, { name, alias }) => {
  checkModelName(name);
  checkAlias(alias);
  await ctx.db.write(async (tx) => {
    const { id } = await getRegisteredModel(tx, name);
    await removeAlias(tx, id, alias);
    await recordChange(tx, ctx.clock(), "registered_model", name, "updated");
    await emitEvent(ctx, tx, {
      entity: (await isPromptModel(tx, id)) ? "PROMPT_ALIAS" : "MODEL_VERSION_ALIAS",
      action: "DELETED",
      data: { name, alias },
    });
  });
  return {};
};

/** What services ask before every load of a model: one joined statement, and two for tags and aliases. */
export const getModelVersionByAlias: UseCase<"getModelVersionByAlias"> = async (ctx, { name, alias }) => {
  checkModelName(name);
  checkAlias(alias);
  return ctx.db.read(async (reader) => {
    const found = await findAliased(reader, name, alias);
    if (found === undefined) throw noModel(name);
    let { row } = found;
    if (row === undefined && alias.toLowerCase() === LATEST_ALIAS) {
      row = await findHighestVersion(reader, found.known);
      if (row === undefined) {
        throw new PlatformError("RESOURCE_DOES_NOT_EXIST", `Latest version not found for model ${name}.`, {
          name,
        });
      }
    }
    if (row === undefined) throw noAlias(name, alias);
    return { modelVersion: await readVersion(reader, row) };
  });
};
