import type { RegisteredModel, Tag } from "@millrace/contract";
import type { Text } from "../../domain/batch.ts";
import { IS_PROMPT_TAG, modelExists, noModel } from "../../domain/registry.ts";
import type { Reader, Transaction } from "../database.ts";
import { latestVersionsOf, readVersions } from "./model-versions.ts";
import { valuesList } from "./run-texts.ts";

export interface RegisteredModelRow {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly creation_time: number;
  readonly last_updated_time: number;
}

const MODELS_PER_STATEMENT = 250;
const TAGS_PER_STATEMENT = 100;

export async function findRegisteredModel(
  reader: Reader,
  name: string,
): Promise<RegisteredModelRow | undefined> {
  return reader.get<RegisteredModelRow>("SELECT * FROM registered_models WHERE name = ?", [name]);
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST */
export async function getRegisteredModel(reader: Reader, name: string): Promise<RegisteredModelRow> {
  const row = await findRegisteredModel(reader, name);
  if (row === undefined) throw noModel(name);
  return row;
}

/** @throws PlatformError RESOURCE_ALREADY_EXISTS */
export async function insertRegisteredModel(
  tx: Transaction,
  name: string,
  description: string | null,
  now: number,
): Promise<RegisteredModelRow> {
  const row = await tx.get<RegisteredModelRow>(
    "INSERT INTO registered_models (name, description, creation_time, last_updated_time) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING *",
    [name, description, now, now],
  );
  if (row === undefined) throw modelExists(name);
  return row;
}

/** Notes that a model's versions changed. */
export async function touchRegisteredModel(tx: Transaction, model: number, now: number): Promise<void> {
  await tx.run("UPDATE registered_models SET last_updated_time = ? WHERE id = ?", [now, model]);
}

/** @throws PlatformError RESOURCE_ALREADY_EXISTS when another model has the name */
export async function renameRegisteredModel(
  tx: Transaction,
  model: RegisteredModelRow,
  name: string,
  now: number,
): Promise<RegisteredModelRow> {
  if (name !== model.name && (await findRegisteredModel(tx, name)) !== undefined) throw modelExists(name);
  await tx.run("UPDATE registered_models SET name = ?, last_updated_time = ? WHERE id = ?", [
    name,
    now,
    model.id,
  ]);
  await tx.run(
    "UPDATE model_versions SET last_updated_time = ? WHERE model = ? AND stage <> 'Deleted_Internal'",
    [now, model.id],
  );
  return { ...model, name, last_updated_time: now };
}

/** Removes a model with everything that belongs to it. */
export async function removeRegisteredModel(tx: Transaction, model: number): Promise<void> {
  await tx.run(
    "DELETE FROM model_version_tags WHERE version IN (SELECT id FROM model_versions WHERE model = ?)",
    [model],
  );
  await tx.run("DELETE FROM model_versions WHERE model = ?", [model]);
  await tx.run("DELETE FROM registered_model_aliases WHERE model = ?", [model]);
  await tx.run("DELETE FROM registered_model_tags WHERE model = ?", [model]);
  await tx.run("DELETE FROM registered_models WHERE id = ?", [model]);
}

/** Sets tags, one per key. */
export async function setRegisteredModelTags(
  tx: Transaction,
  model: number,
  tags: readonly Text[],
): Promise<void> {
  for (let start = 0; start < tags.length; start += TAGS_PER_STATEMENT) {
    const part = tags.slice(start, start + TAGS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO registered_model_tags (model, key, value) VALUES ${valuesList(part.length, 3)} ON CONFLICT (model, key) DO UPDATE SET value = excluded.value`,
      part.flatMap(({ key, value }) => [model, key, value]),
    );
  }
}

export async function deleteRegisteredModelTag(tx: Transaction, model: number, key: string): Promise<void> {
  await tx.run("DELETE FROM registered_model_tags WHERE model = ? AND key = ?", [model, key]);
}

/** Whether a model is a prompt: a model with a tag that says so. */
export async function isPromptModel(reader: Reader, model: number): Promise<boolean> {
  const tag = await reader.get<{ value: string }>(
    "SELECT value FROM registered_model_tags WHERE model = ? AND key = ?",
    [model, IS_PROMPT_TAG],
  );
  return tag?.value.toLowerCase() === "true";
}

export async function setAlias(
  tx: Transaction,
  model: number,
  alias: string,
  version: number,
): Promise<void> {
  await tx.run(
    "INSERT INTO registered_model_aliases (model, alias, version) VALUES (?, ?, ?) ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
    [model, alias, version],
  );
}

export async function deleteAlias(tx: Transaction, model: number, alias: string): Promise<void> {
  await tx.run("DELETE FROM registered_model_aliases WHERE model = ? AND alias = ?", [model, alias]);
}

/** Whole models in the order of the rows: tags, aliases, and the latest version of each stage. */
export async function readRegisteredModels(
  reader: Reader,
  rows: readonly RegisteredModelRow[],
): Promise<RegisteredModel[]> {
  const models: RegisteredModel[] = [];
  for (let start = 0; start < rows.length; start += MODELS_PER_STATEMENT) {
    const part = rows.slice(start, start + MODELS_PER_STATEMENT);
    const ids = part.map(({ id }) => id);
    const marks = ids.map(() => "?").join(", ");
    const tags = Map.groupBy(
      await reader.all<{ model: number; key: string; value: string }>(
        `SELECT model, key, value FROM registered_model_tags WHERE model IN (${marks}) ORDER BY model, key`,
        ids,
      ),
      ({ model }) => model,
    );
    const aliases = Map.groupBy(
      await reader.all<{ model: number; alias: string; version: number }>(
        `SELECT model, alias, version FROM registered_model_aliases WHERE model IN (${marks}) ORDER BY model, alias`,
        ids,
      ),
      ({ model }) => model,
    );
    const latest = await latestVersionsOf(reader, ids);
    const versions = await readVersions(reader, latest, { aliases: false });
    const versionsOf = new Map<number, typeof versions>();
    latest.forEach(({ model }, index) => {
      const list = versionsOf.get(model);
      if (list === undefined) versionsOf.set(model, [versions[index]!]);
      else list.push(versions[index]!);
    });
    for (const row of part) {
      models.push({
        name: row.name,
        creationTimestamp: row.creation_time,
        lastUpdatedTimestamp: row.last_updated_time,
        // An empty description is not written, unlike a version's.
        description: row.description || undefined,
        latestVersions: versionsOf.get(row.id) ?? [],
        tags: (tags.get(row.id) ?? []).map(({ key, value }): Tag => ({ key, value })),
        aliases: (aliases.get(row.id) ?? []).map(({ alias, version }) => ({
          alias,
          version: String(version),
        })),
      });
    }
  }
  return models;
}
