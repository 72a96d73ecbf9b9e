import { type Experiment, invalidParameter, PlatformError } from "@millrace/contract";
import type { Reader, SqlValue, Transaction } from "../database.ts";

export interface ExperimentRow {
  readonly id: number;
  readonly name: string;
  readonly artifact_location: string;
  readonly deleted: number;
  readonly creation_time: number;
  readonly last_update_time: number;
}

/** @throws PlatformError INVALID_PARAMETER_VALUE when the text is no whole number */
export function experimentKey(experimentId: string): number {
  const id = /^\d{1,15}$/.test(experimentId) ? Number(experimentId) : Number.NaN;
  if (Number.isNaN(id)) {
    throw invalidParameter(
      `Invalid experiment ID '${experimentId}'. Experiment ID must be a valid integer.`,
      {
        experimentId,
      },
    );
  }
  return id;
}

export function noExperiment(experimentId: string | number): PlatformError {
  return new PlatformError("RESOURCE_DOES_NOT_EXIST", `No Experiment with id=${experimentId} exists`, {
    experimentId: String(experimentId),
  });
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST */
export async function getExperiment(reader: Reader, experimentId: string): Promise<ExperimentRow> {
  const id = experimentKey(experimentId);
  const row = await reader.get<ExperimentRow>("SELECT * FROM experiments WHERE id = ?", [id]);
  if (row === undefined) throw noExperiment(experimentId);
  return row;
}

/** The experiment, if it may be written to. */
export async function getActiveExperiment(reader: Reader, experimentId: string): Promise<ExperimentRow> {
  const row = await getExperiment(reader, experimentId);
  if (row.deleted !== 0) {
    throw invalidParameter(
      `The experiment ${experimentId} must be in the 'active' state. Current state is deleted.`,
      { experimentId },
    );
  }
  return row;
}

export async function findExperimentByName(reader: Reader, name: string): Promise<ExperimentRow | undefined> {
  return reader.get<ExperimentRow>("SELECT * FROM experiments WHERE name = ?", [name]);
}

/**
 * Row ids of those experiments that exist, each once.
 * @throws PlatformError INVALID_PARAMETER_VALUE for an id that is no whole number
 */
export async function existingExperiments(
  reader: Reader,
  experimentIds: readonly string[],
): Promise<number[]> {
  const asked = [...new Set(experimentIds.map(experimentKey))];
  if (asked.length <= 1) return asked;
  const found: number[] = [];
  for (let start = 0; start < asked.length; start += 500) {
    const part = asked.slice(start, start + 500);
    const rows = await reader.rows(
      `SELECT id FROM experiments WHERE id IN (${part.map(() => "?").join(", ")})`,
      part,
    );
    for (const [id] of rows) found.push(id as number);
  }
  return found;
}

/** Adds tags to rows; one query for all of them. */
export async function withTags(reader: Reader, rows: readonly ExperimentRow[]): Promise<Experiment[]> {
  const tags = new Map<number, { key: string; value: string }[]>();
  for (let start = 0; start < rows.length; start += 500) {
    const ids = rows.slice(start, start + 500).map((row) => row.id);
    const found = await reader.all<{ experiment: number; key: string; value: string }>(
      `SELECT experiment, key, value FROM experiment_tags WHERE experiment IN (${ids.map(() => "?").join(", ")}) ORDER BY experiment, key`,
      ids,
    );
    for (const { experiment, key, value } of found) {
      const list = tags.get(experiment);
      if (list === undefined) tags.set(experiment, [{ key, value }]);
      else list.push({ key, value });
    }
  }
  return rows.map((row) => ({
    experimentId: String(row.id),
    name: row.name,
    artifactLocation: row.artifact_location,
    lifecycleStage: row.deleted === 0 ? "active" : "deleted",
    lastUpdateTime: row.last_update_time,
    creationTime: row.creation_time,
    tags: tags.get(row.id) ?? [],
    workspace: "default",
  }));
}

/**
 * Adds an experiment; `location` is told the new id.
 * @throws PlatformError RESOURCE_ALREADY_EXISTS when the name is taken, by a deleted experiment too
 */
export async function insertExperiment(
  tx: Transaction,
  name: string,
  location: (id: number) => string,
  now: number,
  id?: number,
): Promise<number> {
  if ((await findExperimentByName(tx, name)) !== undefined) {
    throw new PlatformError(
      "RESOURCE_ALREADY_EXISTS",
      `Experiment(name=${name}) already exists. A deleted experiment keeps its name: restore it, or choose another name.`,
      { name },
    );
  }
  const columns = id === undefined ? "" : "id, ";
  const values: SqlValue[] = id === undefined ? [name, now, now] : [id, name, now, now];
  const row = await tx.get<{ id: number }>(
    `INSERT INTO experiments (${columns}name, artifact_location, deleted, creation_time, last_update_time) VALUES (${id === undefined ? "" : "?, "}?, '', 0, ?, ?) RETURNING id`,
    values,
  );
  await tx.run("UPDATE experiments SET artifact_location = ? WHERE id = ?", [location(row!.id), row!.id]);
  return row!.id;
}

export async function setExperimentTags(
  tx: Transaction,
  experiment: number,
  tags: readonly { readonly key: string; readonly value: string }[],
): Promise<void> {
  for (const { key, value } of tags) {
    await tx.run(
      "INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?) ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value",
      [experiment, key, value],
    );
  }
}
