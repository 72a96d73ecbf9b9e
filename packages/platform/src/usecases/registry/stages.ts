/** Stages, the older way to say what a version is for. */
import { stages } from "@millrace/contract";
import { recordChange } from "../../db/queries/changes.ts";
import { getVersion, latestVersionsOf, readVersion, readVersions } from "../../db/queries/model-versions.ts";
import { getRegisteredModel, touchRegisteredModel } from "../../db/queries/registered-models.ts";
import { canonicalStage, checkArchiving, checkModelName, versionNumber } from "../../domain/registry.ts";
import type { UseCase } from "../handler.ts";

export const getLatestVersions: UseCase<"getLatestVersions"> = async (ctx, request) => {
  checkModelName(request.name);
  const asked = request.stages ?? [];
  const wanted = asked.length === 0 ? stages : [...new Set(asked.map(canonicalStage))];
  return ctx.db.read(async (reader) => {
    const { id } = await getRegisteredModel(reader, request.name);
    const rows = await latestVersionsOf(reader, [id], wanted);
    return { modelVersions: await readVersions(reader, rows, { aliases: true }) };
  });
};

export const transitionModelVersionStage: UseCase<"transitionModelVersionStage"> = async (ctx, request) => {
  const { name, archiveExistingVersions } = request;
  checkModelName(name);
  const number = versionNumber(request.version);
  const stage = canonicalStage(request.stage);
  if (archiveExistingVersions) checkArchiving(stage, request.stage);
  return ctx.db.write(async (tx) => {
    const before = await getVersion(tx, name, number);
    const now = ctx.clock();
    if (archiveExistingVersions) {
      const archived = await tx.all<{ version: number }>(
        "UPDATE model_versions SET stage = 'Archived', last_updated_time = ? WHERE model = ? AND stage = ? AND version <> ? RETURNING version",
        [now, before.model, stage, before.version],
      );
      for (const { version } of archived) {
        await recordChange(tx, now, "model_version", `${name}/${version}`, "updated");
      }
    }
    const row = { ...before, stage, last_updated_time: now };
    await tx.run("UPDATE model_versions SET stage = ?, last_updated_time = ? WHERE id = ?", [
      stage,
      now,
      row.id,
    ]);
    await touchRegisteredModel(tx, row.model, now);
    await recordChange(tx, now, "model_version", `${name}/${row.version}`, "updated");
    return { modelVersion: await readVersion(tx, row) };
  });
};
