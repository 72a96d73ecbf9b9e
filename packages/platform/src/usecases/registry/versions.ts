import { recordChange } from "../../db/queries/changes.ts";
import { getVersion, readVersion, redactVersion } from "../../db/queries/model-versions.ts";
import { touchRegisteredModel } from "../../db/queries/registered-models.ts";
import { checkModelName, versionNumber } from "../../domain/registry.ts";
import type { UseCase } from "../handler.ts";

export const getModelVersion: UseCase<"getModelVersion"> = async (ctx, { name, version }) => {
  checkModelName(name);
  const number = versionNumber(version);
  return ctx.db.read(async (reader) => ({
    modelVersion: await readVersion(reader, await getVersion(reader, name, number)),
  }));
};

/** An absent description clears the old one: that is the protocol. */
export const updateModelVersion: UseCase<"updateModelVersion"> = async (
  ctx,
  { name, version, description },
) => {
  checkModelName(name);
  const number = versionNumber(version);
  return ctx.db.write(async (tx) => {
    const before = await getVersion(tx, name, number);
    const now = ctx.clock();
    const row = { ...before, description: description ?? null, last_updated_time: now };
    await tx.run("UPDATE model_versions SET description = ?, last_updated_time = ? WHERE id = ?", [
      row.description,
      now,
      row.id,
    ]);
    await recordChange(tx, now, "model_version", `${name}/${row.version}`, "updated");
    return { modelVersion: await readVersion(tx, row) };
  });
};

/** The version is gone for readers, with its aliases; its number stays taken. */
export const deleteModelVersion: UseCase<"deleteModelVersion"> = async (ctx, { name, version }) => {
  checkModelName(name);
  const number = versionNumber(version);
  await ctx.db.write(async (tx) => {
    const row = await getVersion(tx, name, number);
    const now = ctx.clock();
    await redactVersion(tx, row, now);
    await touchRegisteredModel(tx, row.model, now);
    await recordChange(tx, now, "model_version", `${name}/${row.version}`, "deleted");
  });
  return {};
};

export const getModelVersionDownloadUri: UseCase<"getModelVersionDownloadUri"> = async (
  ctx,
  { name, version },
) => {
  checkModelName(name);
  const number = versionNumber(version);
  const row = await ctx.db.read((reader) => getVersion(reader, name, number));
  return { artifactUri: row.storage_location || (row.source ?? undefined) };
};
