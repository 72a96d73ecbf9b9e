import { invalidParameter } from "@millrace/contract";
import { checkArtifactLocation } from "../../domain/artifact-location.ts";
import { appendToUri } from "../../domain/artifact-uri.ts";
import { checkKey, checkLength } from "../../domain/keys.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { insertExperiment, setExperimentTags } from "../../db/queries/experiments.ts";
import type { UseCase } from "../handler.ts";

export const createExperiment: UseCase<"createExperiment"> = async (ctx, request) => {
  const { name } = request;
  if (name.trim() === "") throw invalidParameter("Invalid experiment name: it must not be blank.", { name });
  checkLength(name, "name", ctx.limits.experimentNameLengthMax);
  const tags = (request.tags ?? []).map(({ key, value }, index) => {
    checkKey(key ?? "", `tags[${index}].key`);
    checkLength(value, `tags[${index}].value`, ctx.limits.experimentTagValueLengthMax);
    return { key: key ?? "", value: value ?? "" };
  });
  const asked = request.artifactLocation;
  const location =
    asked === undefined || asked === ""
      ? undefined
      : checkArtifactLocation(asked, {
          workingDirectory: ctx.settings.workingDirectory,
          lengthMax: ctx.limits.artifactLocationLengthMax,
          ...ctx.settings.artifactHosts,
        });
  const id = await ctx.db.write(async (tx) => {
    const now = ctx.clock();
    const created = await insertExperiment(
      tx,
      name,
      (newId) => location ?? appendToUri(ctx.settings.defaultArtifactRoot, String(newId)),
      now,
    );
    await setExperimentTags(tx, created, tags);
    await recordChange(tx, now, "experiment", String(created), "created", created);
    return created;
  });
  return { experimentId: String(id) };
};
