import { recordChange } from "../../db/queries/changes.ts";
import {
  getActiveLoggedModel,
  getLoggedModelTag,
  setLoggedModelTags,
} from "../../db/queries/logged-models.ts";
import { insertVersion, readVersion } from "../../db/queries/model-versions.ts";
import { getRegisteredModel, touchRegisteredModel } from "../../db/queries/registered-models.ts";
import { MODEL_VERSIONS_TAG, withVersion } from "../../domain/logged-model.ts";
import { checkModelName, isPrompt, newTags, promptParts } from "../../domain/registry.ts";
import { tagsObject } from "../../domain/webhook-event.ts";
import type { UseCase } from "../handler.ts";
import { emitEvent } from "../webhook-outbox.ts";
import { resolvePromptSource, resolveSource } from "./version-source.ts";

export const createModelVersion: UseCase<"createModelVersion"> = async (ctx, request) => {
  const { name, description = "", runLink = "" } = request;
  checkModelName(name);
  const tags = newTags(request.tags);
  const prompt = isPrompt(tags);
  const resolved = prompt
    ? resolvePromptSource(ctx, request)
    : await ctx.db.read((reader) => resolveSource(ctx, reader, request));
  const modelId = prompt ? undefined : request.modelId;

  return ctx.db.write(async (tx) => {
    const model = await getRegisteredModel(tx, name);
    const now = ctx.clock();
    const row = await insertVersion(
      tx,
      model,
      {
        description,
        source: resolved.source,
        storage_location: resolved.storageLocation,
        run_id: resolved.runId,
        run_link: runLink,
      },
      tags,
      now,
    );
    await touchRegisteredModel(tx, model.id, now);
    const version = String(row.version);
    if (modelId) {
      const logged = await getActiveLoggedModel(tx, modelId);
      const listed = await getLoggedModelTag(tx, logged.id, MODEL_VERSIONS_TAG);
      await setLoggedModelTags(tx, logged.id, [
        { key: MODEL_VERSIONS_TAG, value: withVersion(listed, { name, version }) },
      ]);
      await recordChange(tx, now, "logged_model", modelId, "updated", logged.experiment);
    }
    await recordChange(tx, now, "model_version", `${name}/${version}`, "created");
    const told = { name, version, description: description || null };
    if (prompt) {
      const { text, tags: others } = promptParts(tags);
      await emitEvent(ctx, tx, {
        entity: "PROMPT_VERSION",
        action: "CREATED",
        data: { ...told, template: text, tags: tagsObject(others) },
      });
    } else {
      await emitEvent(ctx, tx, {
        entity: "MODEL_VERSION",
        action: "CREATED",
        data: { ...told, source: resolved.source, run_id: resolved.runId || null, tags: tagsObject(tags) },
      });
    }
    return { modelVersion: await readVersion(tx, row) };
  }, 4 + tags.length);
};
