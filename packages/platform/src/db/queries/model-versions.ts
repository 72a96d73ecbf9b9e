import { type ModelVersion, type Stage, stages, type Tag } from "@millrace/contract";
import type { Text } from "../../domain/batch.ts";
import { DELETED_STAGE, noVersion } from "../../domain/registry.ts";
import type { Reader, Transaction } from "../database.ts";
import { valuesList } from "./run-texts.ts";

export interface ModelVersionRow {
  readonly id: number;
  readonly model: number;
  /** Of the model. */
  readonly name: string;
  readonly version: number;
  readonly creation_time: number;
  readonly last_updated_time: number;
  readonly description: string | null;
  readonly user_id: string | null;
  readonly stage: string;
  readonly source: string | null;
  readonly storage_location: string | null;
  readonly run_id: string | null;
  readonly run_link: string | null;
  readonly status: number;
  readonly status_message: string | null;
}

/** Columns of a `ModelVersionRow`, where versions are `v` and their models `m`. */
export const versionColumns =
  "v.id, v.model, m.name, v.version, v.creation_time, v.last_updated_time, v.description, v.user_id, v.stage, v.source, v.storage_location, v.run_id, v.run_link, v.status, v.status_message";

const READY = 3;
const ROWS_PER_STATEMENT = 250;
const TAGS_PER_STATEMENT = 100;

const findSql = `SELECT ${versionColumns} FROM registered_models m JOIN model_versions v ON v.model = m.id WHERE m.name = ? AND v.version = ? AND v.stage <> '${DELETED_STAGE}'`;

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST, for an unknown model too */
export async function getVersion(reader: Reader, name: string, version: number): Promise<ModelVersionRow> {
  const row = await reader.get<ModelVersionRow>(findSql, [name, version]);
  if (row === undefined) throw noVersion(name, version);
  return row;
}

/** What an alias points to. `model` is null for an unknown model, `version` for an unknown alias. */
export type AliasedRow =
  | { readonly known: number; readonly row: undefined }
  | { readonly known: number; readonly row: ModelVersionRow };

const aliasSql = `SELECT m.id AS known, ${versionColumns} FROM registered_models m
  LEFT JOIN registered_model_aliases a ON a.model = m.id AND a.alias = ?
  LEFT JOIN model_versions v ON v.model = m.id AND v.version = a.version AND v.stage <> '${DELETED_STAGE}'
  WHERE m.name = ?`;

/** The version behind an alias; undefined for an unknown model. */
export async function findAliased(
  reader: Reader,
  name: string,
  alias: string,
): Promise<AliasedRow | undefined> {
  const row = await reader.get<ModelVersionRow & { readonly known: number }>(aliasSql, [alias, name]);
  if (row === undefined) return undefined;
  return { known: row.known, row: (row.id as number | null) === null ? undefined : row };
}

/** The highest version of a model, if it has any. */
export async function findHighestVersion(
  reader: Reader,
  model: number,
): Promise<ModelVersionRow | undefined> {
  return reader.get<ModelVersionRow>(
    `SELECT ${versionColumns} FROM model_versions v JOIN registered_models m ON m.id = v.model WHERE v.model = ? AND v.stage <> '${DELETED_STAGE}' ORDER BY v.version DESC LIMIT 1`,
    [model],
  );
}

/**
 * The highest version of each stage, of each model; by model and version. Each is one look into the index on
 * (model, stage, version), however many versions there are.
 */
export async function latestVersionsOf(
  reader: Reader,
  models: readonly number[],
  wanted: readonly Stage[] = stages,
): Promise<ModelVersionRow[]> {
  if (models.length === 0 || wanted.length === 0) return [];
  return reader.all<ModelVersionRow>(
    `WITH wanted (stage) AS (VALUES ${valuesList(wanted.length, 1)})
     SELECT ${versionColumns} FROM registered_models m CROSS JOIN wanted w
     JOIN model_versions v ON v.model = m.id AND v.version = (SELECT max(x.version) FROM model_versions x WHERE x.model = m.id AND x.stage = w.stage)
     WHERE m.id IN (${models.map(() => "?").join(", ")}) ORDER BY v.model, v.version`,
    [...wanted, ...models],
  );
}

/** The next free number; those of deleted versions stay taken. */
async function nextVersion(tx: Transaction, model: number): Promise<number> {
  const row = await tx.get<{ last: number | null }>(
    "SELECT max(version) AS last FROM model_versions WHERE model = ?",
    [model],
  );
  return (row?.last ?? 0) + 1;
}

export type NewVersion = Pick<
  ModelVersionRow,
  "description" | "source" | "storage_location" | "run_id" | "run_link"
>;

/** Adds a version under the next number. */
export async function insertVersion(
  tx: Transaction,
  model: { readonly id: number; readonly name: string },
  version: NewVersion,
  tags: readonly Text[],
  now: number,
): Promise<ModelVersionRow> {
  const number = await nextVersion(tx, model.id);
  const row = await tx.get<Omit<ModelVersionRow, "name">>(
    "INSERT INTO model_versions (model, version, creation_time, last_updated_time, description, stage, source, storage_location, run_id, run_link, status) VALUES (?, ?, ?, ?, ?, 'None', ?, ?, ?, ?, ?) RETURNING *",
    [
      model.id,
      number,
      now,
      now,
      version.description,
      version.source,
      version.storage_location,
      version.run_id,
      version.run_link,
      READY,
    ],
  );
  const added = { ...row!, name: model.name };
  await setVersionTags(tx, added.id, tags);
  return added;
}

/** Sets tags, one per key. */
export async function setVersionTags(tx: Transaction, version: number, tags: readonly Text[]): Promise<void> {
  for (let start = 0; start < tags.length; start += TAGS_PER_STATEMENT) {
    const part = tags.slice(start, start + TAGS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO model_version_tags (version, key, value) VALUES ${valuesList(part.length, 3)} ON CONFLICT (version, key) DO UPDATE SET value = excluded.value`,
      part.flatMap(({ key, value }) => [version, key, value]),
    );
  }
}

export async function deleteVersionTag(tx: Transaction, version: number, key: string): Promise<void> {
  await tx.run("DELETE FROM model_version_tags WHERE version = ? AND key = ?", [version, key]);
}

/** Marks a version deleted: its number stays taken and its tags stay, what tells of its origin goes. */
export async function redactVersion(tx: Transaction, row: ModelVersionRow, now: number): Promise<void> {
  await tx.run("DELETE FROM registered_model_aliases WHERE model = ? AND version = ?", [
    row.model,
    row.version,
  ]);
  await tx.run(
    `UPDATE model_versions SET stage = '${DELETED_STAGE}', last_updated_time = ?, description = NULL, user_id = NULL, source = NULL, storage_location = NULL, run_id = NULL, run_link = NULL, status_message = NULL WHERE id = ?`,
    [now, row.id],
  );
}

/** A row as the protocol writes it. Empty texts are written, nulls are not. */
function versionEntity(row: ModelVersionRow, tags: readonly Tag[], aliases: readonly string[]): ModelVersion {
  return {
    name: row.name,
    version: String(row.version),
    creationTimestamp: row.creation_time,
    lastUpdatedTimestamp: row.last_updated_time,
    userId: row.user_id ?? undefined,
    currentStage: row.stage,
    description: row.description ?? undefined,
    source: row.source ?? undefined,
    runId: row.run_id ?? undefined,
    status: "READY",
    statusMessage: row.status_message ?? undefined,
    tags,
    runLink: row.run_link ?? undefined,
    aliases,
  };
}

const tagsSql = "SELECT key, value FROM model_version_tags WHERE version = ? ORDER BY key";
const aliasesSql =
  "SELECT alias FROM registered_model_aliases WHERE model = ? AND version = ? ORDER BY alias";

/** One whole version, with its aliases. */
export async function readVersion(reader: Reader, row: ModelVersionRow): Promise<ModelVersion> {
  const tags = await reader.all<{ key: string; value: string }>(tagsSql, [row.id]);
  const aliases = await reader.all<{ alias: string }>(aliasesSql, [row.model, row.version]);
  return versionEntity(
    row,
    tags,
    aliases.map(({ alias }) => alias),
  );
}

/** Whole versions in the order of the rows. Only some answers carry aliases. */
export async function readVersions(
  reader: Reader,
  rows: readonly ModelVersionRow[],
  options: { readonly aliases: boolean },
): Promise<ModelVersion[]> {
  const found: ModelVersion[] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const part = rows.slice(start, start + ROWS_PER_STATEMENT);
    const ids = part.map(({ id }) => id);
    const tags = Map.groupBy(
      await reader.all<{ version: number; key: string; value: string }>(
        `SELECT version, key, value FROM model_version_tags WHERE version IN (${ids.map(() => "?").join(", ")}) ORDER BY version, key`,
        ids,
      ),
      ({ version }) => version,
    );
    const models = options.aliases ? [...new Set(part.map(({ model }) => model))] : [];
    const aliases =
      models.length === 0
        ? []
        : await reader.all<{ model: number; version: number; alias: string }>(
            `SELECT model, version, alias FROM registered_model_aliases WHERE model IN (${models.map(() => "?").join(", ")}) ORDER BY model, alias`,
            models,
          );
    const aliasesOf = Map.groupBy(aliases, ({ model, version }) => `${model}/${version}`);
    for (const row of part) {
      found.push(
        versionEntity(
          row,
          (tags.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
          (aliasesOf.get(`${row.model}/${row.version}`) ?? []).map(({ alias }) => alias),
        ),
      );
    }
  }
  return found;
}
