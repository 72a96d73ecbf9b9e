/** Data sets and models that runs read, and models that they made. */
import {
  type DatasetInput,
  type DatasetSummary,
  type Int64,
  type ModelInput,
  type ModelOutput,
  type RunInputs,
  type RunOutputs,
  type Tag,
} from "@millrace/contract";
import { DATASET_CONTEXT_TAG, type NewDatasetInput } from "../../domain/run-inputs.ts";
import type { Reader, SqlValue, Transaction } from "../database.ts";
import { valuesList } from "./run-texts.ts";
import type { RunKey } from "./runs.ts";

export interface RunLinks {
  readonly inputs: RunInputs;
  readonly outputs: RunOutputs;
}

const RUNS_PER_STATEMENT = 250;
const ROWS_PER_STATEMENT = 100;

/** Data sets and models that runs read and made, by row id of the run; runs with none are left out. */
export async function readInputs(reader: Reader, runs: readonly number[]): Promise<Map<number, RunLinks>> {
  const datasets = new Map<number, DatasetInput[]>();
  const read = new Map<number, ModelInput[]>();
  const made = new Map<number, ModelOutput[]>();
  for (let start = 0; start < runs.length; start += RUNS_PER_STATEMENT) {
    const part = runs.slice(start, start + RUNS_PER_STATEMENT);
    // A few fixed numbers of placeholders, so that pages of every size share prepared statements.
    const size = part.length === 1 ? 1 : part.length <= 25 ? 25 : RUNS_PER_STATEMENT;
    while (part.length < size) part.push(-1);
    const marks = part.map(() => "?").join(", ");
    await readDatasets(reader, part, marks, datasets);
    const models = await reader.rows(
      `SELECT run, output, model_id, step FROM run_models WHERE run IN (${marks}) ORDER BY id`,
      part,
    );
    for (const [run, output, modelId, step] of models) {
      if (output === 0) push(read, run as number, { modelId: modelId as string });
      else push(made, run as number, { modelId: modelId as string, step: step as Int64 });
    }
  }
  const links = new Map<number, RunLinks>();
  for (const run of new Set([...datasets.keys(), ...read.keys(), ...made.keys()])) {
    links.set(run, {
      inputs: { datasetInputs: datasets.get(run) ?? [], modelInputs: read.get(run) ?? [] },
      outputs: { modelOutputs: made.get(run) ?? [] },
    });
  }
  return links;
}

async function readDatasets(
  reader: Reader,
  runs: readonly number[],
  marks: string,
  datasets: Map<number, DatasetInput[]>,
): Promise<void> {
  const found = await reader.rows(
    `SELECT i.id, i.run, d.name, d.digest, d.source_type, d.source, d.schema, d.profile FROM run_datasets i JOIN datasets d ON d.id = i.dataset WHERE i.run IN (${marks}) ORDER BY i.id`,
    runs,
  );
  if (found.length === 0) return;
  const tags = new Map<number, Tag[]>();
  const labels = await reader.rows(
    `SELECT t.input, t.key, t.value FROM run_datasets i JOIN run_dataset_tags t ON t.input = i.id WHERE i.run IN (${marks}) ORDER BY t.input, t.key`,
    runs,
  );
  for (const [input, key, value] of labels) {
    push(tags, input as number, { key: key as string, value: value as string });
  }
  for (const [input, run, name, digest, sourceType, source, schema, profile] of found) {
    push(datasets, run as number, {
      tags: tags.get(input as number) ?? [],
      dataset: {
        name: name as string,
        digest: digest as string,
        sourceType: sourceType as string,
        source: source as string,
        schema: (schema as string | null) ?? undefined,
        profile: (profile as string | null) ?? undefined,
      },
    });
  }
}

function push<T>(lists: Map<number, T[]>, run: number, item: T): void {
  const list = lists.get(run);
  if (list === undefined) lists.set(run, [item]);
  else list.push(item);
}

/** Links data sets to a run. A known data set, and a known link with its tags, stay as they are. */
export async function addDatasetInputs(
  tx: Transaction,
  run: Pick<RunKey, "id" | "experiment">,
  inputs: readonly NewDatasetInput[],
): Promise<void> {
  for (const { name, digest, sourceType, source, schema, profile, tags } of inputs) {
    await tx.run(
      "INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment, name, digest) DO NOTHING",
      [run.experiment, name, digest, sourceType, source, schema, profile],
    );
    const link = await tx.get<{ id: number }>(
      "INSERT INTO run_datasets (run, dataset) SELECT ?, id FROM datasets WHERE experiment = ? AND name = ? AND digest = ? ON CONFLICT (run, dataset) DO NOTHING RETURNING id",
      [run.id, run.experiment, name, digest],
    );
    if (link === undefined || tags.length === 0) continue;
    await tx.run(
      `INSERT INTO run_dataset_tags (input, key, value) VALUES ${valuesList(tags.length, 3)}`,
      tags.flatMap(({ key, value }): SqlValue[] => [link.id, key, value]),
    );
  }
}

export interface ModelLink {
  readonly modelId: string;
  readonly step: Int64;
}

/** Links models to a run, which need not exist; one that is linked already stays as it is. */
export async function addRunModels(
  tx: Transaction,
  run: number,
  direction: "input" | "output",
  models: readonly ModelLink[],
): Promise<void> {
  for (let start = 0; start < models.length; start += ROWS_PER_STATEMENT) {
    const part = models.slice(start, start + ROWS_PER_STATEMENT);
    await tx.run(
      `INSERT INTO run_models (run, output, model_id, step) VALUES ${valuesList(part.length, 4)} ON CONFLICT (run, output, model_id) DO NOTHING`,
      part.flatMap(({ modelId, step }): SqlValue[] => [run, direction === "output" ? 1 : 0, modelId, step]),
    );
  }
}

/** Name, digest and use of the data sets that runs of these experiments read, each combination once. */
export async function datasetSummaries(
  reader: Reader,
  experiments: readonly number[],
  countMax: number,
): Promise<DatasetSummary[]> {
  const rows = await reader.all<{ experiment: number; name: string; digest: string; context: string | null }>(
    `SELECT DISTINCT d.experiment, d.name, d.digest, t.value AS context FROM datasets d
     JOIN run_datasets i ON i.dataset = d.id LEFT JOIN run_dataset_tags t ON t.input = i.id AND t.key = ?
     WHERE d.experiment IN (${experiments.map(() => "?").join(", ")})
     ORDER BY d.experiment, d.name, d.digest, context LIMIT ?`,
    [DATASET_CONTEXT_TAG, ...experiments, countMax],
  );
  return rows.map(({ experiment, name, digest, context }) => ({
    experimentId: String(experiment),
    name,
    digest,
    context: context ?? undefined,
  }));
}
