import { randomBytes } from "node:crypto";
import { ok } from "./call.ts";

/** The wire's shapes, as far as the tests read them. */
export interface Tag {
  readonly key: string;
  readonly value?: string;
}
export interface Metric extends Record<string, unknown> {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}
export interface RunInfo extends Record<string, unknown> {
  readonly run_id: string;
  readonly run_uuid: string;
  readonly run_name: string;
  readonly status: string;
  readonly experiment_id: string;
}
export interface Run {
  readonly info: RunInfo;
  readonly data: { readonly metrics?: Metric[]; readonly params?: Tag[]; readonly tags?: Tag[] };
  readonly inputs: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}
export interface Experiment extends Record<string, unknown> {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: string;
  readonly last_update_time: number;
  readonly creation_time: number;
  readonly tags?: Tag[];
}
export interface ModelVersion extends Record<string, unknown> {
  readonly name: string;
  readonly version: string;
  readonly current_stage: string;
  readonly source: string;
  readonly last_updated_timestamp: number;
}
export interface RegisteredModel extends Record<string, unknown> {
  readonly name: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly latest_versions?: ModelVersion[];
}
export interface LoggedModel {
  readonly info: Record<string, unknown> & {
    readonly model_id: string;
    readonly name: string;
    readonly status: string;
    readonly artifact_uri: string;
  };
  readonly data: { readonly params?: Tag[]; readonly metrics?: Metric[] };
}

/** Names never meet another test's, nor an earlier run's on the same server. */
export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString("hex")}`;
}

export async function createExperiment(fields: object = {}): Promise<string> {
  const body = { name: unique("experiment"), ...fields };
  return (await ok<{ experiment_id: string }>("POST", "experiments/create", body)).experiment_id;
}

export async function getExperiment(experimentId: string): Promise<Experiment> {
  const query = { experiment_id: experimentId };
  return (await ok<{ experiment: Experiment }>("GET", "experiments/get", query)).experiment;
}

/** A run in the given experiment, or in a new one. */
export async function createRun(experimentId?: string, fields: object = {}): Promise<RunInfo> {
  const experiment = experimentId ?? (await createExperiment());
  const body = { experiment_id: experiment, ...fields };
  return (await ok<{ run: Run }>("POST", "runs/create", body)).run.info;
}

export async function getRun(runId: string): Promise<Run> {
  return (await ok<{ run: Run }>("GET", "runs/get", { run_id: runId })).run;
}

export async function logBatch(runId: string, batch: object): Promise<void> {
  await ok("POST", "runs/log-batch", { run_id: runId, ...batch });
}

/** The whole history as [value, timestamp, step] rows, in the server's order. */
export async function history(runId: string, key: string): Promise<[number | string, number, number][]> {
  const query = { run_id: runId, metric_key: key };
  const { metrics = [] } = await ok<{ metrics?: Metric[] }>("GET", "metrics/get-history", query);
  return metrics.map(({ value, timestamp, step }) => [value, timestamp, step]);
}

/** Names of the runs found, in order. */
export async function searchRunNames(experimentId: string, search: object): Promise<string[]> {
  const body = { experiment_ids: [experimentId], ...search };
  const { runs = [] } = await ok<{ runs?: Run[] }>("POST", "runs/search", body);
  return runs.map((run) => run.info.run_name);
}

export async function createLoggedModel(experimentId: string, fields: object = {}): Promise<LoggedModel> {
  const body = { experiment_id: experimentId, ...fields };
  return (await ok<{ model: LoggedModel }>("POST", "logged-models", body)).model;
}

export async function getLoggedModel(modelId: string): Promise<LoggedModel> {
  return (await ok<{ model: LoggedModel }>("GET", `logged-models/${modelId}`)).model;
}

/** The name of a new registered model. */
export async function createRegisteredModel(fields: object = {}): Promise<string> {
  const body = { name: unique("model"), ...fields };
  const answer = await ok<{ registered_model: RegisteredModel }>("POST", "registered-models/create", body);
  return answer.registered_model.name;
}

export async function getRegisteredModel(name: string): Promise<RegisteredModel> {
  const answer = await ok<{ registered_model: RegisteredModel }>("GET", "registered-models/get", { name });
  return answer.registered_model;
}

/** A new version; its source is an object store unless fields say otherwise, which needs no run. */
export async function createVersion(name: string, fields: object = {}): Promise<ModelVersion> {
  const body = { name, source: "s3://bucket/model", ...fields };
  return (await ok<{ model_version: ModelVersion }>("POST", "model-versions/create", body)).model_version;
}

export async function getVersion(name: string, version: string): Promise<ModelVersion> {
  const query = { name, version };
  return (await ok<{ model_version: ModelVersion }>("GET", "model-versions/get", query)).model_version;
}
