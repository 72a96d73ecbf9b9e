/** Logged models, their texts, and the metrics that runs logged for them. */
import {
  type LoggedModel,
  loggedModelStatuses,
  type LoggedModelStatus,
  type Metric,
  PlatformError,
  type Tag,
} from "@millrace/contract";
import type { NewPoint, Text } from "../../domain/batch.ts";
import { storedValue } from "../../domain/series.ts";
import type { Reader, SqlValue, Transaction } from "../database.ts";
import { valuesList } from "./run-texts.ts";
import type { RunKey } from "./runs.ts";

export interface LoggedModelRow {
  readonly id: number;
  readonly model_id: string;
  readonly experiment: number;
  readonly name: string;
  readonly artifact_location: string;
  readonly creation_time: number;
  readonly last_updated_time: number;
  readonly status: number;
  readonly status_message: string | null;
  readonly model_type: string | null;
  readonly source_run_id: string | null;
  readonly deleted: number;
}

const ROWS_PER_STATEMENT = 100;
const MODELS_PER_STATEMENT = 250;

const statusNames = new Map<number, LoggedModelStatus>(
  Object.entries(loggedModelStatuses).map(([name, number]) => [number, name as LoggedModelStatus]),
);

export function noLoggedModel(modelId: string): PlatformError {
  return new PlatformError("RESOURCE_DOES_NOT_EXIST", `Logged model with ID '${modelId}' not found.`, {
    modelId,
  });
}

export async function findLoggedModel(reader: Reader, modelId: string): Promise<LoggedModelRow | undefined> {
  return reader.get<LoggedModelRow>("SELECT * FROM logged_models WHERE model_id = ?", [modelId]);
}

/**
 * A logged model, deleted or not: what writes to one does not ask.
 * @throws PlatformError RESOURCE_DOES_NOT_EXIST
 */
export async function getLoggedModelRow(reader: Reader, modelId: string): Promise<LoggedModelRow> {
  const row = await findLoggedModel(reader, modelId);
  if (row === undefined) throw noLoggedModel(modelId);
  return row;
}

/** @throws PlatformError RESOURCE_DOES_NOT_EXIST, for a deleted one too */
export async function getActiveLoggedModel(reader: Reader, modelId: string): Promise<LoggedModelRow> {
  const row = await getLoggedModelRow(reader, modelId);
  if (row.deleted !== 0) throw noLoggedModel(modelId);
  return row;
}

export async function insertLoggedModel(
  tx: Transaction,
  row: Omit<LoggedModelRow, "id" | "deleted" | "status_message">,
): Promise<LoggedModelRow> {
  const added = await tx.get<LoggedModelRow>(
    "INSERT INTO logged_models (model_id, experiment, name, artifact_location, creation_time, last_updated_time, status, model_type, source_run_id, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING *",
    [
      row.model_id,
      row.experiment,
      row.name,
      row.artifact_location,
      row.creation_time,
      row.last_updated_time,
      row.status,
      row.model_type,
      row.source_run_id,
    ],
  );
  return added!;
}

async function insertTexts(
  tx: Transaction,
  table: "logged_model_params" | "logged_model_tags",
  tail: string,
  model: number,
  texts: readonly Text[],
): Promise<void> {
  for (let start = 0; start < texts.length; start += ROWS_PER_STATEMENT) {
    const part = texts.slice(start, start + ROWS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO ${table} (model, key, value) VALUES ${valuesList(part.length, 3)}${tail}`,
      part.flatMap(({ key, value }) => [model, key, value]),
    );
  }
}

/** Sets tags, one per key. */
export async function setLoggedModelTags(
  tx: Transaction,
  model: number,
  tags: readonly Text[],
): Promise<void> {
  await insertTexts(
    tx,
    "logged_model_tags",
    " ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
    model,
    tags,
  );
}

export async function getLoggedModelTag(
  reader: Reader,
  model: number,
  key: string,
): Promise<string | undefined> {
  const row = await reader.get<{ value: string }>(
    "SELECT value FROM logged_model_tags WHERE model = ? AND key = ?",
    [model, key],
  );
  return row?.value;
}

export async function loggedModelParams(reader: Reader, model: number): Promise<Map<string, string>> {
  const rows = await reader.all<{ key: string; value: string }>(
    "SELECT key, value FROM logged_model_params WHERE model = ?",
    [model],
  );
  return new Map(rows.map(({ key, value }) => [key, value]));
}

/** Adds params that the model does not have yet. */
export async function insertLoggedModelParams(
  tx: Transaction,
  model: number,
  params: readonly Text[],
): Promise<void> {
  await insertTexts(tx, "logged_model_params", "", model, params);
}

/**
 * Links points of a run to the logged models that they name; what was linked already stays as it is.
 * @throws PlatformError BAD_REQUEST when a model does not exist
 */
export async function addModelMetrics(
  tx: Transaction,
  run: Pick<RunKey, "run_id">,
  points: readonly NewPoint[],
): Promise<void> {
  const models = new Map<string, Pick<LoggedModelRow, "id" | "experiment">>();
  const rows: SqlValue[][] = [];
  for (const { key, value, timestamp, step, modelId, datasetName, datasetDigest } of points) {
    if (modelId === undefined || modelId === "") continue;
    let model = models.get(modelId);
    if (model === undefined) {
      model = await tx.get<Pick<LoggedModelRow, "id" | "experiment">>(
        "SELECT id, experiment FROM logged_models WHERE model_id = ?",
        [modelId],
      );
      if (model === undefined) {
        throw new PlatformError(
          "BAD_REQUEST",
          `The metric '${key}' names the logged model '${modelId}', which does not exist. Create the model first, or log the metric without model_id.`,
          { modelId, key },
        );
      }
      models.set(modelId, model);
    }
    const isNan = Number.isNaN(value);
    rows.push([
      model.id,
      key,
      timestamp,
      step ?? 0,
      run.run_id,
      isNan ? 0 : storedValue(value),
      isNan ? 1 : 0,
      model.experiment,
      datasetName || null,
      datasetDigest || null,
    ]);
  }
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const part = rows.slice(start, start + ROWS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO logged_model_metrics (model, key, time, step, run_id, value, nan, experiment, dataset_name, dataset_digest) VALUES ${valuesList(part.length, 10)} ON CONFLICT DO NOTHING`,
      part.flat(),
    );
  }
}

/** Whole logged models in the order of the rows: tags, params and linked metrics; a bounded number of statements. */
export async function readLoggedModels(
  reader: Reader,
  rows: readonly LoggedModelRow[],
): Promise<LoggedModel[]> {
  const models: LoggedModel[] = [];
  for (let start = 0; start < rows.length; start += MODELS_PER_STATEMENT) {
    const part = rows.slice(start, start + MODELS_PER_STATEMENT);
    const ids = part.map(({ id }) => id);
    const marks = ids.map(() => "?").join(", ");
    const modelIds = new Map(part.map((row) => [row.id, row.model_id]));
    const tags = texts(
      await reader.rows(
        `SELECT model, key, value FROM logged_model_tags WHERE model IN (${marks}) ORDER BY model, key`,
        ids,
      ),
    );
    const params = texts(
      await reader.rows(
        `SELECT model, key, value FROM logged_model_params WHERE model IN (${marks}) ORDER BY model, key`,
        ids,
      ),
    );
    const metrics = new Map<number, Metric[]>();
    const found = await reader.rows(
      `SELECT model, key, value, nan, time, step, dataset_name, dataset_digest, run_id FROM logged_model_metrics WHERE model IN (${marks}) ORDER BY model, key, time, step, run_id, id`,
      ids,
    );
    for (const [model, key, value, nan, time, step, datasetName, datasetDigest, runId] of found) {
      push(metrics, model as number, {
        key: key as string,
        value: nan === 0 ? (value as number) : Number.NaN,
        timestamp: time as number,
        step: step as number | bigint,
        datasetName: (datasetName as string | null) ?? undefined,
        datasetDigest: (datasetDigest as string | null) ?? undefined,
        modelId: modelIds.get(model as number),
        runId: runId as string,
      });
    }
    for (const row of part) {
      models.push({
        info: {
          modelId: row.model_id,
          experimentId: String(row.experiment),
          name: row.name,
          creationTimestampMs: row.creation_time,
          lastUpdatedTimestampMs: row.last_updated_time,
          artifactUri: row.artifact_location,
          status: statusNames.get(row.status) ?? "LOGGED_MODEL_STATUS_UNSPECIFIED",
          modelType: row.model_type ?? "",
          sourceRunId: row.source_run_id ?? "",
          statusMessage: row.status_message ?? undefined,
          tags: tags.get(row.id) ?? [],
        },
        data: { params: params.get(row.id) ?? [], metrics: metrics.get(row.id) ?? [] },
      });
    }
  }
  return models;
}

function texts(rows: readonly SqlValue[][]): Map<number, Tag[]> {
  const found = new Map<number, Tag[]>();
  for (const [model, key, value] of rows) {
    push(found, model as number, { key: key as string, value: value as string });
  }
  return found;
}

function push<T>(lists: Map<number, T[]>, model: number, item: T): void {
  const list = lists.get(model);
  if (list === undefined) lists.set(model, [item]);
  else list.push(item);
}
